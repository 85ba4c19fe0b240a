import json

import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts import Roots, detect_layout, resolve_manifest
from neuralgraph.sources.layouts.chexpert_tree import chexpert_view, path_parts
from neuralgraph.sources.layouts.radgraph_annotations import read_annotations

HEADER = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"]
PREFIX = "CheXpert-v1.0-small/"


def row(label_columns, path, side="Frontal", projection="PA", **values):
    labels = (values.get(name.replace(" ", "_"), "") for name in label_columns)
    return (PREFIX + path, "Female", 68, side, projection, *labels)


def test_chexpert(tree, label_columns):
    views = {
        "train/patient00001/study1/view1_frontal.jpg": ("Frontal", "AP"),
        "train/patient00002/study2/view1_frontal.jpg": ("Frontal", "PA"),
        "train/patient00002/study1/view1_frontal.jpg": ("Frontal", "AP"),
        "train/patient00002/study1/view2_lateral.jpg": ("Lateral", ""),
        "train/patient00002/study1/view3_frontal.jpg": ("Frontal", "PA"),
    }
    for path in views:
        tree.image(path)
    tree.image("valid/patient64541/study1/view1_frontal.jpg")
    rows = [row(label_columns, path, *view, Pneumonia="-1.0", Edema="0.0") for path, view in views.items()]
    tree.table("train.csv", HEADER + label_columns, *rows)
    tree.table(
        "valid.csv",
        HEADER + label_columns,
        row(label_columns, "valid/patient64541/study1/view1_frontal.jpg", Pneumonia="1.0"),
    )
    assert detect_layout(tree.root) == "chexpert"
    manifest = tree.manifest()
    assert not manifest.dropped
    assert [study.study_key for study in manifest.rows] == [
        "patient00001/study1",
        "patient00002/study1",
        "patient00002/study2",
        "patient64541/study1",
    ]
    two_frontals = manifest.rows[1]
    assert two_frontals.images[0].path == str(tree.root / "train/patient00002/study1/view3_frontal.jpg")
    assert two_frontals.labels == {"pneumonia": -1.0, "edema": 0.0}
    assert [study.labeler for study in manifest.rows] == ["chexpert"] * 3 + ["radiologist"]
    assert [study.split for study in manifest.rows] == ["train"] * 3 + ["validate"]
    assert manifest.without_report == 4


def test_chexpert_reasons(tree, label_columns, reasons):
    name = "train/patient0000{}/study1/view1_{}.jpg"
    for number in range(1, 6):
        tree.image(name.format(number, "frontal"))
    tree.table(
        "CheXpert-v1.0-small/train.csv",
        HEADER + label_columns,
        row(label_columns, name.format(1, "lateral"), "Lateral", "LL"),
        row(label_columns, name.format(2, "frontal"), "Frontal", "LL"),
        row(label_columns, name.format(3, "frontal"), Edema="2.0"),
        row(label_columns, name.format(4, "frontal"), Edema="1.0"),
        row(label_columns, "train/patient00004/study1/view2_frontal.jpg", Edema="0.0"),
        row(label_columns, name.format(9, "frontal")),
        row(label_columns, "somewhere/else.jpg"),
    )
    manifest = tree.manifest("chexpert")
    assert manifest.rows == ()
    assert reasons(manifest) == {
        "patient00001/study1": "no_frontal",
        "patient00002/study1": "no_frontal",
        "patient00003/study1": "label_invalid",
        "patient00004/study1": "conflicting_rows",
        "patient00009/study1": "image_missing",
        PREFIX + "somewhere/else.jpg": "row_invalid",
    }


@pytest.mark.parametrize(
    ("side", "projection", "view"),
    [
        ("Frontal", "PA", "PA"),
        ("Frontal", "", "FRONTAL"),
        ("Frontal", "RL", "OTHER"),
        ("Lateral", "AP", "LATERAL"),
        ("Lateral", "LL", "LL"),
        ("", "PA", "unknown"),
    ],
)
def test_side_decides_before_projection(side, projection, view):
    assert chexpert_view(side, projection) == view


def test_relocated_paths():
    parts = path_parts("/data/CheXpert-v1.0/valid/patient64541/study12/view2_lateral.png")
    assert parts.relative == "valid/patient64541/study12/view2_lateral.png"
    assert (parts.study_key, parts.split, parts.study_number, parts.view_number) == (
        "patient64541/study12",
        "validate",
        12,
        2,
    )
    assert path_parts("train/patient1/study1/../../view1_frontal.jpg") is None


PLUS = (
    "path_to_image,path_to_dcm,frontal_lateral,ap_pa,deid_patient_id,patient_report_date_order,report,"
    "section_narrative,section_history,section_findings,section_impression,split"
)
HISTORY = "66-year-old with fever, rule out pneumonia."


