"""Kept patches as a segmentation: the pixels of hand-computed patches, and nothing else, as others read them."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from builders import build_study
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application
from neuralgraph.errors import SourceError, StudyError
from neuralgraph.graph.patches import Patches
from neuralgraph.graph.view import View
from neuralgraph.pacs.finding_codes import FindingCode
from neuralgraph.pacs.identity import read_source
from neuralgraph.pacs.segmentation import kept_mask, segmentation_object
from neuralgraph.storage.save import save
from tests.pacs.conftest import stored, told
from tests.sources.conftest import make_dicom

pytest.importorskip("highdicom", reason="the extra pacs is not installed")


def small(places, *, height, width, rows, cols, facts=None):
    """A study of one film with these patches of 8 x 8, (row, col) each, most attended first."""
    scores = np.zeros((rows, cols), np.float32)
    for number, place in enumerate(places):
        scores[place] = len(places) - number
    view = View.from_scores(scores, height=height, width=width, patch_height=8, patch_width=8, position="PA")
    row, col = np.array(places).T
    patches = Patches(row, col, view.attention[row, col], np.ones((len(places), 4), np.float32), np.zeros_like(row))
    provenance = {"films": [facts or {}]}
    return replace(build_study(), views=(view,), patches=patches, provenance=provenance, fusion=None)


def film_of(path, height, width):
    pixels = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    uids = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1", "SOPInstanceUID": "1.2.3.4"}
    path.write_bytes(make_dicom(pixels, StudyTime="101500", **uids))
    return read_source(path)


def test_the_pixels_are_those_of_the_patches_to_the_border(tmp_path):
    # 21 x 13 pixels in patches of 8: the grid has 3 x 2 cells, padded below and to the right.
    study = small([(0, 0), (2, 1), (1, 1)], height=21, width=13, rows=3, cols=2)
    truth = np.zeros((21, 13), np.uint8)
    truth[0:8, 0:8] = 1
    truth[8:16, 8:13] = 1
    truth[16:21, 8:13] = 1
    made = stored(segmentation_object(study, 0, film_of(tmp_path / "film.dcm", 21, 13)))
    assert (made.Rows, made.Columns, made.NumberOfFrames, made.BitsAllocated) == (21, 13, 1, 1)
    np.testing.assert_array_equal(made.pixel_array, truth)
    from highdicom import seg

    read = seg.Segmentation.from_dataset(made)
    given = read.get_pixels_by_source_instance(["1.2.3.4"], ignore_spatial_locations=True)
    np.testing.assert_array_equal(given[0, :, :, 0], truth)


def test_a_turned_film_and_pixels_that_are_not_square_are_undone():
    # Stored 12 high and 32 wide, pixels twice as tall as wide: 24 x 32 in square ones, hung as 32 x 24.
    facts = {"turned": "quarter turn left", "stored_size": [12.0, 32.0]}
    study = small([(0, 0)], height=32, width=24, rows=4, cols=3, facts=facts)
    truth = np.zeros((12, 32), np.bool_)
    # The upper left corner came from the upper right one: 8 columns, and 8 square rows are 4 stored ones.
    truth[0:4, 24:32] = True
    np.testing.assert_array_equal(kept_mask(study, 0), truth)


def test_patches_that_touch_share_no_pixel_on_a_coarser_film():
    # 15 stored rows of 24 square ones: edges lie at 5 and 10.
    study = small([(0, 0), (1, 0), (2, 0)], height=24, width=8, rows=3, cols=1, facts={"stored_size": [15.0, 8.0]})
    assert kept_mask(study, 0).all()
    coarse = {"height": 24, "width": 8, "rows": 3, "cols": 1, "facts": {"stored_size": [11.0, 8.0]}}
    parts = [kept_mask(small([(row, 0)], **coarse), 0) for row in range(3)]
    np.testing.assert_array_equal(np.sum(parts, axis=0), np.ones((11, 8)))


def test_it_says_what_it_is(source):
    study = told()
    made = stored(segmentation_object(study, 0, source))
    assert made.SOPClassUID.name == "Segmentation Storage"
    assert (made.PatientID, made.StudyInstanceUID, made.Modality) == ("4711", "1.2.3", "SEG")
    assert (made.SegmentationType, made.Manufacturer, made.SoftwareVersions) == (
        "BINARY",
        "neuralgraph",
        ng.__version__,
    )
    (segment,) = made.SegmentSequence
    (kind,), (category,) = segment.SegmentedPropertyTypeCodeSequence, segment.SegmentedPropertyCategoryCodeSequence
    assert kind.CodeValue == "kept-patch"
    from pydicom.sr.codedict import codes

    real = codes.cid7150.SpatialAndRelationalConcept
    assert FindingCode(category.CodeValue, category.CodingSchemeDesignator, category.CodeMeaning) == real[:3]
    assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName) == ("AUTOMATIC", "neuralgraph")
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert algorithm.AlgorithmVersion == ng.__version__
    text = json.dumps(made.to_json_dict())
    for words in (algorithm.AlgorithmParameters, made.ContentDescription, made.SeriesDescription, segment.SegmentLabel):
        assert "not for primary interpretation" in words
    assert "Secret" not in text


def test_the_same_study_makes_the_same_object(source):
    one, two = (stored(segmentation_object(told(), 0, source)) for _ in range(2))
    assert one == two
    assert one.to_json() == two.to_json()


def test_what_cannot_be_made(source, tmp_path):
    with pytest.raises(SourceError, match="not the one"):
        segmentation_object(told(), 0, film_of(tmp_path / "other.dcm", 21, 13))
    bare = build_study(patches=0)
    with pytest.raises(StudyError, match="no patch"):
        segmentation_object(bare, 0, source)


def test_the_command(folder):
    save(told(), folder / "told.ngr")
    arguments = ["export", str(folder / "told.ngr"), "--to", "seg", "-o", str(folder / "seg.dcm")]
    export = application(["export", "view"])
    run = CliRunner().invoke(export, [*arguments, "--source", str(folder / "film.dcm")])
    assert run.exit_code == 0, run.output
    from pydicom import dcmread

    np.testing.assert_array_equal(dcmread(folder / "seg.dcm").pixel_array, kept_mask(told(), 0))
    for wrong in ([], ["--source", "a.dcm", "--source", "b.dcm"]):
        assert CliRunner().invoke(export, [*arguments, *wrong]).exit_code == 2
    if shutil.which("dcmdump"):
        dump = subprocess.run(["dcmdump", folder / "seg.dcm"], capture_output=True, text=True, check=False)
        assert (dump.returncode, dump.stderr) == (0, "")
        assert "=SegmentationStorage" in dump.stdout
