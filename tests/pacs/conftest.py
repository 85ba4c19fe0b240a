import gc
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.storage.save import save
from tests.sources.conftest import make_dicom, ramp

HEIGHT, WIDTH = build_study().views[0].height, build_study().views[0].width


def film(study="1.2.3", instance="1.2.3.4", height=HEIGHT, **elements):
    """A film of a patient with a name, as bytes, of the size of the study of these tests."""
    return make_dicom(
        ramp(height, WIDTH, np.uint8),
        StudyInstanceUID=study,
        SeriesInstanceUID=f"{study}.1",
        SOPInstanceUID=instance,
        PatientID="4711",
        PatientBirthDate="19420317",
        AccessionNumber="A1",
        StudyTime="101500",
        **elements,
    )


@pytest.fixture(autouse=True)
def _no_socket_is_left_to_others():
    """Sockets that a library leaves to the garbage collector are found here, where that is expected."""
    yield
    gc.collect()


@pytest.fixture
def folder(tmp_path):
    """A film and its study."""
    (tmp_path / "film.dcm").write_bytes(film())
    save(build_study(), tmp_path / "film.ngr")
    return tmp_path


@pytest.fixture
def source(folder):
    from neuralgraph.pacs.identity import read_source

    return read_source(folder / "film.dcm")


def stored(dataset):
    """As an archive gives it back."""
    from pydicom import dcmread

    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return dcmread(BytesIO(stream.getvalue()))


TEXT = "Moderate left pleural effusion. No pneumothorax. Possible hiatal hernia at the left lower lobe. Secret words."


def told(**fields):
    """A study that says: left pleural effusion (moderate), no pneumothorax, perhaps a hernia in the lower lobe."""

    def concept(text, label):
        start = max(TEXT.lower().find(text), 0)
        return ng.Concept(text, label, start, start + len(text))

    present, place = "Observation::definitely present", "Anatomy::definitely present"
    concepts = (
        concept("moderate", present),
        concept("left", place),
        concept("pleural effusion", present),
        concept("pneumothorax", "Observation::definitely absent"),
        concept("hiatal hernia", "Observation::uncertain"),
        concept("lower lobe", place),
    )
    triples = [(0, 0, 2), (1, 0, 2), (4, 1, 5)]
    made = build_study(concepts=0, patches=4)
    return replace(made, **{"concepts": concepts, "triples": triples, "fusion": (1, 2), "report": TEXT, **fields})
