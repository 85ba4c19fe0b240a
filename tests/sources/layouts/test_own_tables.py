"""Tables as people have them: names of columns, separators, encodings, and what is said of what is not read."""

import gzip
import json

import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts import COLUMNS, Roots, columns_text, resolve_manifest
from neuralgraph.sources.layouts.columns import read_as
from neuralgraph.sources.layouts.own_table import open_table


def rows(path):
    return list(open_table(path).rows())


@pytest.mark.parametrize(
    "name",
    ["image", "Image", "IMAGE", "image_path", "Image Path", "imagePath", "image-path", "path", "Path", "filename",
     "FileName", "file", "file_path", "dicom_path"],
)  # fmt: skip
def test_the_column_of_images_has_many_names(tree, name):
    tree.image("film.png")
    tree.table("manifest.csv", f"{name},report", ("film.png", "Clear."))
    manifest = tree.manifest()
    assert [row.images[0].path for row in manifest.rows] == [str(tree.root / "film.png")]
    assert manifest.table.columns == {name: "image", "report": "report"}
    assert manifest.table.ignored == {}


def test_findings_and_impression_are_the_report(tree):
    tree.image("film.png")
    tree.table(
        "manifest.csv",
        "study_id,image,Findings,IMPRESSION,report",
        ("a", "film.png", "Large effusion.", "Effusion.", ""),
        ("b", "film.png", "", "Effusion.", ""),
        ("c", "film.png", "Large effusion.", " ", ""),
        ("d", "film.png", "Large effusion.", "Effusion.", "All of it."),
        ("e", "film.png", "", "", ""),
    )
    manifest = tree.manifest()
    assert [row.report for row in manifest.rows] == [
        "FINDINGS:\nLarge effusion.\n\nIMPRESSION:\nEffusion.",
        "IMPRESSION:\nEffusion.",
        "FINDINGS:\nLarge effusion.",
        "All of it.",
        None,
    ]
    assert manifest.without_report == 1
    assert manifest.parts["report"] == 4


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"image,report\r\nfilm.png,Clear.\r\n", "separated by commas, UTF-8"),
        (b"image;report\r\nfilm.png;Clear.\r\n", "separated by semicolons, UTF-8"),
        (b"image\treport\nfilm.png\tClear.\n", "separated by tabs, UTF-8"),
        (b"image|report\nfilm.png|Clear.\n", "separated by bars, UTF-8"),
        (b"\xef\xbb\xbfimage;report\r\nfilm.png;Clear.\r\n", "separated by semicolons, UTF-8"),
        (b'\xef\xbb\xbf"image";"report"\r\n"film.png";"Clear."\r\n', "separated by semicolons, UTF-8"),
        (b"sep=;\r\nimage;report\r\nfilm.png;Clear.\r\n", "separated by semicolons, UTF-8"),
        ("image\treport\r\nfilm.png\tClear.\r\n".encode("utf-16"), "separated by tabs, UTF-16"),
        (b"\xfe\xff" + "image\treport\r\nfilm.png\tClear.\r\n".encode("utf-16-be"), "separated by tabs, UTF-16"),
        (b"image,report,,\r\nfilm.png,Clear.,,\r\n,,,\r\n", "separated by commas, UTF-8"),
        (b"image,report\r\nfilm.png,Clear.,,\r\n", "separated by commas, UTF-8"),
        (b'"image","report"\r\n"film.png","Clear."', "separated by commas, UTF-8"),
    ],
)  # fmt: skip
def test_separators_and_encodings(tree, content, form):
    path = tree.file("t.csv", content)
    assert rows(path) == [{"image": "film.png", "report": "Clear."}]
    assert open_table(path).use.form == form
    assert rows(tree.file("t.csv.gz", gzip.compress(content))) == rows(path)


def test_cells_with_newlines_quotes_and_separators(tree):
    path = tree.file("t.csv", b'"image";"report"\r\n"a.png;b.png";"FINDINGS:\r\nA ""large""; effusion, right.\r\n"\r\n')
    assert rows(path) == [{"image": "a.png;b.png", "report": 'FINDINGS:\r\nA "large"; effusion, right.'}]
    tree.image("a.png")
    tree.image("b.png")
    (row,) = resolve_manifest(Roots(path)).rows
    assert len(row.images) == 2


