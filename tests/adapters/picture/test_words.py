"""Small multiples of word attention: which words are found, and that each has its panel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import hand_made_study

from neuralgraph.adapters.picture import draw_words, save_words, word_spans
from neuralgraph.errors import StudyError
from neuralgraph.graph.words import WordAttention


@pytest.fixture
def told():
    study = hand_made_study(report="Left effusion. No effusion right.")
    maps = np.random.default_rng(0).random((5, study.n_cells))
    words = WordAttention.from_maps([0, 5, 15, 18, 27], [4, 13, 17, 26, 32], maps)
    return replace(study, word_attention=words)


def test_words_of_a_stored_report(told):
    assert [text for text, _, _ in word_spans(told)] == ["Left", "effusion", "No", "effusion", "right"]
    assert word_spans(told, "EFFUSION") == [("effusion", 5, 13), ("effusion", 18, 26)]
    assert word_spans(told, "no effusion") == [("No effusion", 15, 26)]


def test_without_the_report_concepts_take_the_place_of_words(told):
    silent = replace(told, report=None)
    # What is not simply there says so.
    assert [text for text, _, _ in word_spans(silent)] == ["lung", "opacity (uncertain)"]
    assert word_spans(silent, "OPAC")[0][0] == "opacity (uncertain)"


@pytest.mark.parametrize("report", [None, "Left effusion."])
def test_what_is_not_there_is_refused(told, report):
    with pytest.raises(StudyError, match="has no 'zebra'"):
        word_spans(replace(told, report=report), "zebra")


def test_a_study_without_words_says_how_to_get_them(told):
    with pytest.raises(StudyError, match="--words"):
        word_spans(replace(told, word_attention=None))


def test_a_panel_for_each(told, tmp_path):
    figure = draw_words(told)
    assert [axes.get_title() for axes in figure.axes[:5]] == ["Left", "effusion", "No", "effusion", "right"]
    for name in ("a.png", "b.svg"):
        save_words(told, tmp_path / name, word="effusion")
        again = (tmp_path / name).read_bytes()
        save_words(told, tmp_path / name, word="effusion")
        assert (tmp_path / name).read_bytes() == again


def test_the_picture_says_what_it_is(told):
    figure = draw_words(replace(told, provenance={"films": [{"format": "phantom"}]}))
    (note,) = [text.get_text() for text in figure.texts if text.get_gid() == "caption"]
    assert told.study_id in note
    assert "grid 3 x 2 (width x height)" in note
    assert "a scale of its own" in note
    assert any("SYNTHETIC" in text.get_text() for text in figure.texts)


def test_the_users_own_style_does_not_change_it(told, tmp_path):
    import matplotlib

    save_words(told, tmp_path / "plain.png")
    with matplotlib.rc_context({"font.size": 30, "figure.dpi": 30, "font.family": "monospace"}):
        save_words(told, tmp_path / "styled.png")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "styled.png").read_bytes()
