"""The catalogue of a collection: the tables of the archives that count, asked together."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neuralgraph.catalogue.database import Catalogue
from neuralgraph.catalogue.paths import table_names
from neuralgraph.collection.collection import Collection
from neuralgraph.collection.places import Folder
from neuralgraph.storage.manifest import Manifest

__all__ = ["catalogue_of", "find_ids", "table_files", "where_ids"]


@contextmanager
def table_files(collection: Collection, manifest: Manifest | None = None) -> Iterator[dict[str, list[str]]]:
    """Local Parquet files of every table, in the order of the archives; those of a bucket are fetched for the block.

    Raises
    ------
    CollectionError (E_QUERY) : the collection keeps no tables, or is empty.
    """
    state = manifest or collection.head()
    room = collection.room
    names = table_names(state, where=room.where)
    if isinstance(room, Folder):
        yield {table: [room.place(name) for name in found] for table, found in names.items()}
        return
    with tempfile.TemporaryDirectory(prefix="ngr-catalogue-") as folder:
        for name in [name for found in names.values() for name in found]:
            Path(folder, name.rsplit("/", 1)[-1]).write_bytes(room.read(name))
        yield {table: [str(Path(folder, name.rsplit("/", 1)[-1])) for name in found] for table, found in names.items()}


@contextmanager
def catalogue_of(collection: Collection, manifest: Manifest | None = None) -> Iterator[Catalogue]:
    """The catalogue of a state of a collection, to be asked in the block.

    Raises
    ------
    CollectionError (E_QUERY) : the collection keeps no tables, or is empty.
    MissingExtraError (E_EXTRA) : duckdb or pyarrow is not installed.
    """
    with table_files(collection, manifest) as files, Catalogue(files) as catalogue:
        yield catalogue


def find_ids(collection: Collection, question: str, *, generated: bool = False) -> list[str]:
    """Ids of the studies that answer a question in words (``neuralgraph.catalogue.question``)."""
    with catalogue_of(collection) as catalogue:
        return catalogue.find(question, generated=generated)


def where_ids(collection: Collection, manifest: Manifest, condition: str) -> list[str]:
    """Ids of the studies for which an SQL expression over the table ``studies`` holds."""
    with catalogue_of(collection, manifest) as catalogue:
        return catalogue.where(condition)
