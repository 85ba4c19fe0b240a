import json
import os

import pytest
from structured_reports import structured_report

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts import Roots, detect_layout, resolve_manifest

CR, CT, SC = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"


def film(tree, name, study, patient="4711", accession="", **elements):
    return tree.image(name, StudyInstanceUID=study, PatientID=patient, AccessionNumber=accession, **elements)


def oru(accession, text, *, patient="4711", status="F", issued="20200102", study=""):
    zds = f"\rZDS|{study}^S^Application^DICOM" if study else ""
    return (
        f"MSH|^~\\&|RIS||||{issued}||ORU^R01|1|P|2.3\rPID|1||{patient}\r"
        f"OBR|1||{accession}|||||||||||||||||||{issued}|||{status}\rOBX|1|TX|&IMP||{text}{zds}\r"
    )


def test_films_joined_to_reports_of_every_form(tree):
    film(tree, "a/1.dcm", "1.1", accession="A1", ViewPosition="PA", AcquisitionTime="101500")
    film(tree, "a/2.dcm", "1.1", accession="A1", ViewPosition="LL", AcquisitionTime="101000")
    film(tree, "b/IM0001.dcm", "1.2", accession="A2")
    film(tree, "c/IM0001.dcm", "1.3", patient="9")
    film(tree, "d/IM0001.dcm", "1.4", accession="A4")
    film(tree, "e/IM0001.dcm", "1.5", accession="A5")
    tree.file("reports/A1.txt", "IMPRESSION: Clear.")
    tree.file(
        "reports/today.hl7", oru("A2", "Old.") + oru("A2", "New.", issued="20200103") + oru("A2", "P.", status="P")
    )
    tree.file("reports/1.3.txt", "IMPRESSION: Edema.")
    tree.file("sr/report", structured_report(study="1.4", accession="A4"))
    tree.file("notes.pdf", b"%PDF")
    assert detect_layout(tree.root) == "dicom"
    manifest = tree.manifest()
    assert not manifest.dropped
    rows = {row.study_key: row for row in manifest.rows}
    assert [image.view for image in rows["1.1"].images] == ["LL", "PA"]
    assert rows["1.1"].report_path == str(tree.root / "reports/A1.txt")
    assert rows["1.2"].report == "IMPRESSION:\nNew."
    assert rows["1.3"].report_path == str(tree.root / "reports/1.3.txt")
    assert rows["1.4"].report == "IMPRESSION:\nClear."
    assert (rows["1.5"].report, rows["1.5"].report_path) == (None, None)
    assert {row.patient_key for row in manifest.rows} == {"4711", "9"}


def test_reports_under_a_root_of_their_own(tree, second):
    film(tree, "1.dcm", "1.1", accession="A1")
    film(tree, "2.dcm", "1.2", accession="A2")
    second.file("2020/01/export.txt", oru("A1", "Clear."))
    second.file("2020/01/A2.txt", "Edema.")
    manifest = tree.manifest("dicom", reports=second.root)
    assert [row.report for row in manifest.rows] == ["IMPRESSION:\nClear.", None]
    assert manifest.rows[1].report_path == str(second.root / "2020/01/A2.txt")


def test_messages_in_text_files_beside_the_films(tree):
    film(tree, "1.dcm", "1.1", accession="A1")
    tree.file("export.txt", oru("A1", "Clear."))
    assert tree.manifest("dicom").rows[0].report == "IMPRESSION:\nClear."


def test_reasons(tree, second, reasons):
    film(tree, "ct.dcm", "1.1", SOPClassUID=CT)
    film(tree, "two/1.dcm", "1.2", patient="1")
    film(tree, "two/2.dcm", "1.2", patient="2")
    film(tree, "other.dcm", "1.3", accession="A3")
    film(tree, "early.dcm", "1.4", accession="A4")
    film(tree, "none.dcm", "")
    film(tree, "fine.dcm", "1.5", accession="A5")
    tree.file("broken.dcm", film(tree, "whole.dcm", "1.5", accession="A5").read_bytes()[:200])
    second.file("3.hl7", oru("A3", "Clear.", patient="0815"))
    second.file("4.hl7", oru("A4", "Clear.", status="P"))
    second.file("5.hl7", oru("A5", "Of another study.", study="9.9"))
    second.file("6.dcm", b"\0" * 128 + b"DICM nothing")
    manifest = tree.manifest("dicom", reports=second.root)
    assert reasons(manifest) == {
        "1.1": "no_film",
        "1.2": "conflicting_rows",
        "1.3": "report_of_another",
        "1.4": "report_not_final",
        "none.dcm": "row_invalid",
        "broken.dcm": "header_unreadable",
        "6.dcm": "report_unreadable",
    }
    (fine,) = manifest.rows
    assert (fine.study_key, fine.report, len(fine.images)) == ("1.5", None, 2)


def test_captures_count_only_where_there_is_no_film(tree):
    film(tree, "a/1.dcm", "1.1")
    film(tree, "a/2.dcm", "1.1", SOPClassUID=SC)
    film(tree, "b/1.dcm", "1.2", SOPClassUID=SC)
    manifest = tree.manifest("dicom")
    assert [[image.path for image in row.images] for row in manifest.rows] == [
        [str(tree.root / "a/1.dcm")],
        [str(tree.root / "b/1.dcm")],
    ]


def test_the_manifest_is_a_source_itself(tree, tmp_path):
    film(tree, "1.dcm", "1.1", accession="A1")
    tree.file("A1.hl7", oru("A1", "Clear."))
    manifest = tree.manifest()
    manifest.write(tmp_path / "m.jsonl")
    from neuralgraph.sources.layouts import Roots, resolve_manifest

    again = resolve_manifest(Roots(tmp_path / "m.jsonl"))
    assert [(row.study_key, row.report, row.patient_key) for row in again.rows] == [
        ("1.1", "IMPRESSION:\nClear.", "4711")
    ]
    assert json.loads((tmp_path / "m.jsonl").read_text())["image"] == [str(tree.root / "1.dcm")]


@pytest.mark.parametrize("name", ["DICOMDIR", "reports/1.hl7"])
def test_detected(tree, name):
    film(tree, "1.dcm", "1.1")
    tree.file(name)
    assert detect_layout(tree.root) == "dicom"


def test_a_plain_folder_of_films_stays_one(tree):
    film(tree, "1.dcm", "1.1")
    assert detect_layout(tree.root) == "folder"


def test_a_folder_that_cannot_be_listed_costs_its_own_studies(tree, monkeypatch):
    from neuralgraph.sources.layouts import roots

    tree.image("good/a.png")
    tree.image("locked/b.png")
    walk = os.walk

    def refusing(folder, onerror):
        for parent, folders, names in walk(folder):
            if "locked" in folders:
                folders.remove("locked")
                onerror(PermissionError(13, "Permission denied", os.path.join(parent, "locked")))
            yield parent, folders, names

    monkeypatch.setattr(roots.os, "walk", refusing)
    for layout in ("folder", "dicom"):
        manifest = resolve_manifest(Roots(tree.root), layout)
        assert [row.reason for row in manifest.dropped] == ["folder_unreadable"]
        assert [row.study_key for row in manifest.rows] == (["good/a.png"] if layout == "folder" else [])

    def refused(folder, onerror):
        onerror(PermissionError(13, "Permission denied", folder))
        return iter(())

    monkeypatch.setattr(roots.os, "walk", refused)
    with pytest.raises(SourceError):
        resolve_manifest(Roots(tree.root), "dicom")