def test_what_the_plain_csv_of_excel_says_is_a_guess(tree):
    path = tree.file("t.csv", "image;report\r\nfilm.png;Kleiner Erguß – rechts.\r\n".encode("cp1252"))
    assert rows(path)[0]["report"] == "Kleiner Erguß – rechts."
    assert "Windows-1252" in open_table(path).use.warning
    path = tree.file("u.csv", "image;report\r\nfilm.png;Kleiner Erguß – rechts.\r\n".encode())
    assert rows(path)[0]["report"] == "Kleiner Erguß – rechts."
    assert open_table(path).use.warning == ""


def test_one_study_whose_letters_are_damaged_costs_no_other(tree):
    content = "image;report\nfilm.png;Erguß rechts.\nb.png;Erguß links.\nc.png;".encode() + b"\xff kaputt.\n"
    path = tree.file("t.csv", content)
    table = open_table(path)
    assert [row["report"] for row in table.rows()][:2] == ["Erguß rechts.", "Erguß links."]
    assert "refused" in table.use.warning
    path = tree.file("t.jsonl", b'{"image": "a.png", "report": "\xff"}\n{"image": "b.png"}\n{"image": 3\n[]\n')
    assert rows(path) == [None, {"image": "b.png"}, None, None]


def test_a_report_longer_than_the_library_would_have_it(tree):
    report = "Clear. " * 40_000
    path = tree.file("t.csv", f'image,report\nfilm.png,"{report}"\n')
    assert rows(path)[0]["report"] == report.strip()


def test_paths_that_were_written_on_windows(tree):
    tree.image("films/a.png")
    tree.file("reports/a.TXT", "Clear.")
    tree.table("manifest.csv", "image,report", ("films\\a.png", "reports\\a.TXT"))
    (row,) = tree.manifest().rows
    assert row.images[0].path == str(tree.root / "films/a.png")
    assert row.report_path == str(tree.root / "reports/a.TXT")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("imgae,report", "did you mean 'imgae'"),
        ("images,report", "did you mean 'images'"),
        ("picture,age", "its columns are 'picture', 'age'"),
    ],
)
def test_a_missing_column_is_told_with_what_may_have_been_meant(tree, header, said):
    path = tree.file("t.csv", f"{header}\na.png,x\n")
    with pytest.raises(SourceError) as caught:
        open_table(path)
    assert said in caught.value.message
    assert "'image'" in caught.value.message


def test_what_is_ignored_is_told():
    columns, ignored = read_as(["image", "path", "finding", "age", "patientid", "Label.Edema", "edema", "label.x y"])
    assert columns == {
        "image": "image",
        "patientid": "patient_id",
        "Label.Edema": "label.Edema",
        "edema": "label.edema",
        "label.x y": "label.x y",
    }
    assert ignored == {"path": "", "finding": "findings", "age": ""}
    assert read_as(["Image", "image"]) == ({"image": "image"}, {"Image": ""})
    assert read_as(["path", "image_path"]) == ({"image_path": "image"}, {"path": ""})


def test_names_of_splits(tree):
    tree.image("a.png")
    names = ("training", "Val", "dev", "TEST", "holdout")
    tree.table("manifest.csv", "study_id,image,split", *((name, "a.png", name) for name in names))
    assert {row.study_key: row.split for row in tree.manifest().rows} == {
        "training": "train",
        "Val": "validate",
        "dev": "validate",
        "TEST": "test",
        "holdout": "holdout",
    }


def test_kinds_of_files(tree):
    for name in ("t.xlsx", "t", "t.txt.gz"):
        with pytest.raises(SourceError) as caught:
            open_table(tree.file(name, b"x"))
        assert caught.value.code == "E_SOURCE_TYPE"
    assert rows(tree.file("T.CSV", b"image\na.png\n")) == [{"image": "a.png"}]
    assert rows(tree.file("t.tsv", b"image\treport\na.png\tx\n")) == [{"image": "a.png", "report": "x"}]


