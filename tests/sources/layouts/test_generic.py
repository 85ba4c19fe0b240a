import json
import os

import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts import Roots, detect_layout, resolve_manifest
from neuralgraph.sources.layouts.own_table import open_table
from neuralgraph.sources.layouts.tables import read_csv


def test_csv(tree, reasons):
    for name in ("a.png", "b.png", "c.dcm"):
        tree.image(f"films/{name}")
    tree.file("reports/b.txt", "Clear.")
    tree.table(
        "manifest.csv",
        "study_id,patient_id,image,report,report_path,view,split,label.pneumonia,label.my score,Edema,age",
        ("s1", "p1", "films/a.png;films/b.png", "Two\nlines, quoted.", "", "PA;LAT", "train", "1", "0.25", "-1", "70"),
        ("s2", "p1", "films/b.png", "reports/b.txt", "", "AP", "test", "", "", "nan", ""),
        ("s3", "p2", "films/c.dcm", "", "reports/b.txt", "", "", "0", "", "", ""),
        ("s4", "p2", "films/c.dcm", "", "reports/gone.txt", "", "", "", "", "", ""),
        ("s5", "p2", "films/gone.png", "Clear.", "", "", "", "", "", "", ""),
        ("s6", "p2", "films/a.png;films/b.png", "", "", "PA;PA;PA", "", "", "", "", ""),
        ("s7", "p2", "films/a.png", "", "", "", "", "perhaps", "", "", ""),
        ("s8", "p2", "", "Clear.", "", "", "", "", "", "", ""),
        ("s9", "p2", "films/a.png", "Clear.", "", "", "", "", "", "", ""),
        ("s9", "p2", "films/a.png", "Not clear.", "", "", "", "", "", "", ""),
        ("s10", "p2"),
    )
    assert detect_layout(tree.root) == "manifest"
    manifest = tree.manifest()
    one, two, three = manifest.rows
    assert [image.view for image in one.images] == ["PA", "LATERAL"]
    assert one.report == "Two\nlines, quoted."
    assert one.labels == {"pneumonia": 1.0, "my score": 0.25, "edema": -1.0}
    assert (two.report, two.report_path) == (None, str(tree.root / "reports/b.txt"))
    assert two.labels == {}
    assert (three.labels, three.images[0].view) == ({"pneumonia": 0.0}, "unknown")
    assert reasons(manifest) == {
        "s4": "report_missing",
        "s5": "image_missing",
        "s6": "row_invalid",
        "s7": "label_invalid",
        "s8": "no_image",
        "s9": "conflicting_rows",
        "": "row_invalid",
    }


def test_one_row_per_image(tree):
    tree.image("a.png")
    tree.image("b.png")
    tree.table(
        "manifest.csv", "study_id,image,report,view", ("s", "b.png", "Clear.", "PA"), ("s", "a.png", "Clear.", "LL")
    )
    (row,) = tree.manifest().rows
    assert [(os.path.basename(image.path), image.view) for image in row.images] == [("b.png", "PA"), ("a.png", "LL")]


def test_jsonl_and_the_manifest_that_is_written(tree, tmp_path):
    tree.image("a b;c.png")
    lines = [
        {"study_id": 17, "image": ["a b;c.png"], "view": "PA", "label.pneumonia": 1, "patient_id": None},
        {"study_id": "x", "image": "a.png", "label.pneumonia": None},
        {"image": "a.png", "label.pneumonia": True, "report": "Clear."},
        [],
    ]
    source = tree.file("list.jsonl", "\n".join(map(json.dumps, lines)) + "\n{broken\n")
    manifest = resolve_manifest(Roots(source))
    (row,) = manifest.rows
    assert (row.study_key, row.patient_key, row.labels) == ("17", "", {"pneumonia": 1.0})
    assert manifest.counts == {"row_invalid": 2, "image_missing": 2}
    written = tmp_path / "resolved.jsonl"
    manifest.write(written, {"17": "0123"})
    assert written.stat().st_mode & 0o777 == 0o600
    again = resolve_manifest(Roots(written))
    assert again.rows == manifest.rows
    assert again.dropped == manifest.dropped
    assert json.loads(written.read_text().splitlines()[0])["converted_as"] == "0123"


def test_views_are_filtered_only_when_asked(tree, reasons):
    tree.image("a.png")
    tree.image("b.png")
    tree.table("manifest.csv", "study_id,image,view", ("s", "a.png;b.png", "LATERAL;AP"), ("t", "a.png", "LATERAL"))
    assert [len(row.images) for row in tree.manifest().rows] == [2, 1]
    manifest = tree.manifest(views=("PA", "AP"))
    assert [image.view for image in manifest.rows[0].images] == ["AP"]
    assert reasons(manifest) == {"t": "no_frontal"}


def test_folder(tree):
    tree.image("one.png")
    tree.file("one.txt", "Clear.")
    tree.image("deep/er/two.dcm")
    tree.image("deep/er/two.jpg")
    tree.file("deep/er/two.txt", "Clear.")
    tree.file("1.2.840.113", tree.image("deep/bare.dcm").read_bytes())
    tree.file(".hidden/x.png", b"x")
    tree.file("notes.csv", "a,b\n")
    tree.file("1.2.3", b"short")
    assert detect_layout(tree.root) == "folder"
    rows = tree.manifest().rows
    assert [row.study_key for row in rows] == [
        "1.2.840.113",
        "deep/bare.dcm",
        "deep/er/two.dcm",
        "deep/er/two.jpg",
        "one.png",
    ]
    assert [row.report_path and os.path.basename(row.report_path) for row in rows] == [
        None,
        None,
        "two.txt",
        "two.txt",
        "one.txt",
    ]
    assert len(tree.manifest(generate_reports=False).rows) == 3


