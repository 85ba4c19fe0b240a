"""A longer side gives a film a finer grid, with patches of the same size for the model."""

from __future__ import annotations

import numpy as np
import pytest

from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.compressor import Compressor
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.scorer import load_scorer
from neuralgraph.errors import ModelError

FILM = np.random.default_rng(0).random((960, 720), np.float32)


def test_a_longer_side_gives_a_finer_grid(demo_directory):
    stride, usual = (lambda own: (own.stride, own.max_side))(Preprocessor.read(demo_directory))
    grids = {}
    for side in (None, usual, 2 * usual):
        (scored,) = load_scorer(demo_directory, max_side=side)([FILM], ["Opacity in the right lower lobe."])
        grids[side] = (scored.rows, scored.cols)
        assert scored.patch_height == pytest.approx(stride * 960 / (side or usual))
        assert scored.score.shape == (scored.rows * scored.cols,)
    assert grids[None] == grids[usual] == (usual // stride, 3 * usual // 4 // stride)
    assert grids[2 * usual] == tuple(2 * size for size in grids[usual])


def test_a_study_says_its_own_grid():
    study = Compressor.from_pretrained(max_side=512, report_graph="none")(FILM, "Effusion.")
    assert (study.views[0].rows, study.views[0].cols) == (32, 24)


def test_a_side_that_is_none_is_refused(demo_directory):
    with pytest.raises(ModelError) as caught:
        load_scorer(demo_directory, max_side=0)
    assert caught.value.code == "E_MODEL"


def test_folders_from_before_the_choice_are_continued():
    assert "max_side" not in ConversionSettings().record
    assert ConversionSettings(max_side=960).record["max_side"] == 960
