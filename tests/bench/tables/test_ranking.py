"""Other rankings, by hand, on a grid of 3 x 3."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the tables need the extra vlm")

from bench.tables.ranking import (
    attention_of,
    cells_of,
    centre_scores,
    contrast_scores,
    coverage,
    random_scores,
    ranked_by,
    variance_scores,
)


def kept(study, scores, count):
    return cells_of(ranked_by(study, scores).prune(top_k=count)).tolist()


def test_attention_comes_back_in_cell_order(whole, attention):
    assert attention_of(whole).tolist() == attention.tolist()
    assert kept(whole, attention, 3) == cells_of(whole.prune(top_k=3)).tolist() == [1, 4, 6]
    with pytest.raises(ValueError, match="3 of 9"):
        attention_of(whole.prune(top_k=3))


def test_another_order_keeps_its_patches_with_their_embeddings(whole):
    study = ranked_by(whole, [0, 0, 5, 0, 0, 0, 0, 0, 7]).prune(top_k=2)
    assert cells_of(study).tolist() == [8, 2]
    assert study.patches.embedding[:, 0].tolist() == [8, 2]
    assert study.patches.score.tolist() == [7, 5]
    assert study.concepts == whole.concepts


def test_equal_scores_keep_the_lower_cell_and_negative_ones_are_shifted(whole):
    assert kept(whole, np.zeros(9), 3) == [0, 1, 2]
    study = ranked_by(whole, np.arange(9) - 8.0)
    assert study.patches.score.tolist() == [8, 7, 6, 5, 4, 3, 2, 1, 0]


def test_the_centre_is_nearest_to_the_centre(whole):
    scores = centre_scores(whole)
    assert kept(whole, scores, 1) == [4]
    assert set(kept(whole, scores, 5)) == {4, 1, 3, 5, 7}


def test_random_orders_differ_by_study_and_seed_only(whole):
    first = random_scores(whole).tolist()
    assert sorted(first) == list(range(9))
    assert random_scores(whole).tolist() == first
    assert random_scores(whole, seed=1).tolist() != first
    assert random_scores(replace(whole, study_id="study-2")).tolist() != first


def test_contrast_takes_out_what_every_film_has(whole, attention):
    flat = contrast_scores(whole, np.ones((3, 3), np.float32))
    assert np.allclose(flat, attention)
    mean = np.ones((3, 3), np.float32)
    mean[0, 1] = 10  # everything looks at cell 1
    assert kept(whole, contrast_scores(whole, mean), 1) == [4]


def test_variance_of_the_pixels_of_each_patch():
    pixels = np.zeros((4, 5), np.float32)
    pixels[0, 0] = 1  # patch 0: one of four
    pixels[2:, 2] = 1  # patch 4: two of four
    pixels[:2, 4] = 0, 1  # patch 2 is half outside the film: one of two
    assert np.allclose(variance_scores(pixels, 2, 2, (2, 3)), [3 / 16, 0, 1 / 4, 0, 1 / 4, 0])


def test_coverage_counts_the_whole_patch():
    mask = np.zeros((4, 4), bool)
    mask[:2, :3] = True
    assert coverage(mask, 2, 2, (2, 2)).tolist() == [1, 0.5, 0, 0]
