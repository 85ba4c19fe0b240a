"""Data set cards and Croissant metadata."""

from __future__ import annotations

import hashlib
import json

import pytest
from builders import build_study
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application
from neuralgraph.collection import Collection, StudyReceipt, add

pytest.importorskip("duckdb", reason="the extra catalog is not installed")


@pytest.fixture
def published(tmp_path):
    collection = Collection.create(tmp_path / "collection", archive_studies=3)
    ng.save([build_study(seed=seed, patches=3, dim=4) for seed in range(5)], tmp_path / "a.ngr")
    add(collection, [tmp_path / "a.ngr"], receipts={f"study-{n}": StudyReceipt(patient="p-secret") for n in range(5)})
    folder = tmp_path / "public"
    folder.mkdir()
    arguments = ["card", collection.room.where, "-o", str(folder / "README.md"), "--license", "cc-by-4.0"]
    run = CliRunner().invoke(
        application(["card", "info"]), [*arguments, "--name", 'Films "A|B"', "--date", "2026-11-29"]
    )
    assert run.exit_code == 0, run.output
    return folder


def test_the_card_says_what_was_counted(published):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    text = (published / "README.md").read_text()
    _, head, body = text.split("---\n", 2)
    metadata = yaml.safe_load(head)
    assert metadata["license"] == "cc-by-4.0"
    assert metadata["pretty_name"] == 'Films "A|B"'
    assert metadata["size_categories"] == ["n<1K"]
    assert [config["data_files"] for config in metadata["configs"]] == [
        "catalog.parquet",
        "catalog.concepts.parquet",
        "catalog.triples.parquet",
    ]
    assert "| studies | 5 |" in body
    assert "| pneumonia | 5 | 0 | 0 | 0 |" in body
    assert "given: 5 (100.0%)" in body
    assert "to be filled in" in body


def test_croissant_names_every_file_and_column(published):
    from pyarrow import parquet

    metadata = json.loads((published / "croissant.json").read_text())
    assert metadata["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert metadata["license"] == "cc-by-4.0"
    for file in metadata["distribution"]:
        path = published / file["contentUrl"]
        assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    for records, file in zip(metadata["recordSet"], metadata["distribution"], strict=True):
        columns = [field["source"]["extract"]["column"] for field in records["field"]]
        assert columns == parquet.read_schema(published / file["contentUrl"]).names


def test_croissant_validates(published):
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    dataset = mlcroissant.Dataset(jsonld=str(published / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors


def test_patients_are_not_published(published):
    for path in published.iterdir():
        assert b"p-secret" not in path.read_bytes()
        assert b"patient\x00" not in path.read_bytes()
    from pyarrow import parquet

    assert "patient" not in parquet.read_schema(published / "catalog.parquet").names
