import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts import Roots, detect_layout, resolve_manifest
from neuralgraph.sources.layouts.views import mimic_view

METADATA = (
    "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,"
    "ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning"
)
REPORT = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___ year old with cough // r/o pneumonia

 FINDINGS:

 There is no focal consolidation.

 IMPRESSION:

 No acute cardiopulmonary process.
"""


def folder(subject, study):
    return f"files/p{subject[:2]}/p{subject}/s{study}"


@pytest.fixture
def study(tree, dicom_id):
    """Adds a study to a DICOM tree; gives its rows of the metadata."""

    def add(subject, study, views, *, report=True, suffix=".dcm", date="21800101", times=None):
        rows = []
        for number, view in enumerate(views):
            image = dicom_id(f"{study}{number}")
            tree.image(f"{folder(subject, study)}/{image}{suffix}")
            time = times[number] if times else "93000.5"
            position, _, rest = view.partition("|")
            meaning, _, procedure = rest.partition("|")
            rows.append((image, subject, study, procedure, position, 64, 64, date, time, "", meaning, "Erect"))
        if report:
            tree.file(f"{folder(subject, study)}.txt", REPORT)
        return rows

    return add


def labels_row(label_columns, subject, study, **values):
    return (subject, study, *(values.get(name.replace(" ", "_"), "") for name in label_columns))


def test_dicom_and_tables_in_two_roots(tree, second, study, label_columns, dicom_id):
    rows = study("10000032", "50414267", ["LATERAL", "PA"]) + study("10000032", "53189527", ["AP"], date="21800626")
    tree.table(
        "cxr-record-list.csv.gz",
        "subject_id,study_id,dicom_id,path",
        *((row[1], row[2], row[0], f"{folder(row[1], row[2])}/{row[0]}.dcm") for row in rows),
    )
    second.table("mimic-cxr-2.0.0-metadata.csv.gz", METADATA, *rows)
    second.table(
        "mimic-cxr-2.0.0-chexpert.csv.gz",
        ["subject_id", "study_id", *label_columns],
        labels_row(label_columns, "10000032", "50414267", No_Finding="1.0"),
        labels_row(label_columns, "10000032", "53189527", Pneumonia="-1.0", Edema="0.0", Lung_Opacity="1.0"),
    )
    second.table(
        "mimic-cxr-2.0.0-split.csv.gz",
        "dicom_id,study_id,subject_id,split",
        *((row[0], row[2], row[1], "validate") for row in rows),
    )
    assert detect_layout(tree.root) == "mimic-cxr"
    manifest = tree.manifest(tables=second.root)
    assert not manifest.dropped
    first, last = manifest.rows
    assert (first.study_key, first.patient_key, first.split, first.labeler) == (
        "50414267",
        "10000032",
        "validate",
        "chexpert",
    )
    assert [image.view for image in first.images] == ["PA"]
    assert first.images[0].path.endswith(f"{folder('10000032', '50414267')}/{dicom_id('504142671')}.dcm")
    assert first.report_path.endswith("files/p10/p10000032/s50414267.txt")
    assert first.labels == {"no finding": 1.0}
    assert last.labels == {"pneumonia": -1.0, "edema": 0.0, "lung opacity": 1.0}
    assert first.order < last.order


def test_without_tables_the_files_say_their_view(tree):
    name = "files/p11/p11000011/s51000001/{}.dcm"
    tree.image(name.format("aaaa"), ViewPosition="LL")
    tree.image(name.format("bbbb"), ViewPosition="PA")
    tree.file("files/p11/p11000011/s51000001.txt", REPORT)
    tree.image("files/p11/p11000011/s51000002/cccc.dcm")
    tree.file("files/p11/p11000011/s51000002.txt", REPORT)
    manifest = tree.manifest("mimic-cxr")
    (row,) = manifest.rows
    assert row.images[0].path.endswith("bbbb.dcm")
    assert [(dropped.study_key, dropped.reason) for dropped in manifest.dropped] == [("51000002", "view_unknown")]
    assert len(tree.manifest("mimic-cxr", views=None, one_film=False).rows[0].images) == 2


def test_reports_unpacked_beside(tree, study):
    study("10000032", "50414267", ["PA"], report=False)
    tree.table("cxr-record-list.csv", "subject_id,study_id,dicom_id,path")
    tree.file("mimic-cxr-reports/files/p10/p10000032/s50414267.txt", REPORT)
    rows = study("10000032", "50414267", ["PA"], report=False)
    tree.table("mimic-cxr-2.0.0-metadata.csv", METADATA, *rows)
    assert "mimic-cxr-reports/files" in tree.manifest("mimic-cxr").rows[0].report_path


def test_downloaded_with_wget(tmp_path, tree, study):
    rows = study("10000032", "50414267", ["PA"])
    tree.table("cxr-record-list.csv.gz", "subject_id,study_id,dicom_id,path")
    tree.table("mimic-cxr-2.0.0-metadata.csv.gz", METADATA, *rows)
    mirror = tmp_path / "mirror" / "physionet.org" / "files" / "mimic-cxr"
    mirror.mkdir(parents=True)
    tree.root.rename(mirror / "2.0.0")
    for start in (tmp_path / "mirror", tmp_path / "mirror" / "physionet.org", mirror, mirror / "2.0.0"):
        assert detect_layout(start) == "mimic-cxr"
        assert len(resolve_manifest(Roots(start)).rows) == 1


def test_reasons(tree, study, label_columns, reasons, dicom_id):
    rows = (
        study("10000001", "50000001", ["LATERAL", "LL"])
        + study("10000002", "50000002", ["PA"], report=False)
        + study("10000003", "50000003", [""])
        + study("10000004", "50000004", ["AP"])
        + study("10000005", "50000005", ["PA"])
    )
    gone = (dicom_id("gone"), "10000006", "50000006", "", "PA", 1, 1, "2180", "1", "", "", "")
    bad = ("../../etc", "10000007", "50000007", "", "PA", 1, 1, "2180", "1", "", "", "")
    moved = (dicom_id("moved"), "10000009", "50000005", "", "PA", 1, 1, "2180", "1", "", "", "")
    tree.table("mimic-cxr-2.1.0-metadata.csv", METADATA, *rows, gone, bad, moved)
    tree.table(
        "mimic-cxr-2.1.0-chexpert.csv",
        ["subject_id", "study_id", *label_columns],
        labels_row(label_columns, "10000004", "50000004", Pneumonia="yes"),
    )
    tree.file(f"{folder('10000006', '50000006')}.txt", REPORT)
    manifest = tree.manifest("mimic-cxr")
    assert manifest.rows == ()
    assert reasons(manifest) == {
        "50000001": "no_frontal",
        "50000002": "no_report",
        "50000003": "view_unknown",
        "50000004": "label_invalid",
        "50000005": "conflicting_rows",
        "50000006": "image_missing",
        "50000007": "row_invalid",
    }
    assert manifest.counts == dict.fromkeys(manifest.counts, 1)


def test_several_frontals_prefer_pa_then_the_earlier(tree, study, dicom_id):
    rows = study("10000001", "50000001", ["AP", "PA", "PA"], times=["80000.0", "100000.25", "93000.75"])
    tree.table("mimic-cxr-2.0.0-metadata.csv", METADATA, *rows)
    (row,) = tree.manifest("mimic-cxr").rows
    # 93000.75 is half past nine: earlier than ten o'clock although its text sorts later.
    assert row.images[0].path.endswith(dicom_id("500000012") + ".dcm")
    assert row.images[0].view == "PA"
    assert [image.view for image in tree.manifest("mimic-cxr", one_film=False).rows[0].images] == ["PA", "PA", "AP"]


@pytest.mark.parametrize(
    ("position", "meaning", "procedure", "view"),
    [
        ("PA", "lateral", "", "PA"),
        ("AP AXIAL", "antero-posterior", "", "OTHER"),
        ("PA LLD", "", "", "OTHER"),
        ("LL", "", "", "LL"),
        ("", "postero-anterior", "", "PA"),
        ("", "left lateral", "", "LL"),
        ("", "", "CHEST (PORTABLE AP)", "AP"),
        ("", "", "CHEST (PA AND LAT)", "unknown"),
        ("", "", "", "unknown"),
    ],
)
def test_view_of_mimic(position, meaning, procedure, view):
    assert mimic_view(position, meaning, procedure) == view


def test_jpg_project_with_reports_elsewhere(tree, second, study, label_columns, reasons):
    rows = study("10000032", "50414267", ["PA"], report=False, suffix=".jpg")
    rows += study("10000033", "50414268", ["AP"], report=False, suffix=".jpg")
    tree.table("mimic-cxr-2.0.0-metadata.csv.gz", METADATA, *rows)
    tree.table(
        "mimic-cxr-2.0.0-negbio.csv.gz",
        ["subject_id", "study_id", *label_columns],
        labels_row(label_columns, "10000032", "50414267", Pneumonia="1.0"),
    )
    second.file("files/p10/p10000032/s50414267.txt", REPORT)
    assert detect_layout(tree.root) == "mimic-cxr-jpg"
    manifest = tree.manifest(reports=second.root)
    (row,) = manifest.rows
    assert (row.labeler, row.labels) == ("negbio", {"pneumonia": 1.0})
    assert row.images[0].path.endswith(".jpg")
    assert reasons(manifest) == {"50414268": "no_report"}
    assert len(tree.manifest(reports=second.root, generate_reports=True).rows) == 2


def test_no_files_folder(tmp_path):
    for name in ("mimic-cxr", "mimic-cxr-jpg", "chexpert", "chexpert-plus", "openi", "manifest"):
        with pytest.raises(SourceError) as caught:
            resolve_manifest(Roots(tmp_path), name)
        assert caught.value.code == "E_SOURCE_READ"
