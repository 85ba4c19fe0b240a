"""The listener on the loopback interface, called by pynetdicom."""

from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread

from neuralgraph.errors import OutputError, SourceError
from neuralgraph.pacs.listener import Listener
from neuralgraph.pacs.send import sender
from neuralgraph.pacs.spool import Spool
from tests.pacs.conftest import film
from tests.sources.conftest import make_dicom

# pynetdicom leaves the socket of a call that nobody took to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
CR = "1.2.840.10008.5.1.4.1.1.1"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"


def call(port, *files, title="NEURALGRAPH", own="MODALITY", syntaxes=("1.2.840.10008.1.2.1",)):
    """Statuses of files sent; None where the call is not taken."""
    from pynetdicom import AE

    entity = AE(ae_title=own)
    for syntax in syntaxes:
        entity.add_requested_context(CR, syntax)
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate("127.0.0.1", port, ae_title=title)
    if not association.is_established:
        return None
    statuses = [association.send_c_echo().Status]
    statuses += [association.send_c_store(dcmread(BytesIO(data))).Status for data in files]
    association.release()
    return statuses


@pytest.fixture
def heard():
    return []


@pytest.fixture
def listener(tmp_path, heard):
    with Listener(Spool(tmp_path / "spool"), port=0, callers=["MODALITY"], told=heard.append) as listening:
        yield listening


def test_films_arrive_as_they_were_sent(listener, tmp_path, heard):
    plain = film(StudyDescription="Thorax")
    packed = make_dicom(
        np.zeros((16, 16), np.uint8),
        syntax=JPEG_LOSSLESS,
        stream=b"\xff\xd8 anything \xff\xd9\0",
        StudyInstanceUID="1.2.3",
        SOPInstanceUID="1.2.3.5",
    )
    assert call(listener.port, plain, plain, packed, syntaxes=("1.2.840.10008.1.2.1", JPEG_LOSSLESS)) == [0, 0, 0, 0]
    assert heard == ["stored", "repeated", "stored"]
    files = sorted((tmp_path / "spool").rglob("*.dcm"))
    assert [path.relative_to(tmp_path / "spool").as_posix() for path in files] == [
        "1.2.3/1.2.3.4.dcm",
        "1.2.3/1.2.3.5.dcm",
    ]
    kept = dcmread(files[0])
    assert kept == dcmread(BytesIO(plain))
    assert dcmread(files[1]).PixelData == dcmread(BytesIO(packed)).PixelData
    assert dcmread(files[1]).file_meta.TransferSyntaxUID == JPEG_LOSSLESS
    assert [path.stat().st_mode & 0o77 for path in (*files, files[0].parent)] == [0, 0, 0]


def test_who_may_call(listener):
    assert call(listener.port, own="STRANGER") is None
    assert call(listener.port, title="OTHER") is None
    assert call(listener.port) == [0]


def test_what_cannot_be_kept_stays_with_the_sender(listener, tmp_path, heard):
    spool = tmp_path / "spool"
    assert call(listener.port, film(study="")) == [0, 0xC000]
    (spool / "1.2.9").write_text("in the way")
    assert call(listener.port, film(study="1.2.9")) == [0, 0xA700]
    assert heard == ["E_SOURCE_DAMAGED", "E_OUTPUT"]


def test_spool_paths_stay_inside(tmp_path):
    spool = Spool(tmp_path)
    for study, instance in (
        ("../x", "1.2"),
        ("1.2", "a"),
        ("1.2", "1" * 65),
        ("", "1.2"),
        ("1.2", "1.2/3"),
        ("..", "1.2"),
    ):
        with pytest.raises(SourceError):
            spool.path(study, instance)


def test_places_that_cannot_be_listened_at(tmp_path, listener):
    with pytest.raises(OutputError), Listener(Spool(tmp_path), port=listener.port):
        pass
    with pytest.raises(OutputError), Listener(Spool(tmp_path), title="A" * 17, port=0):
        pass


def test_addresses():
    for address in ("nowhere", "TITLE@host", "TITLE@127.0.0.1:1"):
        with pytest.raises(OutputError), sender(address):
            pass
