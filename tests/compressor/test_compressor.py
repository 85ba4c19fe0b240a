"""The compressor joins its parts; a scorer made of plain numbers stands in for the model where its values matter."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import neuralgraph as ng
from neuralgraph.compressor import AttentionMass, Compressor, TopFraction, TopK
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.graph.origin import graph_origin

SHARED = Path(os.environ.get("NEURALGRAPH_SHARED", Path(__file__).parents[3] / "shared")) / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared films are not at hand")


@dataclass
class PlainScorer:
    """Patches of 16 pixels; the score of a patch is its mean, its embedding its number and its mean."""

    name: str = "plain"
    digest: str = "0" * 64
    trained: bool = True

    @property
    def record(self):
        return {
            "model": self.name,
            "digest": self.digest,
            "trained": self.trained,
            "layer": -1,
            "heads": "mean",
            "dtype": "float32",
        }

    def __call__(self, films, reports, *, words=False):
        results = []
        for film, report in zip(films, reports, strict=True):
            rows, cols = -(-film.shape[0] // 16), -(-film.shape[1] // 16)
            score = np.array(
                [[film[16 * r : 16 * r + 16, 16 * c : 16 * c + 16].mean() for c in range(cols)] for r in range(rows)],
                np.float32,
            ).ravel()
            embedding = np.stack([np.arange(rows * cols), score], axis=1).astype(np.float32)
            text = report if report is not None else "no acute disease"
            results.append(ScoredFilm(embedding, score, rows, cols, 16.0, 16.0, text, report is None, 3))
        return results


@pytest.fixture
def plain():
    return Compressor(PlainScorer(), TopK(3), extractor("rules"))


@pytest.fixture
def bright_corner():
    """40 x 56 pixels, a grid of 3 x 4: bright at the top left, less bright beside it and at the bottom right."""
    film = np.full((40, 56), 0.1)
    film[:16, :16] = 0.9
    film[:16, 16:32] = 0.8
    film[32:, 48:] = 0.7
    return film


def test_hand_computed_study(plain, bright_corner):
    study = plain(bright_corner, "No pneumonia. Right lower lobe opacity.", labels={"pneumonia": 0})
    assert study.grid == (3, 4)
    assert study.patches.row.tolist() == [0, 0, 2]
    assert study.patches.col.tolist() == [0, 1, 3]
    assert study.patches.score == pytest.approx([0.9, 0.8, 0.7])
    assert study.patches.embedding[:, 0].tolist() == [0, 1, 11]
    assert study.edges.tolist() == [[0, 1]]
    assert study.attention == pytest.approx(np.array([[0.9, 0.8, 0.1, 0.1], [0.1] * 4, [0.1, 0.1, 0.1, 0.7]]), rel=0.02)
    assert study.views[0].box(2, 3) == (32.0, 48.0, 40.0, 56.0)
    assert [c.label for c in study.concepts if c.text == "pneumonia"] == ["Observation::definitely absent"]
    assert study.labels == {"pneumonia": 0.0}
    assert study.provenance["report"] == "given"
    assert study.provenance["prune"] == {"policy": "top_k", "value": 3}
    assert study.fusion is not None
    assert study.fusion[0] == 0  # no patch lies between others: all zero, the strongest wins
    assert study.report is None
    assert study.pixels is None


def test_spans_point_into_the_report(plain, bright_corner):
    report = "No pneumonia. Right lower lobe opacity."
    study = plain(bright_corner, report)
    assert {report[c.start : c.end].lower() for c in study.concepts} >= {"pneumonia", "opacity"}


def test_without_report_the_model_writes_and_the_study_says_so(plain, bright_corner):
    for report in (None, "", "  \n"):
        study = plain(bright_corner, report)
        assert study.provenance["report"] == "generated"
        # Nothing of what it wrote stands where a radiologist's words would.
        assert (study.concepts, study.triples.shape, study.fusion) == ((), (0, 3), None)
        asked = plain(bright_corner, report, store_report=True, store_words=True)
        assert (asked.report, asked.word_attention) == (None, None)


def test_the_graph_of_a_generated_report_is_kept_when_it_is_asked_for_and_marked(plain, bright_corner):
    asked = replace(plain, generated_graph=True)
    study = asked(bright_corner, None, store_report=True)
    assert study.concepts
    assert study.report
    assert study.provenance["report"] == "generated"
    assert graph_origin(study.provenance, len(study.concepts)) == "generated"
    # With a report it changes nothing.
    assert asked(bright_corner, "Opacity.").digest == plain(bright_corner, "Opacity.").digest


def test_no_concepts_no_fusion(bright_corner):
    study = Compressor(PlainScorer(), TopK(3), extractor("none"))(bright_corner, "Opacity.")
    assert study.concepts == ()
    assert study.fusion is None


def test_id_comes_from_the_content_and_labels_nothing_of_the_source(plain, bright_corner, tmp_path):
    first, again = plain(bright_corner, "Opacity."), plain(bright_corner, "Opacity.")
    other = plain(bright_corner, "Effusion.")
    assert first.study_id == again.study_id
    assert first.study_id != other.study_id
    assert plain(bright_corner, "Opacity.", study_id="given-7").study_id == "given-7"


def test_pixels_are_cut_from_the_film(plain, bright_corner):
    study = plain(bright_corner, "Opacity.", store_pixels=True)
    assert study.pixels is not None
    assert study.pixels.shape == (3, 16, 16)
    assert study.pixels.dtype == np.uint8
    assert (study.pixels[0] == round(0.9 * 255)).all()
    assert (study.pixels[2, :8, :8] == round(0.7 * 255)).all()
    assert (study.pixels[2, 8:] == 0).all()  # beyond the edge of the film


def test_report_is_stored_on_request_only(plain, bright_corner):
    assert plain(bright_corner, "Opacity.", store_report=True).report == "Opacity."
    data = ng.to_bytes(plain(bright_corner, "Opacity in the old fracture of Mr Quixotic."))
    assert b"Quixotic" not in data


def test_two_views_are_pruned_together(plain, bright_corner):
    lateral = np.full((32, 32), 0.85)
    study = plain([bright_corner, lateral], "Opacity.")
    assert [(v.rows, v.cols) for v in study.views] == [(3, 4), (2, 2)]
    assert study.patches.view.tolist() == [0, 1, 1]
    assert study.patches.row.tolist() == [0, 0, 0]
    assert study.patches.col.tolist() == [0, 0, 1]
    assert study.edges.tolist() == [[1, 2]]
    assert ng.load_bytes(ng.to_bytes(study)).digest == study.digest


def test_pruning_a_stored_study_equals_compressing_harder(plain, bright_corner):
    soft = replace(plain, policy=TopFraction(0.9))(bright_corner, "Opacity and effusion.", study_id="a")
    hard = replace(plain, policy=TopFraction(0.3))(bright_corner, "Opacity and effusion.", study_id="a")
    assert ng.load_bytes(ng.to_bytes(soft)).prune(retain=0.3).digest == hard.digest


def test_mass_policy_is_recorded(plain, bright_corner):
    study = replace(plain, policy=AttentionMass(0.5))(bright_corner, "Opacity.")
    assert study.provenance["prune"] == {"policy": "mass", "value": 0.5}


def test_batch_equals_one_at_a_time(plain, bright_corner):
    pairs = [(bright_corner, "Opacity."), (bright_corner[::-1].copy(), None)]
    assert [s.digest for s in plain.batch(pairs)] == [plain(*pair).digest for pair in pairs]


@pytest.fixture(scope="module")
def demo():
    return Compressor.from_pretrained("demo")


@needs_shared
def test_every_shared_film_becomes_a_valid_file(demo):
    with (SHARED / "cxr" / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 25
    for row in rows:
        report = (SHARED / "cxr" / row["report"]).read_text() if row["report"] else None
        study = demo(SHARED / "cxr" / row["image"], report, labels={"pneumonia": float(row["pneumonia"])})
        data = ng.to_bytes(study, embedding="bfloat16")
        assert ng.validate_bytes(data).problems == ()
        assert study.provenance["report"] == ("given" if report else "generated")
        height, width = study.views[0].height, study.views[0].width
        assert study.grid[0] * study.views[0].patch_height >= height * (1 - 1e-6)
        assert (study.grid[1] - 1) * study.views[0].patch_width < width
        assert len(study.patches) == -(-23 * study.n_cells // 1000)


@needs_shared
def test_monochrome1_film_comes_out_with_bright_bones(demo):
    from neuralgraph.sources import read_film

    film = read_film(SHARED / "dicom" / "rg1_cr_monochrome1.dcm")
    height, width = film.pixels.shape
    spine = film.pixels[height // 2 : height * 3 // 4, width * 48 // 100 : width * 52 // 100].mean()
    lung = film.pixels[height * 3 // 10 : height * 4 // 10, width * 7 // 10 : width * 8 // 10].mean()
    assert film.facts["photometric"] == "MONOCHROME1"
    assert spine > 0.8 > 0.6 > lung


def test_same_input_same_bytes(demo):
    from neuralgraph.phantoms import phantom

    made = phantom(3, height=200, width=330)
    first, again = (ng.to_bytes(demo(made.pixels, made.report)) for _ in range(2))
    assert first == again


def test_the_words_that_say_where_a_finding_is_are_counted_with_it():
    from neuralgraph.compressor.compressor import present_findings
    from neuralgraph.compressor.report_graph import extractor

    reader = extractor("rules", sections="findings+impression")
    text = "Opacity in the right lower lobe. No effusion on the left."
    said = [text[start:end] for start, end in present_findings(reader, text)]
    assert said == ["Opacity", "right", "lower lobe"]
