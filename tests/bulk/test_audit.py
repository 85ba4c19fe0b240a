import base64
import gzip
import hashlib
from io import BytesIO

import numpy as np
import pytest

from neuralgraph.bulk import ConversionSettings
from neuralgraph.bulk.audit import audit
from neuralgraph.bulk.identifiers import (
    Identifier,
    identifiers_of_dicom,
    identifiers_of_folder,
    identifiers_of_list,
    identifiers_of_manifest,
)
from neuralgraph.errors import SourceError
from neuralgraph.storage.archive import load
from neuralgraph.storage.save import save

NAME = "Müller-Xanthippe"


def film_of_a_talkative_patient(**elements):
    """A film with a distinctive value in every element of the dictionary that can hold text, and in private ones."""
    from pydicom.datadict import DicomDictionary
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import ExplicitVRLittleEndian

    forms = {"UI": "1.2.826.0.1.4711.{}", "DA": "19420317", "DT": "19420317081500", "TM": "081533", "UR": "urn:phi:{}"}
    dataset = Dataset()
    for tag, (representation, multiplicity, _, retired, _) in sorted(DicomDictionary.items()):
        if representation not in ("AE", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"):
            continue
        if tag >> 16 in (0x0000, 0x0002, 0x0004) or retired or multiplicity not in ("1", "1-n"):
            continue
        value = forms.get(representation, "Phi{}Phi")
        dataset.add_new(tag, representation, value.format(tag if representation == "UI" else f"{tag:08x}"))
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = f"{NAME}^Quodlibet=="
    dataset.SOPClassUID, dataset.Modality, dataset.ViewPosition = "1.2.840.10008.5.1.4.1.1.1", "CR", "PA"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 64
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.private_block(0x0099, "PHICREATOR", create=True).add_new(1, "LO", "PHIPRIVATE")
    dataset.add_new("PixelData", "OB", np.tile(np.arange(64, dtype=np.uint8) * 4, 64).tobytes())
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def test_nothing_of_a_talkative_header_or_report_gets_through(bench):
    film = bench.source / f"{NAME}.dcm"
    film.write_bytes(film_of_a_talkative_patient())
    film.with_suffix(".txt").write_text(
        f"INDICATION: {NAME}, born 17.03.1942.\n\nIMPRESSION:\nClear.", encoding="utf-8"
    )
    (bench.source / "Broken-Xerxes.dcm").write_bytes(film.read_bytes()[:5000])
    known = identifiers_of_dicom(film)
    assert len(known) > 700
    assert {"PatientName", "AccessionNumber", "StudyInstanceUID"} <= {one.name for one in known}
    assert {NAME, "1942-03-17", "17.03.1942", "PHIPRIVATE"} <= {one.value for one in known}
    known += [Identifier("file", NAME), Identifier("folder", str(bench.source)), Identifier("file", "Broken-Xerxes")]
    outcome = bench.run(settings=ConversionSettings(store_report=True, store_pixels=True))
    assert (outcome.converted, outcome.failed) == (1, 1)
    assert len(list(bench.dest.rglob("*.jsonl"))) == 2
    assert list(audit([bench.dest], known)) == []
    # The search itself works: the source is full of them.
    assert {one.identifier for one in audit([film], known)} >= {"PatientName", "StudyInstanceUID", "file"}


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("text", b"..xx JANE doe-4711 .."),
        ("utf-16", "..Jane Doe-4711".encode("utf-16-le")),
        ("utf-16", "Jane Doe-4711".encode("utf-16-be")),
        ("hex", b"id=" + b"Jane Doe-4711".hex().upper().encode()),
        ("hex", "Jane Doe-4711".encode("utf-16-le").hex().encode()),
        ("base64", base64.b64encode(b"Jane Doe-4711")),
        ("base64", base64.b64encode(b"1Jane Doe-4711 and so on")),
        ("base64", base64.b64encode(b"12Jane Doe-4711 and so on")),
        ("md5", hashlib.md5(b"Jane Doe-4711").hexdigest().encode()),
        ("sha-1", hashlib.sha1(b"Jane Doe-4711").digest()),
        ("sha-256", b"x" + hashlib.sha256(b"Jane Doe-4711").hexdigest().upper().encode()),
    ],
)
def test_forms(tmp_path, form, data):
    path = tmp_path / "log"
    path.write_bytes(data)
    (found,) = audit([path], [Identifier("name", "Jane Doe-4711"), Identifier("other", "Richard Roe")])
    assert (found.place, found.identifier, found.form) == ("bytes", "name", form)


def test_inside_of_files(bench, tmp_path):
    from dataclasses import replace

    bench.fill(1)
    bench.run()
    (path,) = bench.dest.glob("*.ngr")
    study = replace(
        load(path), report="Seen by Jane Doe-4711. " * 60, extensions={"x.org.example.note": b"Richard Roe"}
    )
    save(study, tmp_path / "Jane Doe-4711.ngr")
    with gzip.open(tmp_path / "log.gz", "wb") as stream:
        stream.write(b"Jane Doe-4711")
    known = [Identifier("name", "Jane Doe-4711"), Identifier("other", "Richard Roe")]
    found = {(one.place, one.identifier) for one in audit([tmp_path / "log.gz", tmp_path / "Jane Doe-4711.ngr"], known)}
    assert {
        ("unpacked", "name"),
        ("file name", "name"),
        ("record[0].report", "name"),
        ("record[0].extensions", "other"),
    } <= found


def test_lists(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("\ufeffJane Doe\n\nabc\n  4711-0815  \n", encoding="utf-8")
    assert identifiers_of_list(path) == [Identifier("line 1", "Jane Doe"), Identifier("line 4", "4711-0815")]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError):
        identifiers_of_list(path)
    with pytest.raises(SourceError):
        identifiers_of_dicom(path)


def test_a_file_that_cannot_be_searched_is_an_error(tmp_path):
    (tmp_path / "a.ngr").write_bytes(b"\x89NGR\r\n\x1a\n damaged")
    with pytest.raises(SourceError, match="cannot be searched"):
        list(audit([tmp_path], [Identifier("name", "Jane Doe")]))
    with pytest.raises(SourceError):
        list(audit([tmp_path / "absent"], [Identifier("name", "Jane Doe")]))


def test_what_a_spool_keeps_of_corrected_objects_names_patients_too(bench):
    folder = bench.source / "1.2.3" / ".superseded"
    folder.mkdir(parents=True)
    (folder / "1.2.3.4711.9").write_bytes(film_of_a_talkative_patient())
    assert NAME in {one.value for one in identifiers_of_folder(bench.source)}


def test_folders_and_manifests(bench, tmp_path):
    (bench.source / "p4711001" / "IM0001").mkdir(parents=True)
    (bench.source / "p4711001" / "IM0001" / "1.2.3.4711.9").write_bytes(film_of_a_talkative_patient())
    (bench.source / "report.txt").write_text("IMPRESSION: Clear.")
    known = {one.value for one in identifiers_of_folder(bench.source)}
    assert {NAME, "p4711001", "1.2.3.4711.9"} <= known
    assert not {"report", "report.txt"} & known
    bench.plan()
    from neuralgraph.sources.layouts import Roots, resolve_manifest

    (bench.source / "4711-0815.png").write_bytes(b"")
    resolve_manifest(Roots(bench.source)).write(tmp_path / "m.jsonl")
    known = {one.value for one in identifiers_of_manifest(tmp_path / "m.jsonl")}
    assert {"4711-0815", "4711-0815.png", "p4711001"} <= known
