"""The listener on the loopback interface, called by pynetdicom."""

import os
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread

from neuralgraph.errors import OutputError, SourceError
from neuralgraph.pacs.listener import Listener
from neuralgraph.pacs.send import sender
from neuralgraph.pacs.spool import Spool
from tests.pacs.conftest import film
from tests.sources.conftest import make_dicom, ramp

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


def test_what_is_sent_again_with_other_content_is_kept_as_its_correction(listener, tmp_path, heard):
    first, second = film(PatientName="Doe^Jane"), film(PatientName="Doe^Janet")
    moved = film(study="1.2.4", PatientName="Doe^Janet")
    assert call(listener.port, first, second, second, moved, first) == [0, 0, 0, 0, 0, 0]
    assert heard == ["stored", "corrected", "repeated", "corrected", "corrected"]
    spool = tmp_path / "spool"
    held = {
        path.relative_to(spool).as_posix(): (dcmread(path).PatientName, dcmread(path).StudyInstanceUID)
        for path in spool.rglob("*.dcm")
    }
    assert held == {
        "1.2.3/.superseded/1.2.3.4.dcm": ("Doe^Jane", "1.2.3"),
        "1.2.3/.superseded/1.2.3.4-2.dcm": ("Doe^Janet", "1.2.3"),
        "1.2.4/.superseded/1.2.3.4-3.dcm": ("Doe^Janet", "1.2.4"),
        "1.2.3/1.2.3.4-4.dcm": ("Doe^Jane", "1.2.3"),
    }
    assert all(path.stat().st_mode & 0o77 == 0 for path in spool.rglob("*"))


def rle(pixels):
    """Run-length encoding (PS3.5 annex G) without a run."""
    rows = b"".join(bytes([row.size - 1]) + row.tobytes() for row in pixels)
    header = np.zeros(16, "<u4")
    header[:2] = 1, 64
    return header.tobytes() + rows + b"\0" * (len(rows) % 2)


def test_the_same_object_in_another_encoding_is_no_correction(tmp_path):
    spool = Spool(tmp_path)
    implicit = make_dicom(
        ramp(16, 16, np.uint8), syntax="1.2.840.10008.1.2", StudyInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4"
    )
    explicit = make_dicom(ramp(16, 16, np.uint8), StudyInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4")
    packed = make_dicom(
        ramp(16, 16, np.uint8),
        syntax="1.2.840.10008.1.2.5",
        stream=rle(ramp(16, 16, np.uint8)),
        StudyInstanceUID="1.2.3",
        SOPInstanceUID="1.2.3.4",
    )
    other = make_dicom(ramp(16, 16, np.uint8)[::-1], StudyInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4")
    assert [spool.add("1.2.3", "1.2.3.4", data) for data in (explicit, implicit, packed)] == [
        "stored",
        "repeated",
        "repeated",
    ]
    assert spool.add("1.2.3", "1.2.3.4", other) == "corrected"
    # A new process finds what lies there.
    assert Spool(tmp_path).add("1.2.3", "1.2.3.4", other) == "repeated"
    # What cannot be read is never thrown away for what can.
    assert spool.add("1.2.3", "1.2.3.4", other[:-100]) == "corrected"


def test_a_correction_that_was_interrupted_is_put_in_order(tmp_path):
    spool = Spool(tmp_path)
    spool.add("1.2.3", "1.2.3.4", film())
    (tmp_path / "1.2.3" / "1.2.3.4-2.dcm").write_bytes(film(PatientName="Doe^Janet"))
    stale, fresh = (tmp_path / "1.2.3" / f".ngr-{name}.partial" for name in ("stale", "fresh"))
    for path in (stale, fresh):
        path.write_bytes(b"x")
    os.utime(stale, (0, 0))
    again = Spool(tmp_path)
    assert again.holds("1.2.3", "1.2.3.4")
    assert not again.holds("1.2.9", "1.2.3.4")
    assert sorted(path.name for path in (tmp_path / "1.2.3").iterdir()) == [
        ".ngr-fresh.partial",
        ".superseded",
        "1.2.3.4-2.dcm",
    ]


def test_a_conversion_that_continues_sees_a_correction(tmp_path):
    from neuralgraph.bulk import make_plan
    from neuralgraph.bulk.pseudonyms import Pseudonyms
    from neuralgraph.sources.layouts import Roots, resolve_manifest

    def planned():
        return make_plan(resolve_manifest(Roots(tmp_path), "dicom"), Pseudonyms(b"0123456789abcdef"))

    spool = Spool(tmp_path)
    spool.add("1.2.3", "1.2.3.4", film())
    (before,) = planned().studies
    spool.add("1.2.3", "1.2.3.4", film(PatientName="Doe^Janet"))
    (after,) = planned().studies
    assert before.study_id == after.study_id
    assert before.given != after.given


def test_a_message_without_end_is_cut_off(tmp_path, heard, monkeypatch):
    monkeypatch.setattr("neuralgraph.pacs.listener._MAX_BYTES", 100_000)
    monkeypatch.setattr("neuralgraph.pacs.listener._MAX_COMMAND_BYTES", 10_000)
    with Listener(Spool(tmp_path), port=0, told=heard.append) as listening:
        large = make_dicom(np.zeros((1000, 1000), np.uint8), StudyInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4")
        with pytest.raises((AttributeError, RuntimeError, ValueError)):
            call(listening.port, large)
        assert call(listening.port, film()) == [0, 0]
    assert heard == ["E_SOURCE_SIZE", "stored"]


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