@pytest.mark.parametrize(("place", "suffix"), [("PNG/PNG", ".png"), ("DICOM", ".dcm")])
def test_chexpert_plus(tree, place, suffix, label_columns, reasons):
    stems = [f"train/patient00001/study{number}/view1_frontal" for number in (1, 2, 3)]
    for stem in stems:
        tree.image(f"{place}/{stem}{suffix}")
    sections = [(HISTORY, "Lungs are clear.", "No pneumonia."), (HISTORY, "", "1. Edema."), (HISTORY, "", "")]
    tree.table(
        "df_chexpert_plus_240401.csv",
        PLUS,
        *(
            (
                f"{stem}.jpg",
                f"{stem}.dcm",
                "Frontal",
                "AP",
                "patient64545",
                f"{number}.0",
                f"HISTORY: {HISTORY}" if number < 2 else "",
                "",
                *texts,
                "train",
            )
            for number, (stem, texts) in enumerate(zip(stems, sections, strict=True))
        ),
    )
    lines = [
        {"path_to_image": f"{stems[0]}.jpg", "Pneumonia": 0.0, "Edema": None, "No Finding": 1.0},
        {"path_to_image": f"{stems[1]}.jpg", "Pneumonia": -1.0},
    ]
    tree.file("chexbert_labels/report_fixed.json", "\n".join(map(json.dumps, lines)))
    assert detect_layout(tree.root) == "chexpert-plus"
    manifest = tree.manifest()
    first, second = manifest.rows
    assert first.report == "FINDINGS:\nLungs are clear.\n\nIMPRESSION:\nNo pneumonia."
    assert second.report == "IMPRESSION:\n1. Edema."
    assert (first.labels, first.labeler) == ({"no finding": 1.0, "pneumonia": 0.0}, "chexbert")
    assert second.labels == {"pneumonia": -1.0}
    assert first.images[0].path == str(tree.root / place / (stems[0] + suffix))
    assert first.patient_key == "patient64545"
    assert first.order < second.order
    assert reasons(manifest) == {"patient00001/study3": "no_report"}


def annotation(text, word):
    start = text.split().index(word)
    entity = {
        "tokens": word,
        "label": "Observation::definitely present",
        "start_ix": start,
        "end_ix": start,
        "relations": [],
    }
    return {"0": {"text": text, "entities": {"1": entity}, "data_source": None, "data_split": "inference"}}


def test_radgraph_annotations(tree):
    stems = [f"train/patient0000{number}/study1/view1_frontal" for number in (1, 2)]
    for stem in stems:
        tree.image(f"PNG/{stem}.png")
    sections = [("Small effusion.\nNo change.", "Effusion."), ("", "1. Edema.")]
    tree.table(
        "df_chexpert_plus_240401.csv",
        PLUS,
        *(
            (f"{stem}.jpg", "", "Frontal", "AP", f"p{number}", "1", "", "", "", *texts, "train")
            for number, (stem, texts) in enumerate(zip(stems, sections, strict=True))
        ),
    )
    # In another order than the rows, and with the annotation of a row that the table no longer has.
    findings = [annotation("gone since .", "since"), annotation("Small effusion . No change .", "effusion")]
    tree.file("radgraph-XL-annotations/section_findings.json", json.dumps(findings))
    impressions = [annotation("1 . Edema .", "Edema"), annotation("Effusion .", "Effusion"), {"0": {"text": "x"}}]
    tree.file("radgraph-XL-annotations/section_impression.json", json.dumps(impressions))
    plain = resolve_manifest(Roots(tree.root))
    assert [row.report_graphs for row in plain.rows] == [(), ()]
    manifest = resolve_manifest(Roots(tree.root, report_graphs=True))
    graphs = [[json.loads(graph)["text"] for graph in row.report_graphs] for row in manifest.rows]
    assert graphs == [["Small effusion . No change .", "Effusion ."], ["1 . Edema ."]]
    manifest.write(tree.root / "resolved.jsonl")
    again = resolve_manifest(Roots(tree.root / "resolved.jsonl"))
    assert [row.report_graphs for row in again.rows] == [row.report_graphs for row in manifest.rows]


def test_annotations_that_cannot_be_used(tree, second):
    with pytest.raises(SourceError, match="no RadGraph annotations"):
        read_annotations(tree.root)
    for content in ("[", "[3]", '[{"0": {"entities": {}}}]'):
        second.file("section_findings.json", content)
        with pytest.raises(SourceError) as caught:
            read_annotations(second.root)
        assert caught.value.code == "E_SOURCE_DAMAGED"
