"""Contact sheets: one film for every study, in order, undistorted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import build_study
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.errors import StudyError

pytest.importorskip("matplotlib", reason="pictures need the extra plot")

from neuralgraph.adapters.picture import draw_sheet, ordered, save_sheet
from neuralgraph.adapters.picture.sheet_words import findings_words, labels_words, said_of
from neuralgraph.cli.main import application


def test_films_stand_in_order_with_their_patches():
    studies = [build_study(seed=i, rows=4 + i, cols=5, patches=3 + i, study_id=f"s{i}") for i in range(8)]
    figure = draw_sheet(studies)
    assert len(figure.axes) == 8
    for study, axes in zip(studies, figure.axes, strict=True):
        view = study.views[0]
        assert axes.get_xlim() == (0, view.width)
        assert axes.get_ylim() == (view.height, 0)
        assert axes.get_aspect() == 1.0
        (outlines,) = [artist for artist in axes.collections if artist.get_gid() == "kept-patches"]
        boxes = [tuple(path.get_extents().extents) for path in outlines.get_paths()]
        expected = [view.box(r, c) for r, c in zip(study.patches.row, study.patches.col, strict=True)]
        assert boxes == [(left, top, right, bottom) for top, left, bottom, right in expected]
    places = [axes.get_position(original=True) for axes in figure.axes]
    # Six in a row, from left to right, then the next row below.
    assert [round(p.y0, 6) for p in places[:6]] == [round(places[0].y0, 6)] * 6
    assert [p.x0 for p in places[:6]] == sorted({p.x0 for p in places[:6]})
    assert places[6].x0 == places[0].x0
    assert places[6].y1 < places[0].y0
    words = [text.get_text() for text in figure.texts]
    assert any(text.startswith("s3\n6 of 35 patches") for text in words)


def test_none_and_too_many_are_refused():
    for studies in ([], [build_study()] * 49):
        with pytest.raises(StudyError) as caught:
            draw_sheet(studies)
        assert caught.value.code == "E_IDX"


def test_a_study_without_film_leaves_its_place_empty():
    empty = ng.Study("none", (), ng.Patches([], [], [], [[]] * 0))
    figure = draw_sheet([empty, build_study()])
    assert not figure.axes[0].axison
    assert "2 studies" in figure.findobj(lambda artist: artist.get_gid() == "caption")[0].get_text()


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_same_studies_give_the_same_bytes(tmp_path, ending):
    paths = [tmp_path / f"{i}.{ending}" for i in range(2)]
    for path in paths:
        save_sheet([build_study(seed=1), build_study(seed=2)], path, total=9)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_render_draws_a_sheet_of_an_archive(tmp_path):
    ng.save([build_study(seed=i) for i in range(3)], tmp_path / "a.ngr")
    app = application(["render", "view"])
    arguments = ["render", str(tmp_path / "a.ngr"), "-o", str(tmp_path / "a.png"), "--force"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'a.png'}: contact sheet of 3 of 3 studies\n"
    for option in (["--image", "film.png"], ["--word", "lung"], ["--words"], ["--view", "1"]):
        assert CliRunner().invoke(app, [*arguments, *option]).exit_code == 2


def test_render_draws_a_sheet_of_files_and_folders(tmp_path):
    for i in range(3):
        ng.save(build_study(seed=i), tmp_path / f"{i}.ngr")
    app = application(["render", "view"])
    out = tmp_path / "a.png"
    for given, count in (([tmp_path / "0.ngr", tmp_path / "2.ngr"], 2), ([tmp_path], 3)):
        result = CliRunner().invoke(app, ["render", *map(str, given), "-o", str(out), "--force"])
        assert result.stdout == f"{out}: contact sheet of {count} of {count} studies\n", result.output


def test_render_writes_the_sizes_under_the_picture(tmp_path, monkeypatch):
    from neuralgraph.adapters import picture

    seen = []
    monkeypatch.setattr(picture, "save_picture", lambda *_, sizes, **__: seen.append(sizes))
    ng.save(build_study(seed=1), tmp_path / "one.ngr")
    ng.save([build_study(seed=i) for i in range(3)], tmp_path / "three.ngr")
    app = application(["render", "view"])
    film = tmp_path / "film.png"
    pytest.importorskip("PIL.Image", reason="needs the extra plot").linear_gradient("L").resize((160, 192)).save(film)
    calls = [[tmp_path / "one.ngr", "--image", film], [tmp_path / "three.ngr", "--study", "study-2"]]
    for call in calls:
        result = CliRunner().invoke(app, ["render", *map(str, call), "-o", str(tmp_path / "a.png"), "--force"])
        assert result.exit_code == 0, result.output
    assert seen[0] == {"this .ngr": (tmp_path / "one.ngr").stat().st_size, "its film": film.stat().st_size}
    with ng.open(tmp_path / "three.ngr") as archive:
        ((_, _, container),) = archive.files
        assert seen[1] == {"its record": len(container.record_bytes(2))}


def telling(number, *, polarity, label=None, said=1):
    """A study that says a finding so often, and has a label or none."""
    kind = f"Observation::{polarity}"
    concepts = tuple(ng.Concept("effusion", kind, 10 * i, 10 * i + 8) for i in range(said))
    labels = {} if label is None else {"edema": label}
    fields = {"concepts": concepts, "triples": [], "mentions": (), "fusion": None, "labels": labels}
    return replace(build_study(seed=number, study_id=f"s{number}"), **fields)


def test_findings_stand_once_with_their_count():
    study = telling(1, polarity="definitely present", said=3, label=-1.0)
    assert findings_words(study) == "effusion ×3"
    assert labels_words(study) == "? edema"
    assert findings_words(telling(2, polarity="definitely absent")) == "no effusion"
    words = [text.get_text() for text in draw_sheet([study], scores={"s1": 0.25}).texts]
    assert any("score 0.25\nlabels: ? edema\nreport: effusion ×3" in text for text in words)


def test_studies_are_ordered_by_what_is_said_and_by_scores():
    studies = [
        telling(0, polarity="definitely absent"),
        telling(1, polarity="uncertain"),
        telling(2, polarity="definitely present"),
        telling(3, polarity="definitely present", said=0),
    ]
    scores = {"s0": 0.9, "s1": 0.5, "s2": 0.8}
    assert ordered(studies, "label", label="effusion") == [2, 1, 0, 3]
    assert ordered(studies, "score", scores=scores) == [0, 2, 1, 3]
    # Furthest apart first: 0.9 where nothing is, 0.8 where it is, 0.5 where nobody knows.
    assert ordered(studies, "disagreement", label="effusion", scores=scores) == [0, 2, 1, 3]
    assert ordered(reversed(studies), "id") == [3, 2, 1, 0]
    labelled = telling(5, polarity="definitely present", label=0.0)
    assert (said_of(labelled, "Edema"), said_of(labelled, "effusion"), said_of(labelled, "mass")) == (0.0, 1.0, None)
    for order, given in (("label", {}), ("score", {}), ("disagreement", {"label": "x"}), ("size", {})):
        with pytest.raises(StudyError) as caught:
            ordered(studies, order, **given)
        assert caught.value.code == "E_QUERY"


def test_films_that_are_at_hand_are_drawn_where_they_fit():
    studies = [build_study(seed=i, study_id=f"s{i}") for i in range(3)]
    films = {"s0": np.full((192, 160), 0.5, np.float32), "s1": np.full((160, 192), 0.5, np.float32)}
    figure = draw_sheet(studies, films=lambda study_id, view: films.get(study_id))
    assert [len(axes.get_images()) for axes in figure.axes] == [2, 1, 1]


def test_render_sorts_turns_pages_and_puts_films_under(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="needs the extra plot")
    ng.save([build_study(seed=i, study_id=f"s{i:02d}") for i in range(50)], tmp_path / "a.ngr")
    (tmp_path / "films").mkdir()
    image.linear_gradient("L").resize((160, 192)).save(tmp_path / "films" / "s49.png")
    (tmp_path / "films" / "s48.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    (tmp_path / "scores.csv").write_text("study_id,score\ns49,0.5\ns48,0.7\n")
    out = tmp_path / "a.png"

    def run(*arguments):
        given = ["render", tmp_path / "a.ngr", "-o", out, "--force", *arguments]
        return CliRunner().invoke(application(["render", "view"]), list(map(str, given)))

    given = ("--sort", "score", "--scores", tmp_path / "scores.csv", "--images", tmp_path / "films")
    result = run(*given)
    assert result.stdout == f"{out}: contact sheet of 48 of 50 studies, page 1 of 2, 1 film unreadable\n", result.output
    assert run("--page", 2).stdout == f"{out}: contact sheet of 2 of 50 studies, page 2 of 2\n"
    assert run("--page", 3).exit_code == 2
    assert run("--study", "s00", "--sort", "id").exit_code == 2
    np.save(tmp_path / "v.npy", np.zeros(5))
    assert run("--values", tmp_path / "v.npy").exit_code == 2
    for content in ("study_id,other\n", "study_id,score\ns00,high\n", "study_id,score\ns00\n"):
        (tmp_path / "scores.csv").write_text(content)
        assert run(*given).exception.code == "E_SOURCE_CONTENT"


def test_a_sorted_sheet_says_how():
    figure = draw_sheet([build_study(seed=1)], order="sorted by label of edema")
    (caption,) = [text.get_text() for text in figure.texts if text.get_gid() == "caption"]
    assert caption.endswith("outlined: kept · sorted by label of edema")
