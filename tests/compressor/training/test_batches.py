from __future__ import annotations

import numpy as np
import pytest
import torch

from neuralgraph.compressor.training.batches import Batches, BatchSettings
from neuralgraph.compressor.training.phantom_films import TAUGHT
from neuralgraph.compressor.training.report_text import described_text
from neuralgraph.compressor.training.variation import augmented


@pytest.fixture
def make(examples, start, tokenizer, preprocessor):
    config = start().model.config

    def batches(count=None, **options):
        settings = BatchSettings(**{"batch_size": 3, "longest": 200, "seed": 5, **options})
        return Batches(examples, config, tokenizer, preprocessor, settings, count=count)

    return batches


def test_a_pass_shows_every_example_once_as_it_is(make, examples, tokenizer):
    batches = make()
    seen = []
    for number in range(len(batches)):
        batch, coverage, *_ = batches.lesson(number)
        assert batch["pixels"].shape[0] == len(batch["labels"]) == len(batch["class_labels"]) <= 3
        assert batch["pixels"].shape[2] % 8 == batch["pixels"].shape[3] % 8 == 0
        assert coverage.shape[2:] == (batch["pixels"].shape[2] // 8, batch["pixels"].shape[3] // 8)
        for pixels, tokens, classes in zip(batch["pixels"], batch["labels"], batch["class_labels"], strict=True):
            seen.append((pixels[0].numpy() * 0.25 + 0.5, tokens[tokens >= 0].tolist(), classes.tolist()))
    assert len(seen) == len(examples)
    for example in (examples[number] for number in range(len(examples))):
        ids = [*tokenizer.encode(described_text(example.report)), 1]
        same = [
            (pixels, tokens, classes)
            for pixels, tokens, classes in seen
            if tokens == ids
            and pixels.shape == example.pixels.shape
            and np.allclose(pixels * 65535, example.pixels, atol=0.5)
        ]
        assert same
        assert same[0][2] == [example.labels["nodule"], example.labels["pneumonia"]]


def test_coverage_is_the_share_of_a_patch_with_the_bit_set(make, examples):
    batches = make(batch_size=1)
    seen = set()
    for number in range(len(batches)):
        batch, coverage, *_ = batches.lesson(number)
        film = (batch["pixels"][0, 0].numpy() * 0.25 + 0.5) * 65535
        (example,) = [
            one for one in examples if one.pixels.shape == film.shape and np.allclose(film, one.pixels, atol=0.5)
        ]
        assert coverage.shape[1] == len(TAUGHT)
        for structure, name in enumerate(TAUGHT):
            bits = example.masks[structure // 8] >> structure % 8 & 1
            by_hand = bits.reshape(bits.shape[0] // 8, 8, -1, 8).mean(axis=(1, 3))
            assert np.allclose(coverage[0, batches.structures.index(name)], by_hand, atol=1e-6)
            if bits.any():
                seen.add(structure)
    # Findings, and distractors beyond the first plane.
    assert min(seen) < 7
    assert max(seen) >= 8


def test_batches_depend_on_seed_and_number_alone(make):
    one, same, other = (make(count=6, augment=True, seed=seed) for seed in (1, 1, 2))
    longer = make(count=9, augment=True, seed=1)
    for number in (5, 0, 3):
        for name, tensor in one[number].items():
            assert torch.equal(tensor, same[number][name])
            assert torch.equal(tensor, longer[number][name])
    assert len(one) == 6
    assert any(
        one[number]["pixels"].shape != other[number]["pixels"].shape
        or not torch.equal(one[number]["pixels"], other[number]["pixels"])
        for number in range(6)
    )


def test_unknown_findings_are_not_a_number(make, examples, monkeypatch):
    row = examples._rows[0]
    monkeypatch.setitem(row, "labels", {"pneumonia": 1.0})
    classes = torch.cat([make()[number]["class_labels"] for number in range(len(make()))])
    assert classes[:, 0].isnan().sum() == 1
    assert not classes[:, 1].isnan().any()


def test_a_long_report_is_cut_and_still_ends(make):
    labels = make(longest=5)[0]["labels"]
    assert labels.shape[1] == 5
    assert (labels[:, 4] == 1).all()


def test_masks_move_with_the_film():
    # A film that is bright where its mask is set: after any variation the bright patches are the covered ones.
    film = torch.full((4, 1, 64, 48), 0.2)
    film[:, :, 20:36, 30:46] = 0.9
    bits = (film > 0.5).float()
    for seed in range(12):
        pixels, moved = augmented(film, bits, np.random.default_rng(seed), stride=8)
        assert 0 <= pixels.min() <= pixels.max() <= 1
        assert pixels.shape[2] % 8 == pixels.shape[3] % 8 == 0
        if pixels.shape == film.shape:
            bright = pixels > pixels.amax(dim=(2, 3), keepdim=True) * 0.8
            assert (bright.float() - moved).abs().mean() < 0.05


def test_sides_are_never_swapped():
    film = torch.zeros(1, 1, 64, 64)
    film[..., :20] = 1
    for seed in range(12):
        pixels, _ = augmented(film, None, np.random.default_rng(seed), stride=8)
        assert pixels[..., : pixels.shape[3] // 2].mean() > pixels[..., pixels.shape[3] // 2 :].mean()
