from dataclasses import replace

import numpy as np
import pytest
from builders import build_study

from neuralgraph.errors import SourceError
from neuralgraph.pacs import ngr_bytes, raw_data_object
from neuralgraph.pacs.identity import made_uid, read_source, stored_size
from neuralgraph.pacs.overlay import overlay_object, patch_frames
from tests.pacs.conftest import HEIGHT, film, stored


@pytest.mark.parametrize("extra", [b"", b"x"])
def test_the_bytes_come_back(folder, source, extra):
    data = (folder / "film.ngr").read_bytes() + extra
    made = stored(raw_data_object(data, source))
    assert ngr_bytes(made) == data
    assert made.SOPClassUID.name == "Raw Data Storage"
    assert (made.PatientID, made.StudyInstanceUID, made.AccessionNumber) == ("4711", "1.2.3", "A1")
    assert made.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
    assert made.SeriesInstanceUID != source.SeriesInstanceUID


def test_the_same_file_makes_the_same_object(folder, source):
    data = (folder / "film.ngr").read_bytes()
    one, two = raw_data_object(data, source), raw_data_object(data, source)
    assert one == two
    assert one.SOPInstanceUID != raw_data_object(data + b"x", source).SOPInstanceUID


def test_objects_of_others(folder, source):
    made = raw_data_object((folder / "film.ngr").read_bytes(), source)
    with pytest.raises(SourceError, match="not an"):
        raw_data_object(b"\x89PNG", source)
    with pytest.raises(SourceError, match="not a Raw Data object"):
        ngr_bytes(source)
    made[0x0071, 0x1002].value += 3
    with pytest.raises(SourceError, match="damaged"):
        ngr_bytes(made)
    del made[0x0071, 0x1001]
    with pytest.raises(SourceError, match="somebody else"):
        ngr_bytes(made)


def test_overlay(source):
    study = build_study()
    made = stored(overlay_object(study, 0, source))
    assert made.SOPClassUID.name == "Grayscale Softcopy Presentation State Storage"
    (image,) = made.ReferencedSeriesSequence[0].ReferencedImageSequence
    assert image.ReferencedSOPInstanceUID == "1.2.3.4"
    drawn = made.GraphicAnnotationSequence[0].GraphicObjectSequence
    assert len(drawn) == (study.patches.view == 0).sum()
    corners = np.array(drawn[0].GraphicData).reshape(-1, 2)
    view, patches = study.views[0], study.patches
    assert corners[0].tolist() == [patches.col[0] * view.patch_width, patches.row[0] * view.patch_height]
    assert stored(overlay_object(study, 0, source)).to_json() == made.to_json()


def test_frames_end_at_the_border():
    study = build_study()
    view = study.views[0]
    for corners in patch_frames(study, 0):
        assert corners.shape == (5, 2)
        assert (corners >= 0).all()
        assert (corners <= [view.width, view.height]).all()
        assert corners[0].tolist() == corners[-1].tolist()


def test_films_of_other_studies(tmp_path):
    (tmp_path / "film.dcm").write_bytes(film(height=HEIGHT - 1))
    with pytest.raises(SourceError, match="not the one"):
        overlay_object(build_study(), 0, read_source(tmp_path / "film.dcm"))


def test_identifiers():
    assert made_uid("a", "b", b"c") == made_uid("a", b"b", "c")
    assert made_uid("a", "bc") != made_uid("a", "b", "c")
    assert all(len(made_uid("x", str(number))) <= 64 for number in range(50))


def test_sources(tmp_path):
    (tmp_path / "none.dcm").write_bytes(film(study=""))
    with pytest.raises(SourceError, match="StudyInstanceUID"):
        read_source(tmp_path / "none.dcm")
    (tmp_path / "text").write_text("text")
    with pytest.raises(SourceError) as caught:
        read_source(tmp_path / "text")
    assert caught.value.code == "E_SOURCE_TYPE"


def test_frames_lie_on_the_film_as_it_is_stored():
    # A film of 40 x 30 pixels twice as tall as wide, lying on its side: stored 15 high.
    made = build_study()
    view = made.views[0]
    facts = {"turned": "quarter turn left", "stored_size": [float(view.width) / 2, float(view.height)]}
    study = replace(made, provenance={**made.provenance, "films": [facts]})
    assert stored_size(study, 0) == (round(view.width / 2), view.height)
    plain, undone = list(patch_frames(made, 0)), list(patch_frames(study, 0))
    for before, after in zip(plain, undone, strict=True):
        # To the left again: what is at the top was at the right, and rows are twice as coarse.
        assert after.tolist() == [[view.height - row, column / 2] for column, row in before.tolist()]
    unknown = replace(made, provenance={**made.provenance, "films": [{"turned": "inside out", "stored_size": "x"}]})
    assert [corners.tolist() for corners in patch_frames(unknown, 0)] == [corners.tolist() for corners in plain]