def test_reports_beside_films_in_any_case(tree):
    for name in ("film.png", "b/FILM.png", "c/x.png", "c/X.png", "d/two.png", "e/none.png"):
        tree.image(name)
    for name in ("film.TXT", "b/film.Txt", "c/x.txt", "c/X.TXT", "d/two.TXT", "d/two.txt"):
        tree.file(name, "Clear.")
    found = {
        row.study_key: row.report_path and row.report_path.removeprefix(f"{tree.root}/") for row in tree.manifest().rows
    }
    assert found == {
        "film.png": "film.TXT",
        "b/FILM.png": "b/film.Txt",
        "c/x.png": "c/x.txt",
        "c/X.png": "c/X.TXT",
        "d/two.png": "d/two.txt",
        "e/none.png": None,
    }


def test_what_studies_have_is_counted(tree):
    for name in ("a.png", "b.png"):
        tree.image(name)
    tree.table(
        "manifest.csv",
        "study_id,patient_id,image,report,view,split,label.nodule",
        ("s1", "p1", "a.png;b.png", "Clear.", "PA", "train", "1"),
        ("s2", "p1", "a.png", "", "", "", ""),
    )
    parts = tree.manifest().parts
    assert {name: parts[name] for name in ("films", "several_films", "report", "patient", "patients", "view")} == {
        "films": 3, "several_films": 1, "report": 1, "patient": 2, "patients": 1, "view": 1,
    }  # fmt: skip
    assert (parts["split"], parts["labels"]) == ({"train": 1}, {"nodule": 1})


def test_names_that_are_no_text_are_written_and_read_back(tree, tmp_path):
    name = b"f\xff.png".decode(errors="surrogateescape")
    try:
        tree.image(name)
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    manifest = tree.manifest()
    manifest.write(tmp_path / "m.jsonl")
    assert resolve_manifest(Roots(tmp_path / "m.jsonl")).rows[0].images[0].path == str(tree.root / name)


def test_the_help_names_every_column():
    from neuralgraph.cli.convert import convert

    assert columns_text() in " ".join(convert.__doc__.split())
    assert len({name for column in COLUMNS for name in (column.name, *column.also)}) == sum(
        1 + len(column.also) for column in COLUMNS
    )
    assert json.dumps([column.meaning for column in COLUMNS])


def test_patients_give_a_split_that_stays_when_data_is_added(tree):
    tree.image("a.png")

    def splits(*rows, header="study_id,patient_id,image"):
        tree.table("manifest.csv", header, *rows)
        return {row.study_key: row.split for row in tree.manifest().rows}

    few = [(f"s{n}", f"p{n % 20}", "a.png") for n in range(40)]
    before = splits(*few)
    assert set(before.values()) == {"train", "validate", "test"}
    assert all(before[f"s{n}"] == before[f"s{n + 20}"] for n in range(20))
    after = splits(*few, *((f"t{n}", f"q{n}", "a.png") for n in range(1000)))
    assert before.items() <= after.items()
    shares = [sum(split == name for split in after.values()) / len(after) for name in ("train", "validate", "test")]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.04)
    # A study whose patient is not known is in no part.
    assert splits(*few, ("x", "", "a.png"))["x"] == ""
    assert set(splits(("s1", "a.png"), header="study_id,image").values()) == {""}


def test_a_split_that_is_given_wins(tree):
    tree.image("a.png")
    tree.table("manifest.csv", "study_id,patient_id,image,split", ("a", "p1", "a.png", "val"), ("b", "p2", "a.png", ""))
    assert {row.study_key: row.split for row in tree.manifest().rows} == {"a": "validate", "b": ""}
    assert [row.study_key for row in tree.manifest(splits=("validate",)).rows] == ["a"]


def test_studies_and_failures_can_be_looked_up(tree, tmp_path):
    from neuralgraph.bulk.plan import make_plan, study_ids
    from neuralgraph.bulk.pseudonyms import Pseudonyms

    tree.image("a.png")
    tree.table("manifest.csv", "study_id,image", ("a", "a.png"), ("b", "gone.png"))
    manifest, key = tree.manifest(), Pseudonyms(b"0123456789abcdef")
    for keep_ids in (False, True):
        manifest.write(tmp_path / "m.jsonl", study_ids(manifest, key, keep_ids=keep_ids))
        named = {
            row["study_id"]: row["converted_as"]
            for row in map(json.loads, (tmp_path / "m.jsonl").read_text().splitlines())
        }
        plan = make_plan(manifest, key, keep_ids=keep_ids)
        assert named == {"a": plan.studies[0].study_id, "b": plan.faults[0].study}
