from __future__ import annotations

import numpy as np
import pytest

from neuralgraph.compressor.training.judge import bleu2
from neuralgraph.compressor.training.seeing import area_kept, auc, mean_lesion_map, patch_auc, pointed, side_of


def test_bleu_of_words_and_pairs():
    assert bleu2(["The lungs are clear."], ["the lungs are clear ."]) == pytest.approx(1)
    assert bleu2(["no"], ["the lungs are clear"]) == 0
    # 3 of 4 words and 1 of 3 pairs, and it is as long as the truth.
    assert bleu2(["a b x c"], ["a b c d"]) == pytest.approx((3 / 4 * 1 / 3) ** 0.5)
    # Half as long: exp(1 - 2).
    assert bleu2(["a b"], ["a b c d"]) == pytest.approx(np.exp(-1))


def test_what_is_kept_of_a_lesion():
    coverage = np.zeros((10, 10), np.float32)
    coverage[2, 3], coverage[2, 4] = 1.0, 0.5
    score = np.zeros((10, 10))
    score[2, 4], score[0, 0], score[2, 3] = 3, 2, 1
    # ceil(2.3) patches of a hundred.
    assert area_kept(score, coverage) == 1
    assert area_kept(score, coverage, 0.02) == pytest.approx(1 / 3)
    assert pointed(score, coverage)
    assert patch_auc(score, coverage) == pytest.approx((1 + 97 / 98) / 2)
    assert side_of(coverage) == "right"
    assert side_of(coverage[:, ::-1]) == "left"
    assert side_of(coverage + coverage[:, ::-1]) == ""


def test_auc_leaves_out_what_is_not_known():
    assert auc(np.array([0.1, 0.4, 0.9, 0.5]), np.array([0, 1, 1, np.nan])) == 1
    assert np.isnan(auc(np.array([0.1]), np.array([1.0])))
    assert mean_lesion_map([]).shape == (32, 32)