def test_folder_with_reports_elsewhere(tree, second):
    tree.image("deep/one.png")
    second.file("one.txt", "Clear.")
    assert tree.manifest(reports=second.root).rows[0].report_path == str(second.root / "one.txt")


def test_nothing_there(tmp_path):
    with pytest.raises(SourceError) as caught:
        detect_layout(tmp_path / "absent")
    assert caught.value.code == "E_SOURCE_READ"
    with pytest.raises(SourceError) as caught:
        detect_layout(tmp_path)
    assert caught.value.code == "E_SOURCE_TYPE"
    with pytest.raises(SourceError) as caught:
        resolve_manifest(Roots(tmp_path), "mimic")
    assert caught.value.code == "E_SOURCE_TYPE"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("t.csv", b"", "E_SOURCE_EMPTY"),
        ("t.csv", b"study_id\n1\n", "E_SOURCE_READ"),
        ("t.csv", b"image,image\n1,2\n", "E_SOURCE_READ"),
        ("t.csv", b"image\n\xff\x81\n", "E_SOURCE_TEXT"),
        ("t.csv", b"image\n\xff\x01\n", "E_SOURCE_TEXT"),
        ("t.csv", b"sep=x\nimage\n", "E_SOURCE_TEXT"),
        ("t.csv", b"\xff\xfei\0m\0a", "E_SOURCE_TEXT"),
        ("t.csv", b'image\n"never closed\n', "E_SOURCE_DAMAGED"),
        ("t.csv.gz", b"image\na.png\n", "E_SOURCE_DAMAGED"),
        ("t.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01", "E_SOURCE_DAMAGED"),
        ("t.jsonl", b'{"picture": "a.png"}\n', "E_SOURCE_READ"),
        ("t.jsonl.gz", b"{}", "E_SOURCE_DAMAGED"),
        ("t.xlsx", b"PK", "E_SOURCE_TYPE"),
    ],
)
def test_unusable_tables(tree, name, content, code):
    path = tree.file(name, content)
    with pytest.raises(SourceError) as caught:
        list(open_table(path).rows())
    assert caught.value.code == code


def test_csv_as_spreadsheets_write_it(tree):
    path = tree.file("t.csv", b"\xef\xbb\xbfimage, view \r\n a.png ,PA\r\n\r\nb.png\r\n")
    assert list(read_csv(path)) == [{"image": "a.png", "view": "PA"}, None]


def test_parquet(tree):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    import pyarrow

    tree.image("a.png")
    rows = {"study_id": [7, 8], "image": ["a.png", "gone.png"], "label.pneumonia": [1.0, None]}
    parquet.write_table(pyarrow.table(rows), tree.root / "manifest.parquet")
    manifest = tree.manifest()
    assert [(row.study_key, row.labels) for row in manifest.rows] == [("7", {"pneumonia": 1.0})]


def test_parquet_without_pyarrow(tree, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tree.file("t.parquet", b"PAR1")
    with pytest.raises(ImportError, match=r"'\.\[bulk\]'"):
        open_table(path)


def test_report_graphs(tree, reasons):
    tree.image("a.png")
    entry = {"text": "Edema .", "entities": {}}
    cells = [json.dumps(entry), json.dumps([entry, entry]), "", "{", "3"]
    tree.table(
        "manifest.csv", "study_id,image,report,radgraph", *((n, "a.png", "Edema.", c) for n, c in enumerate(cells))
    )
    manifest = tree.manifest()
    assert [len(row.report_graphs) for row in manifest.rows] == [1, 2, 0]
    assert json.loads(manifest.rows[0].report_graphs[0]) == entry
    assert reasons(manifest) == {"3": "row_invalid", "4": "row_invalid"}


def test_views_in_the_words_of_a_table(tree):
    words = {
        "AP Supine": ("AP", "supine"),
        "PORTABLE AP": ("AP", ""),
        "AP erect": ("AP", "erect"),
        "LL": ("LL", ""),
        "L": ("LATERAL", ""),
        "AP_horizontal": ("AP", "supine"),
        "Posteroanterior": ("PA", ""),
        "frontal": ("FRONTAL", ""),
        "AP LLD": ("OTHER", "left decubitus"),
        "gonzo": ("OTHER", ""),
        "": ("unknown", ""),
    }
    rows = []
    for number, view in enumerate(words):
        tree.image(f"{number:02d}.png")
        rows.append((f"{number:02d}", f"{number:02d}.png", "Clear.", view))
    tree.table("manifest.csv", "study_id,image,report,view", *rows)
    manifest = tree.manifest()
    assert [(row.images[0].view, row.images[0].position) for row in manifest.rows] == list(words.values())
    # Nothing is lost where the manifest is written and read again.
    manifest.write(tree.root / "again.jsonl")
    again = resolve_manifest(Roots(tree.root / "again.jsonl"))
    assert [row.images[0] for row in again.rows] == [row.images[0] for row in manifest.rows]
    frontal = tree.manifest(views=("PA", "AP"))
    assert [row.study_key for row in frontal.rows] == ["00", "01", "02", "05", "06"]
