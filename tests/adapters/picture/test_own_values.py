"""Values of one's own on a study: joined to the right cells, drawn, refused where they are another's."""

from __future__ import annotations

import numpy as np
import pytest
from builders import build_study
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.errors import StudyError

pytest.importorskip("matplotlib", reason="pictures need the extra plot")

from matplotlib.figure import Figure

from neuralgraph.adapters.picture import draw_study, values_of
from neuralgraph.cli.main import application, exit_code


def map_of(figure, gid=None):
    """The values that are drawn on the first film of a figure."""
    image = figure.axes[0].get_images()[-1]
    return np.asarray(image.get_array())


def test_values_of_patches_stand_in_their_cells():
    study = build_study(views=2, patches=9)
    found = values_of(study, np.arange(1, 10))
    for view in range(2):
        cells = found.of_view(study, view)
        here = [i for i in range(9) if study.patches.view[i] == view]
        assert here
        assert np.count_nonzero(~np.isnan(cells)) == len(here)
        for i in here:
            assert cells[study.patches.row[i], study.patches.col[i]] == i + 1
    assert found.concepts is None


def test_values_of_nodes_are_those_of_the_training_graph():
    pytest.importorskip("torch_geometric", reason="training graphs need the extra pyg")
    from neuralgraph.adapters.pyg import to_data

    study = build_study(patches=5, concepts=3, dim=16)
    graph = to_data(study)
    found = values_of(study, graph.node_type.double().unsqueeze(1) + 1)
    assert found.concepts.tolist() == [2.0, 2.0, 2.0]
    assert np.nansum(found.cells) == 5


def test_values_of_cells_and_of_several_studies():
    study = build_study(rows=6, cols=5)
    grid = np.arange(30, dtype=np.float64).reshape(6, 5)
    for given in (grid, grid.ravel(), {"other": [1.0], study.study_id: grid}):
        assert (values_of(study, given).of_view(study, 0) == grid).all()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.zeros(7), "E_SIZE"),
        (np.zeros((5, 2)), "E_SIZE"),
        (np.zeros((5, 6)), "E_SIZE"),
        ([], "E_SIZE"),
        ([1, 2, np.nan, 4, 5], "E_NUM"),
        (["a"] * 5, "E_NUM"),
        ({"another": np.zeros(5)}, "E_NOT_FOUND"),
    ],
)
def test_values_of_something_else_are_refused(values, code):
    with pytest.raises(StudyError) as caught:
        values_of(build_study(patches=5), values)
    assert caught.value.code == code


def test_what_fits_two_things_must_be_said():
    study = build_study(rows=2, cols=4, patches=5, concepts=3)
    with pytest.raises(StudyError, match="fits nodes and cells"):
        values_of(study, np.zeros(8))
    assert values_of(study, np.zeros((2, 4))).concepts is None


def test_values_take_the_place_of_the_attention():
    study = build_study(patches=5, concepts=3)
    figure = draw_study(study, values=[-2, 1, 0, 0.5, 1, 3, 0, -4], label="importance $x$")
    drawn = map_of(figure)
    row, col = int(study.patches.row[0]), int(study.patches.col[0])
    assert drawn[row, col] == -2
    norm = figure.axes[0].get_images()[-1].norm
    assert (norm.vmin, norm.vmax) == (-4, 4)
    texts = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    assert "importance $x$" in texts
    boxes = {
        artist.get_gid(): artist.get_bbox_patch().get_facecolor()
        for artist in figure.findobj(lambda a: str(a.get_gid()).startswith("concept-"))
    }
    assert len({boxes[f"concept-{number}"] for number in range(3)}) == 3


def test_axes_of_ones_own_are_drawn_into_and_nothing_else_changes():
    import matplotlib
    from matplotlib import pyplot

    before, open_figures = dict(matplotlib.rcParams), pyplot.get_fignums()
    figure = Figure()
    left, right = figure.subplots(1, 2)
    right.plot([0, 1])
    study = build_study()
    assert ng.plot(study, ax=left, values=np.arange(5)) is left
    assert left.get_xlim() == (0, study.views[0].width)
    assert right.get_xlim() != left.get_xlim()
    assert isinstance(ng.plot(study), Figure)
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == open_figures
    with pytest.raises(StudyError):
        ng.plot(study, ax=left, view=1)


def run(*arguments):
    return CliRunner().invoke(application(["render", "view"]), ["render", *map(str, arguments)])


def test_render_takes_values_by_study_id(tmp_path, monkeypatch):
    from neuralgraph.adapters import picture

    seen = []
    monkeypatch.setattr(picture, "save_picture", lambda study, *_, **options: seen.append((study.study_id, options)))
    ng.save([build_study(seed=i) for i in range(3)], tmp_path / "a.ngr")
    np.savez(tmp_path / "all.npz", **{f"study-{i}": np.full(5, i) for i in range(3)})
    given = (tmp_path / "a.ngr", "--study", "study-2", "--values", tmp_path / "all.npz", "--label", "mine")
    result = run(*given, "-o", tmp_path / "a.png")
    assert result.exit_code == 0, result.output
    ((study_id, options),) = seen
    assert (study_id, options["label"]) == ("study-2", "mine")
    assert options["values"]["study-2"].tolist() == [2] * 5


def test_render_puts_the_film_that_lies_there_under_the_patches(tmp_path, monkeypatch):
    from neuralgraph.adapters import picture

    image = pytest.importorskip("PIL.Image", reason="needs the extra plot")
    seen = []
    monkeypatch.setattr(picture, "save_picture", lambda study, *_, **options: seen.append(options["image"]))
    ng.save([build_study(seed=i) for i in range(3)], tmp_path / "a.ngr")
    (tmp_path / "films").mkdir()
    image.linear_gradient("L").resize((160, 192)).save(tmp_path / "films" / "study-1.png")
    for study in ("study-1", "study-2"):
        result = run(tmp_path / "a.ngr", "--study", study, "--images", tmp_path / "films", "-o", tmp_path / "a.png")
        assert result.exit_code == 0, result.output
    assert seen[0].shape == (192, 160)
    assert seen[1] is None


@pytest.mark.parametrize("content", [b"no array", b"\x93NUMPY\x01\x00", b"PK\x03\x04 no more"])
def test_a_file_that_holds_no_values_is_an_error(tmp_path, content):
    ng.save(build_study(), tmp_path / "a.ngr")
    (tmp_path / "v.npy").write_bytes(content)
    result = run(tmp_path / "a.ngr", "--values", tmp_path / "v.npy", "-o", tmp_path / "a.png")
    assert exit_code(result.exception) == 3
    assert result.exception.code == "E_SOURCE_CONTENT"


def test_pickled_values_are_not_opened(tmp_path):
    ng.save(build_study(), tmp_path / "a.ngr")
    np.save(tmp_path / "v.npy", np.array([{}], dtype=object))
    result = run(tmp_path / "a.ngr", "--values", tmp_path / "v.npy", "-o", tmp_path / "a.png")
    assert result.exception.code == "E_SOURCE_CONTENT"
