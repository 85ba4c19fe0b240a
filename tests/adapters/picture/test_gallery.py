"""Galleries in notebooks: who is shown, in which order, with nothing that runs or loads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.adapters.picture.gallery import Gallery
from neuralgraph.errors import SourceError, StudyError


@pytest.fixture(scope="module")
def studies():
    return [build_study(seed=i, rows=6, cols=5, patches=4, study_id=f"s{i}") for i in range(5)]


@pytest.fixture
def archive_file(tmp_path, studies):
    ng.save(studies, tmp_path / "archive.ngr")
    return tmp_path / "archive.ngr"


def test_pages_hold_every_study_once_in_order(archive_file, studies):
    first = ng.show(archive_file, size=2)
    assert (len(first), first.pages) == (5, 3)
    shown = [study.study_id for number in (1, 2, 3) for study in first.page(number).studies]
    assert shown == [study.study_id for study in studies]
    assert "5 studies, page 3 of 3" in first.page(3)._repr_html_()
    for number in (0, 4):
        with pytest.raises(StudyError, match="there are 3"):
            first.page(number)
    with pytest.raises(StudyError, match="1 to 96"):
        ng.show(archive_file, size=97)


def test_an_open_archive_and_a_place_show_the_same(archive_file):
    with ng.open(archive_file) as archive:
        assert (
            ng.show(archive)._repr_html_()
            == ng.show(archive_file)._repr_html_()
            == ng.show([archive_file])._repr_html_()
        )
    with pytest.raises(StudyError, match="not a int"):
        ng.show(3)


def test_a_question_chooses(tmp_path, studies):
    pytest.importorskip("duckdb", reason="questions need the extra catalog")
    kinds = ("present", "absent", "present", "uncertain", "present")
    kinds = [f"Observation::{'uncertain' if kind == 'uncertain' else f'definitely {kind}'}" for kind in kinds]
    told = [
        replace(study, concepts=(ng.Concept("effusion", kind, 0, 8),), triples=[], mentions=(), fusion=None)
        for study, kind in zip(studies, kinds, strict=True)
    ]
    ng.save(told, tmp_path / "told.ngr")
    gallery = ng.show(tmp_path / "told.ngr", where="effusion", size=2, page=2)
    assert (list(gallery.ids), [study.study_id for study in gallery.studies]) == (["s0", "s2", "s4"], ["s4"])
    assert "3 studies with effusion, page 2 of 2" in repr(gallery)
    assert "report: effusion" in gallery._repr_html_()
    nobody = ng.show(tmp_path / "told.ngr", where="pneumothorax")
    assert (len(nobody), nobody.pages, nobody.studies) == (0, 1, ())
    assert "0 studies" in nobody._repr_html_()
    with pytest.raises(StudyError) as caught:
        ng.show(tmp_path / "told.ngr", where="left right")
    assert caught.value.code == "E_QUERY"


def test_ids_can_be_selected_and_everything_is_escaped():
    study = build_study(seed=1, study_id="a<b>&c")
    study = replace(study, labels={"<script>alert(1)</script>": 1.0})
    page = Gallery(["a<b>&c"], lambda names: [study])._repr_html_()
    assert '<code style="user-select:all">a&lt;b&gt;&amp;c</code>' in page
    for forbidden in ("<script", "http:", "https:", "src=", "onclick", "@import", "<link"):
        assert forbidden not in page


def test_films_lie_under_the_patches(archive_file, studies, tmp_path):
    image = pytest.importorskip("PIL.Image", reason="films need Pillow: extra plot")
    view = studies[0].views[0]
    films = tmp_path / "films"
    films.mkdir()
    pixels = np.arange(view.height * view.width, dtype=np.uint32).reshape(view.height, view.width)
    image.fromarray(pixels.astype(np.uint8)).save(films / "s0.png")
    page = ng.show(archive_file, images=films)._repr_html_()
    assert page.count("data:image/jpeg;base64,") == 1
    assert page.count("no film at hand") == 4

    def unreadable(study_id, view):
        raise SourceError("damaged", code="E_SOURCE_DAMAGED")

    assert ng.show(archive_file, images=unreadable)._repr_html_().count("no film at hand") == 5


def test_what_must_be_said_of_a_model_is_said():
    studies = [
        replace(build_study(seed=i, study_id=f"s{i}"), provenance={"model": facts})
        for i, facts in enumerate([{"name": "demo", "trained": True}, {"name": "x", "trained": False}])
    ]
    page = Gallery(["s0", "s1"], lambda names: studies)._repr_html_()
    assert "no diagnostic device" in page
    assert "UNTRAINED" in page
