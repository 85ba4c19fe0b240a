from __future__ import annotations

import numpy as np
import pytest

from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.training.batches import Batches, BatchSettings
from neuralgraph.compressor.training.examples import ExampleSet, Prepared, write_examples
from neuralgraph.compressor.training.places import EVERYTHING, LESION, places_of_marks
from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.marks import Mark

WHOLE = Preprocessor(stride=8, max_side=64)


def bits(places, name):
    number = places.structures.index(name)
    return (places.masks[number // 8] >> number % 8 & 1).astype(bool)


def test_boxes_of_one_finding_join_and_local_ones_are_lesions():
    marks = [
        Mark("Effusion", (0, 32, 16, 16)),
        Mark("effusion", (48, 32, 16, 16), phrase="left effusion"),
        Mark("Cardiomegaly", (20, 30, 24, 24)),
    ]
    places = places_of_marks(marks, ["Effusion"], (64, 64), WHOLE)
    assert places.structures == ("cardiomegaly", LESION, "pleural effusion", "")
    assert places.known == ("pleural effusion",)
    assert bits(places, "pleural effusion").sum() == 2 * 16 * 16
    assert (bits(places, LESION) == bits(places, "pleural effusion")).all()
    assert places.phrases == ((3, "left effusion"),)
    assert bits(places, "").sum() == 16 * 16


def test_a_mask_of_all_findings_says_which_part_of_a_box_is_meant(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    picture = np.zeros((64, 64), np.uint8)
    picture[10:20, 10:20] = 255
    pillow.fromarray(picture).save(tmp_path / "mask.png")
    marks = [Mark("nodule", (0, 0, 32, 32)), Mark("", mask=str(tmp_path / "mask.png"))]
    places = places_of_marks(marks, ["*"], (64, 64), WHOLE)
    assert bits(places, "nodule").sum() == bits(places, LESION).sum() == 100
    assert places.known == (EVERYTHING,)
    with pytest.raises(SourceError) as caught:
        places_of_marks(marks, [], (64, 60), WHOLE)
    assert caught.value.code == "E_SOURCE_SIZE"


def test_a_film_without_marks_has_none_and_may_be_known_to_be_bare():
    assert places_of_marks([], ["*"], (64, 64), WHOLE).masks is None
    assert places_of_marks([], ["*"], (64, 64), WHOLE).known == (EVERYTHING,)


@pytest.fixture
def mixed(tmp_path):
    """A film with one marked nodule, one that is bare, one of which nothing is known."""
    marked = places_of_marks([Mark("nodule", (0, 0, 8, 8), phrase="nodule")], [], (64, 64), WHOLE)

    def film(task):
        known = {0: marked.known, 1: (EVERYTHING,), 2: ()}[task]
        more = {"masks": marked.masks, "structures": marked.structures, "phrases": marked.phrases} if not task else {}
        pixels = np.full((64, 64), 1000 * task, np.uint16)
        source = "marked" if not task else "plain"
        return [Prepared(pixels=pixels, report="A nodule.", patient=str(task), known=known, source=source, **more)]

    write_examples(tmp_path / "films", range(3), film)
    return ExampleSet(tmp_path / "films")


def test_covered_bare_and_unknown_are_three_things_in_one_batch(mixed, start, tokenizer):
    made = Batches(mixed, start().model.config, tokenizer, WHOLE, BatchSettings(batch_size=3, longest=20, seed=1))
    lesson = made.lesson(0)
    nodule = made.structures.index("nodule")
    assert lesson.coverage[0, nodule, 0, 0] == 1
    assert lesson.coverage[1:].sum() == 0
    # Of the first only the marked patch is known, of the second every patch, of the third none.
    assert lesson.known[:, nodule].sum(dim=(1, 2)).tolist() == [1, 64, 0]
    assert (lesson.spoken[0] >= len(made.structures)).any()
    assert (lesson.spoken[1:] == -1).all()


def test_sources_are_drawn_by_their_weights(mixed, start, tokenizer):
    made = Batches(
        mixed, start().model.config, tokenizer, WHOLE,
        BatchSettings(batch_size=1, longest=20, seed=1, weights={"marked": 2.0, "plain": 1.0}), count=30,
    )  # fmt: skip
    drawn = [mixed.source(numbers[0]) for numbers in made._numbers]
    assert drawn.count("marked") == 20


def test_sixteen_bits_are_kept(tmp_path):
    from neuralgraph.compressor.training.examples import prepared

    film = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    assert len(np.unique(prepared(film, WHOLE).pixels)) == 64 * 64


def test_marks_follow_a_film_that_was_turned_and_stretched():
    # Stored as 32 x 64, shown turned by 90 degrees and made square.
    from neuralgraph.sources.films.facts import TURNS

    facts = {"stored_size": [32.0, 64.0], "turned": TURNS[5]}
    places = places_of_marks([Mark("nodule", (0, 0, 16, 8))], [], (64, 64), WHOLE, facts)
    shown = bits(places, "nodule")
    rows, columns = np.nonzero(shown)
    # Clockwise: what was on the left is at the top, what was at the top is on the right.
    assert (rows.min(), rows.max()) == (0, 15)
    assert (columns.min(), columns.max()) == (48, 63)


def test_a_mask_that_is_nearly_black_is_a_mask(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    picture = np.zeros((64, 64), bool)
    picture[0, 0] = True
    pillow.fromarray(picture).save(tmp_path / "m.png")
    places = places_of_marks([Mark("nodule", mask=str(tmp_path / "m.png"))], [], (64, 64), WHOLE)
    assert bits(places, "nodule").sum() == 1
    (tmp_path / "n.png").write_bytes(b"no picture")
    with pytest.raises(SourceError) as caught:
        places_of_marks([Mark("nodule", mask=str(tmp_path / "n.png"))], [], (64, 64), WHOLE)
    assert caught.value.code == "E_SOURCE_READ"
