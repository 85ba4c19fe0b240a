"""Where the tables of a catalogue lie: three files beside each other, or those of every archive of a collection."""

from __future__ import annotations

from pathlib import Path

from neuralgraph.errors import CollectionError
from neuralgraph.rows.columns import TABLES
from neuralgraph.storage.manifest import Manifest, is_collection, newest_in_folder

__all__ = ["catalogue_paths", "table_names", "tables_at"]


def catalogue_paths(path: Path) -> dict[str, Path]:
    """The files of a catalogue by table: that of studies is ``path`` itself, "catalog.parquet"."""
    return {
        table: path if table == "studies" else path.with_name(f"{path.stem}.{table}{path.suffix}") for table in TABLES
    }


def table_names(manifest: Manifest, *, where: str) -> dict[str, list[str]]:
    """By table the files of a state of a collection, in the order of its archives; names are those in the collection.

    Parameters
    ----------
    manifest : the state.
    where : names the collection in errors.

    Raises
    ------
    CollectionError (E_QUERY) : the collection keeps no tables, or is empty.
    """
    if not manifest.archives or not all(member.catalogue for member in manifest.archives):
        reason = "the collection is empty" if not manifest.archives else "the collection keeps no catalogue"
        raise CollectionError(reason, code="E_QUERY", where=where)
    return {table: [member.table_path(table) for member in manifest.archives] for table in TABLES}


def tables_at(path: Path) -> dict[str, list[str]]:
    """By table the Parquet files of a catalogue, or of the folder of a collection as it is now.

    Raises
    ------
    CollectionError (E_QUERY) : the collection keeps no tables, or is empty.
    FormatError (E_MANIFEST, E_OPEN) : its manifest is damaged or cannot be read.
    """
    if not is_collection(path):
        return {table: [str(found)] for table, found in catalogue_paths(path).items()}
    names = table_names(newest_in_folder(path), where=str(path))
    return {table: [str(path / name) for name in found] for table, found in names.items()}
