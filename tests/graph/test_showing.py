"""What a notebook shows of a study."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.graph import showing


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_sizes_and_map_but_nothing_of_the_report(make_study):
    study = make_study(rows=3, cols=4, patches=2, labels={"secret": 1.0}, report="finding 0 and more words")
    text = study._repr_html_()
    assert "2 of 12 patches (16.7%)" in text
    assert "grid 4 × 3 (width × height)" in text
    for word in ("finding", "secret", "words", "test"):
        assert word not in text
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert "script" not in tags.seen


def test_every_cell_is_drawn_once_and_the_kept_ones_are_outlined(make_study):
    study = make_study(rows=3, cols=4, patches=2)
    *levels, halo, outline = re.findall(r'<path [^>]*d="([^"]*)"', study._repr_html_())
    cells = [place for level in levels for place in re.findall(r"M(\d+) (\d+)h1", level)]
    assert sorted(cells) == sorted((str(c), str(r)) for r in range(3) for c in range(4))
    kept = {(str(c), str(r)) for r, c in zip(study.patches.row, study.patches.col, strict=True)}
    assert set(re.findall(r"M(\d+) (\d+)h1", outline)) == kept
    assert halo == outline


def test_an_untrained_model_is_said_to_mean_nothing(make_study):
    untrained = make_study(provenance={"model": {"name": "secret", "trained": False}})._repr_html_()
    assert "UNTRAINED" in untrained
    assert "secret" not in untrained
    assert "UNTRAINED" not in make_study(provenance={"model": {"trained": True}})._repr_html_()


def test_an_id_is_no_markup():
    text = build_study(study_id="<img src=x onerror=alert(1)>")._repr_html_()
    assert "<img" not in text
    assert "&lt;img" in text


def test_a_study_without_film_and_a_very_large_map_are_a_table(make_study, monkeypatch):
    empty = ng.Study("none", (), ng.Patches([], [], [], [[]] * 0))
    assert "<svg" not in empty._repr_html_()
    monkeypatch.setattr(showing, "_MOST_CELLS", 5)
    assert "<svg" not in make_study(rows=3, cols=4, patches=2)._repr_html_()


def test_an_archive_shows_ids_and_no_paths(tmp_path, make_study):
    for count, name in ((1, "Doe Jane.ngr"), (14, "many.ngr")):
        ng.save([make_study(study_id=f"<{count}-{i}>") for i in range(count)], tmp_path / name)
        with ng.open(tmp_path / name) as archive:
            text = archive._repr_html_()
        assert f"&lt;{count}-0&gt;" in text
        assert "Doe" not in text
    assert "and 4 more" in text
    assert "14 studies</b> in 1 file:" in text


def test_plot_draws_the_study(make_study):
    figure = pytest.importorskip("matplotlib.figure", reason="pictures need the extra plot")
    assert isinstance(ng.plot(make_study()), figure.Figure)
    with pytest.raises(ng.StudyError):
        ng.plot(make_study(), view=3)
