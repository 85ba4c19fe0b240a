"""Films of the phantom: reproducible, stamped, any size, and changed where the masks say."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.phantoms import FINDINGS, phantom, phantom_cohort, stamp, stamp_box

_DIGEST_SCRIPT = """
import hashlib
from neuralgraph.phantoms import phantom
study = phantom(5, height=96, width=80, findings=["consolidation", "pleural effusion"])
masks = b"".join(f.mask.tobytes() for f in study.findings)
print(hashlib.sha256(study.pixels.tobytes() + masks + study.report.encode()).hexdigest())
"""


def test_same_seed_gives_the_same_bytes_in_another_process():
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONHASHSEED": "77"}
    run = subprocess.run(
        [sys.executable, "-c", _DIGEST_SCRIPT], capture_output=True, text=True, check=True, env=environment
    )
    study = phantom(5, height=96, width=80, findings=["consolidation", "pleural effusion"])
    masks = b"".join(f.mask.tobytes() for f in study.findings)
    here = hashlib.sha256(study.pixels.tobytes() + masks + study.report.encode()).hexdigest()
    assert run.stdout.strip() == here


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (128, 96), (90, 200), (256, 64)])
def test_any_size(shape):
    study = phantom(3, height=shape[0], width=shape[1])
    assert study.pixels.shape == shape
    assert study.pixels.dtype == np.float32
    assert study.pixels.min() >= 0.0
    assert study.pixels.max() <= 1.0
    assert all(f.mask.shape == shape and f.mask.dtype == np.bool_ for f in study.findings)


def test_the_truth_does_not_depend_on_the_size():
    small, large = phantom(8, height=64, width=64), phantom(8, height=192, width=192)
    assert small.report == large.report
    assert small.labels == large.labels
    for a, b in zip(small.findings, large.findings, strict=True):
        # Thin masks (a band, a blunted angle) lose or gain a border pixel.
        assert abs(a.mask.mean() - b.mask.mean()) < 0.02


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_changes_the_film_inside_its_mask(name, seed):
    healthy = phantom(seed, height=160, width=160, findings=[], stamp=False)
    ill = phantom(seed, height=160, width=160, findings=[name], stamp=False)
    (finding,) = [f for f in ill.findings if f.present]
    assert finding.name == name
    assert finding.mask.any()
    change = np.abs(ill.pixels - healthy.pixels)
    inside, outside = change[finding.mask].mean(), change[~finding.mask].mean()
    assert inside > 2.0 * outside
    assert inside > 0.01


def test_findings_brighten_and_a_pneumothorax_darkens():
    changes = {}
    for name in FINDINGS:
        difference = []
        for seed in range(5):
            healthy = phantom(seed, height=96, width=96, findings=[], stamp=False)
            ill = phantom(seed, height=96, width=96, findings=[name], stamp=False)
            (finding,) = [f for f in ill.findings if f.present]
            difference.append(float((ill.pixels - healthy.pixels)[finding.mask].mean()))
        changes[name] = np.mean(difference)
    assert changes.pop("pneumothorax") < 0
    assert min(changes.values()) > 0.01


def test_bones_and_heart_are_bright_lungs_dark_air_black():
    films = np.mean([phantom(seed, height=100, width=100, findings=[]).pixels for seed in range(12)], axis=0)
    heart, lungs, air = films[60:66, 50:56].mean(), films[40:50, 22:30].mean(), films[1:4, 1:6].mean()
    assert heart > 0.7 > 0.5 > lungs > air


def test_distractors_are_where_their_masks_say():
    brighter = []
    for study in phantom_cohort(3, 60, height=160, width=160):
        assert tuple(study.distractor_masks) == study.distractors
        for name, mask in study.distractor_masks.items():
            assert mask.shape == study.pixels.shape
            assert mask.dtype == np.bool_
            assert 0 < mask.mean() < 0.1
            if name in ("pacemaker", "sternal wires", "nasogastric tube", "leads"):
                around = _grown(mask) & ~mask
                brighter.append(study.pixels[mask].mean() > study.pixels[around].mean())
    # Metal is brighter than what surrounds it, but for a wire over a film that is white already.
    assert len(brighter) > 20
    assert np.mean(brighter) > 0.9


def _grown(mask):
    wide = np.zeros_like(mask)
    for down in range(-4, 5):
        for across in range(-4, 5):
            wide |= np.roll(mask, (down, across), axis=(0, 1))
    return wide


def test_the_heart_points_to_the_image_right():
    shares = []
    for seed in range(8):
        (finding,) = [f for f in phantom(seed, height=96, width=96, findings=["cardiomegaly"]).findings if f.present]
        columns = np.nonzero(finding.mask)[1]
        shares.append((columns > 48).mean())
    assert np.mean(shares) > 0.55


@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (128, 128), (300, 512)])
def test_every_film_carries_the_same_stamp(shape):
    one = phantom(1, height=shape[0], width=shape[1])
    other = phantom(2, height=shape[0], width=shape[1])
    box = stamp_box(*shape)
    assert np.array_equal(one.pixels[box], other.pixels[box])
    assert set(np.unique(one.pixels[box])) == {0.0, 1.0}
    assert box[0].stop == shape[0]
    assert box[1].start == 0


def test_the_stamp_changes_nothing_but_its_box_and_its_letters_are_legible():
    plain = phantom(1, height=128, width=128, stamp=False).pixels
    marked = stamp(plain)
    box = stamp_box(128, 128)
    assert np.array_equal(marked, phantom(1, height=128, width=128).pixels)
    marked_outside, plain_outside = marked.copy(), plain.copy()
    marked_outside[box] = plain_outside[box] = 0
    assert np.array_equal(marked_outside, plain_outside)
    # The first letter of one line of 3 x 5 letters with a margin of one pixel is the S.
    letter = marked[box][1:6, 1:4]
    assert letter.tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 1], [0, 0, 1], [1, 1, 1]]


def test_the_stamp_does_not_change_the_callers_film():
    film = np.full((64, 64), 0.5, np.float32)
    stamp(film)
    assert (film == 0.5).all()


def test_a_film_too_small_for_the_stamp_is_refused():
    with pytest.raises(SourceError) as caught:
        stamp(np.zeros((12, 12), np.float32))
    assert caught.value.code == "E_SOURCE_SIZE"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"height": 16}, "E_SOURCE_SIZE"),
        ({"findings": ["kidney stone"]}, "E_SOURCE_KIND"),
        ({"prevalence": {"gout": 1.0}}, "E_SOURCE_KIND"),
        ({"variety": 1.5}, "E_SOURCE_KIND"),
        ({"seed": -1}, "E_SOURCE_KIND"),
    ],
)
def test_impossible_requests_name_what_is_wrong(arguments, code):
    with pytest.raises(SourceError) as caught:
        phantom(**{"seed": 0, **arguments})
    assert caught.value.code == code
    assert caught.value.where


def test_films_differ_between_seeds():
    films = np.stack([phantom(seed, height=48, width=48, findings=[]).pixels for seed in range(5)])
    for a in range(5):
        for b in range(a):
            assert np.abs(films[a] - films[b]).mean() > 0.01
