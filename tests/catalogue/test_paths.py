"""Where tables lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.catalogue.paths import catalogue_paths, tables_at
from neuralgraph.collection import Collection, add
from neuralgraph.errors import CollectionError, FormatError

pytest.importorskip("pyarrow", reason="the extra catalog is not installed")


def test_three_files_lie_beside_each_other():
    paths = catalogue_paths(Path("folder") / "catalog.parquet")
    assert [path.name for path in paths.values()] == [
        "catalog.parquet",
        "catalog.concepts.parquet",
        "catalog.triples.parquet",
    ]
    assert tables_at(Path("catalog.parquet"))["concepts"] == ["catalog.concepts.parquet"]


def test_of_a_collection_those_count_that_its_manifest_has(tmp_path):
    collection = Collection.create(tmp_path / "collection", archive_studies=2)
    with pytest.raises(CollectionError, match=r"E_QUERY.*empty"):
        tables_at(tmp_path / "collection")
    ng.save([build_study(seed=seed) for seed in range(3)], tmp_path / "a.ngr")
    add(collection, [tmp_path / "a.ngr"])
    found = tables_at(tmp_path / "collection")
    names = [member.name for member in collection.head().archives]
    assert [Path(file).name for file in found["studies"]] == [f"{name}.studies.parquet" for name in names]
    assert all(Path(file).is_file() for files in found.values() for file in files)
    Path(collection.room.place("manifests"), "000000000002.json").write_bytes(b"{}")
    with pytest.raises(FormatError, match="E_MANIFEST"):
        tables_at(tmp_path / "collection")


def test_a_collection_without_tables_says_so(tmp_path):
    collection = Collection.create(tmp_path / "collection", catalogue=False)
    ng.save(build_study(), tmp_path / "a.ngr")
    add(collection, [tmp_path / "a.ngr"])
    with pytest.raises(CollectionError, match="keeps no catalogue"):
        tables_at(tmp_path / "collection")
