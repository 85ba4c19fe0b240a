"""Pictures of studies: geometry, what is written on them, reproducible bytes, awkward studies."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neuralgraph.errors import MissingExtraError, OutputError, SourceError, StudyError
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.patches import Patches
from neuralgraph.graph.study import Study
from neuralgraph.graph.view import View

pytest.importorskip("matplotlib", reason="pictures need the extra plot")

from neuralgraph.adapters.picture import draw_study, save_picture
from neuralgraph.adapters.picture.drawing import caption

_PRESENT, _ABSENT, _UNSURE = (
    "Observation::definitely present",
    "Observation::definitely absent",
    "Observation::uncertain",
)
_PLACE = "Anatomy::definitely present"


def _study(**changes):
    """A 100 x 70 film under a 4 x 5 grid of 26 x 16 patches: the last row and column reach beyond the film."""
    scores = np.zeros((4, 5), np.float32)
    scores[1, 2], scores[3, 4], scores[0, 0] = 1.0, 0.64, 0.25
    view = View.from_scores(scores, height=100, width=70, patch_height=26, patch_width=16)
    score = view.attention[[1, 3, 0], [2, 4, 0]]
    made = {
        "study_id": "study-1",
        "views": (view,),
        "patches": Patches([1, 3, 0], [2, 4, 0], score, np.zeros((3, 2), np.float32)),
        "concepts": (
            Concept("small", _PRESENT, 0, 5),
            Concept("nodule", _PRESENT, 6, 12),
            Concept("upper lobe", _PLACE, 20, 30),
            Concept("effusion", _ABSENT, 40, 48),
            Concept("pneumonia", _UNSURE, 50, 59),
        ),
        "triples": [[0, 0, 1], [1, 1, 2], [1, 2, 4]],
        "fusion": (1, 1),
        **changes,
    }
    films = [{"format": "PNG"}] * len(made["views"])
    made = {"provenance": {"model": {"name": "demo", "trained": True}, "films": films}, **made}
    return Study(**made)


def _texts(figure):
    """All texts of a figure, by their group id or their words."""
    found = list(figure.texts)
    for axes in figure.axes:
        found += axes.texts
    return found


def _artist(figure, gid):
    (found,) = [artist for artist in figure.findobj() if artist.get_gid() == gid]
    return found


def test_kept_patches_are_outlined_where_they_lie_clipped_to_the_film():
    figure = draw_study(_study())
    outlines = _artist(figure, "kept-patches").get_paths()
    boxes = [tuple(path.get_extents().extents) for path in outlines]
    # x0, y0, x1, y1 in source pixels, by rank; column 4 ends at 70 not 80, row 3 at 100 not 104.
    assert boxes == [(32, 26, 48, 52), (64, 78, 70, 100), (0, 0, 16, 26)]


def test_ranks_stand_in_their_patches():
    figure = draw_study(_study())
    numbers = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert set(numbers) == {"1", "2", "3"}
    x, y = numbers["2"]
    assert 64 < x < 70
    assert 78 < y < 100


def test_the_film_is_not_distorted():
    figure = draw_study(_study(), image=np.zeros((100, 70), np.float32))
    axes = figure.axes[0]
    assert axes.get_xlim() == (0, 70)
    assert axes.get_ylim() == (100, 0)
    assert axes.get_aspect() == 1.0
    film, attention = axes.images
    assert list(film.get_extent()) == [0, 70, 100, 0]
    assert list(attention.get_extent()) == [0, 80, 104, 0]


def test_attention_is_drawn_with_its_values():
    study = _study()
    without, over = draw_study(study).axes[0].images, draw_study(study, image=np.zeros((100, 70))).axes[0].images
    assert np.array_equal(without[0].get_array(), study.attention)
    assert np.array_equal(over[1].get_array(), study.attention)
    alpha = over[1].get_alpha()
    assert alpha[1, 2] == alpha.max() < 1
    assert (alpha[study.attention == 0] == alpha.min()).all()


def test_the_fusion_edge_runs_from_its_patch_to_its_concept():
    figure = draw_study(_study())
    edge = _artist(figure, "fusion-edge")
    # The middle of patch 1 as drawn: columns 64..70, rows 78..100.
    assert edge.xy1 == (67.0, 89.0)
    assert edge.coords1 is figure.axes[0].transData
    assert tuple(edge.xy2) == _artist(figure, "concept-1").get_position()


def test_no_fusion_edge_is_said():
    figure = draw_study(_study(fusion=None))
    assert not [artist for artist in figure.findobj() if artist.get_gid() == "fusion-edge"]
    assert "no fusion edge" in caption(_study(fusion=None))


def test_polarity_is_told_by_word_shape_and_colour():
    figure = draw_study(_study())
    looks = {}
    for index, word in ((1, "present"), (3, "absent"), (4, "uncertain")):
        node = _artist(figure, f"concept-{index}")
        box = node.get_bbox_patch()
        assert f"({word})" in node.get_text()
        looks[word] = (type(box.get_boxstyle()).__name__, box.get_edgecolor())
    assert len({shape for shape, _ in looks.values()}) == 3
    assert len({colour for _, colour in looks.values()}) == 3


def test_relations_are_named():
    words = [text.get_text() for text in draw_study(_study()).axes[1].texts]
    assert words.count("modify") == 1
    assert words.count("located_at") == 1
    assert words.count("suggestive_of") == 1


def _crowded():
    """Two columns of concepts, most of them joined to their neighbours below and beside."""
    concepts = tuple(
        Concept(f"finding {i}", (_PRESENT, _UNSURE, _PLACE, _ABSENT)[i % 4], 20 * i, 20 * i + 9) for i in range(20)
    )
    triples = sorted([(i, 1 + i % 2, i + 1) for i in range(19)] + [(i, 2, i + 4) for i in range(0, 16, 3)])
    return _study(concepts=concepts, triples=triples, fusion=(0, 13))


@pytest.mark.parametrize("dots_per_inch", [72, 150])
def test_names_of_relations_and_the_fusion_edge_cover_no_concept(dots_per_inch):
    figure = draw_study(_crowded())
    figure.set_dpi(dots_per_inch)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    graph = figure.axes[1]
    nodes = [artist for artist in graph.texts if (artist.get_gid() or "").startswith("concept-")]
    names = [text for text in graph.texts if text.get_text() in ("modify", "located_at", "suggestive_of")]
    assert len(names) == 25
    lines = [text for text in graph.texts if getattr(text, "arrow_patch", None) is not None]
    assert min(node.get_zorder() for node in nodes) > max(artist.get_zorder() for artist in names + lines)
    assert graph.get_zorder() > _artist(figure, "fusion-edge").get_zorder()
    boxes = [node.get_bbox_patch().get_window_extent(renderer) for node in nodes]
    covered = sum(name.get_window_extent(renderer).overlaps(box) for name in names for box in boxes)
    assert covered <= 1, "a crowded place may be unavoidable, many are not"


@pytest.mark.parametrize("dots_per_inch", [72, 150])
def test_arrows_end_at_the_edges_of_their_boxes(dots_per_inch):
    figure = draw_study(_study())
    figure.set_dpi(dots_per_inch)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    graph = figure.axes[1]
    boxes = [_artist(figure, f"concept-{i}").get_bbox_patch().get_window_extent(renderer) for i in range(5)]
    arrows = [text for text in graph.texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 3
    for arrow, (head, _, tail) in zip(arrows, _study().triples, strict=True):
        for point, concept in ((arrow.get_position(), head), (arrow.xy, tail)):
            x, y = graph.transData.transform(point)
            box, near = boxes[concept], 0.03 * dots_per_inch
            assert box.padded(near).contains(x, y)
            assert not box.padded(-near).contains(x, y)


def test_a_study_without_a_film_is_the_graph_of_its_report(tmp_path):
    filmless = Study("told", (), Patches([], [], [], np.zeros((0, 0), np.float32)), _study().concepts, [[0, 0, 1]])
    figure = draw_study(filmless)
    assert _artist(figure, "concept-4")
    assert [text.get_text() for text in figure.axes[0].texts] == ["the study has no film"]
    assert "no film" in caption(filmless)
    save_picture(filmless, tmp_path / "a.svg")
    with pytest.raises(StudyError):
        draw_study(filmless, view=1)


def test_caption_says_what_was_kept_by_which_model_at_what_size():
    text = caption(_study(), sizes={"source": 14000, "file": 512})
    assert "study-1" in text
    assert "film 70 x 100 px" in text
    assert "grid 5 x 4 (width x height)" in text
    assert "kept 3 of 20 patches (15.0%)" in text
    assert "demo model, learnt from synthetic films and some hundred of one hospital" in text
    assert "untrained" not in text
    assert "source 14,000 bytes" in text
    assert "file 512 bytes" in text


def test_an_untrained_model_is_named_untrained():
    text = caption(_study(provenance={"model": {"name": "demo", "trained": False}}))
    assert "untrained demo model" in text


def test_a_model_of_ones_own_goes_by_its_name():
    assert "model ours" in caption(_study(provenance={"model": {"name": "ours", "trained": True}}))


def test_a_synthetic_film_says_so_and_a_real_one_does_not():
    synthetic = draw_study(_study(provenance={"films": [{"format": "phantom"}]}))
    assert "SYNTHETIC" in _artist(synthetic, "synthetic").get_text()
    assert not any("SYNTHETIC" in text.get_text() for text in _texts(draw_study(_study())))


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_same_study_gives_the_same_bytes_in_another_process(ending, tmp_path):
    study = _study()
    image = np.linspace(0, 1, 7000, dtype=np.float32).reshape(100, 70)
    here = tmp_path / f"here.{ending}"
    save_picture(study, here, image=image)
    script = (
        "import sys, runpy, numpy as np\n"
        f"made = runpy.run_path({str(Path(__file__))!r})\n"
        "image = np.linspace(0, 1, 7000, dtype=np.float32).reshape(100, 70)\n"
        f"made['save_picture'](made['_study'](), {str(tmp_path / ('there.' + ending))!r}, image=image)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONHASHSEED": "3"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    content = here.read_bytes()
    assert content == (tmp_path / f"there.{ending}").read_bytes()
    assert b"dc:date" not in content
    assert b"matplotlib v" not in content.lower()
    assert b"matplotlib.org" not in content.lower()


def test_the_users_own_style_does_not_change_the_picture(tmp_path):
    import matplotlib

    save_picture(_study(), tmp_path / "plain.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20}):
        save_picture(_study(), tmp_path / "styled.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "styled.png").read_bytes()


def test_the_png_opens_with_the_figures_size(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="needs the extra plot")
    figure = draw_study(_study())
    save_picture(_study(), tmp_path / "a.png")
    with image.open(tmp_path / "a.png") as opened:
        opened.load()
        width, height = figure.get_size_inches() * 150
        assert opened.size == (int(width), int(height))
        assert "Software" not in opened.info


def test_no_pyplot_figure_is_left_behind(tmp_path):
    save_picture(_study(), tmp_path / "a.png")
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_studies_without_concepts_or_with_awkward_ones(tmp_path):
    save_picture(_study(concepts=(), triples=np.empty((0, 3), np.int32), fusion=None), tmp_path / "none.png")
    words = ["x" * 300, "a long phrase of many words " * 8, "$\\frac{a}{b}", "胸水 \N{FIRE}", "<b>&amp;"]
    concepts = tuple(Concept(word.strip(), _PRESENT, 400 * i, 400 * i + 1) for i, word in enumerate(words))
    for ending in ("png", "svg"):
        save_picture(_study(concepts=concepts, triples=[[0, 2, 1]], fusion=(0, 2)), tmp_path / f"words.{ending}")
    assert (tmp_path / "words.svg").stat().st_size > 1000


def test_large_report_graphs_are_cut_and_say_so():
    many = tuple(Concept(f"finding {i}", _PRESENT, 20 * i, 20 * i + 9) for i in range(120))
    study = _study(concepts=many, triples=[[0, 2, 119]], fusion=(0, 119))
    figure = draw_study(study)
    assert "80 of 120 concepts shown" in caption(study)
    # The fused concept is always among them.
    assert _artist(figure, "concept-119")


def test_a_map_without_attention_is_drawn():
    view = View.from_scores(np.zeros((4, 5)), height=100, width=70, patch_height=26, patch_width=16)
    patches = Patches([0], [0], [0.0], np.zeros((1, 2), np.float32))
    draw_study(_study(views=(view,), patches=patches, fusion=None))


def test_the_other_film_of_a_study():
    first = View.from_scores(np.full((2, 2), 0.5), height=64, width=64, patch_height=32, patch_width=32)
    second = View.from_scores(np.full((3, 1), 1.0), height=90, width=30, patch_height=30, patch_width=30)
    patches = Patches(
        [2, 0], [0, 1], [second.attention[2, 0], first.attention[0, 1]], np.zeros((2, 2), np.float32), [1, 0]
    )
    study = _study(views=(first, second), patches=patches, fusion=(0, 1))
    zero, one = draw_study(study, view=0), draw_study(study, view=1)
    assert [text.get_text() for text in zero.axes[0].texts] == ["2"]
    assert [text.get_text() for text in one.axes[0].texts] == ["1"]
    assert _artist(one, "fusion-edge").xy1 == (15.0, 75.0)
    assert "fusion edge starts on another film" in caption(study, view=0)
    with pytest.raises(StudyError) as caught:
        draw_study(study, view=2)
    assert caught.value.code == "E_IDX"


def test_an_image_of_another_film_is_refused_and_a_smaller_copy_is_not():
    draw_study(_study(), image=np.zeros((50, 35), np.float32))
    with pytest.raises(SourceError) as caught:
        draw_study(_study(), image=np.zeros((70, 100), np.float32))
    assert caught.value.code == "E_SOURCE_SIZE"
    with pytest.raises(SourceError) as caught:
        draw_study(_study(), image=np.zeros((100, 70, 3), np.float32))
    assert caught.value.code == "E_SOURCE_KIND"


def test_only_png_and_svg_are_written(tmp_path):
    with pytest.raises(OutputError) as caught:
        save_picture(_study(), tmp_path / "a.jpg")
    assert caught.value.code == "E_OUTPUT"
    assert not list(tmp_path.iterdir())


def test_a_failed_picture_leaves_the_old_one(tmp_path):
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    with pytest.raises(SourceError):
        save_picture(_study(), target, image=np.zeros((7, 100), np.float32))
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def refuse(name, *arguments, **keywords):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError) as caught:
        draw_study(_study())
    assert "'.[plot]'" in caught.value.message
