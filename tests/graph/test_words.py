"""Word attention: quantised like the map of a view, kept by files, no part of the digest."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

sys.path.insert(0, str(Path(__file__).parents[1]))
import builders

import neuralgraph as ng
from neuralgraph.errors import StudyError
from neuralgraph.graph.words import WordAttention, word_attention_problems
from neuralgraph.storage.differences import study_differences


def spans(n):
    return np.arange(n) * 3, np.arange(n) * 3 + 2


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 12)),
        elements=st.floats(0, np.float32(1e30).item(), width=32),
    )
)
def test_maps_survive_within_a_code_and_streams_exactly(maps):
    words = WordAttention.from_maps(*spans(len(maps)), maps)
    again = WordAttention.from_bytes(words.to_bytes(), maps.shape[1])
    assert list(word_attention_problems(words.to_bytes(), maps.shape[1])) == []
    for part in ("start", "end", "code", "attention"):
        assert np.array_equal(getattr(words, part), getattr(again, part))
    assert again.step == words.step
    if words.step:
        assert (np.abs(np.sqrt(maps / np.float64(words.step)) - words.code) <= 0.500001).all()


def test_by_hand():
    words = WordAttention.from_maps([0, 3], [2, 11], [[65025, 0], [255, 4 * 255]])
    assert words.step == 1.0
    assert words.code.tolist() == [[255, 0], [16, 32]]
    assert words.attention.tolist() == [[65025, 0], [256, 1024]]
    assert words.within(2, 4).tolist() == [256, 1024]
    assert words.within(0, 99).tolist() == [65281, 1024]
    assert words.within(2, 3).tolist() == [0, 0]
    assert len(words.to_bytes()) == 4 + 2 * (8 + 2)


@pytest.mark.parametrize(
    ("start", "end", "code", "where"),
    [
        ([0], [1], np.zeros((2, 3)), "E_SIZE"),
        ([], [], np.zeros((0, 3)), "E_SIZE"),
        ([0], [1], np.zeros((1, 0)), "E_SIZE"),
        ([-1], [1], np.zeros((1, 3)), "E_IDX"),
        ([0], [1 << 32], np.zeros((1, 3)), "E_IDX"),
    ],
)
def test_what_is_no_word_attention_is_refused(start, end, code, where):
    with pytest.raises(StudyError) as caught:
        WordAttention(np.array(start), np.array(end), code.astype(np.uint8), 1.0)
    assert caught.value.code in (where, "E_STUDY")


def test_a_study_keeps_its_words_and_its_digest():
    study = builders.hand_made_study()
    words = WordAttention.from_maps(*spans(3), np.random.default_rng(0).random((3, study.n_cells)))
    told = replace(study, word_attention=words)
    assert told.digest == study.digest
    loaded = ng.load_bytes(ng.to_bytes(told))
    assert np.array_equal(loaded.word_attention.attention, words.attention)
    assert loaded.prune(top_k=1).word_attention is not None
    assert ng.load_bytes(ng.to_bytes(study)).word_attention is None
    assert {each.field for each in study_differences(study, told)} == {
        "word_start",
        "word_end",
        "word_code",
        "word_step",
    }
    assert list(study_differences(told, loaded)) == []


def test_words_of_another_grid_are_refused():
    study = builders.hand_made_study()
    with pytest.raises(StudyError) as caught:
        replace(study, word_attention=WordAttention.from_maps([0], [1], np.ones((1, study.n_cells + 1))))
    assert caught.value.code == "E_SIZE"
