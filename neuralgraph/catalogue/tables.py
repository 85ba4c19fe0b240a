"""Catalogues as Parquet: three files beside each other, in one stable form, that any tool reads.

    catalog.parquet            one row a study
    catalog.concepts.parquet   one row a concept
    catalog.triples.parquet    one row a triple

The types of columns are Parquet's own: no Arrow schema is put into the files, so that readers without Arrow's
dictionaries, and ``datasets.load_dataset``, take them as they are.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from neuralgraph.access.files import located
from neuralgraph.access.places import Place
from neuralgraph.catalogue.paths import catalogue_paths
from neuralgraph.codecs.registry import ExtraCodecs
from neuralgraph.graph.study import Study
from neuralgraph.rows.columns import LABEL, TABLES, arrow
from neuralgraph.rows.tables import Rows, schema_of
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.atomic import atomic_file, check_writable
from neuralgraph.storage.gate import prove
from neuralgraph.storage.opening import open_archive

__all__ = ["joined", "merge", "write_catalogue", "write_parquet"]

_BATCH = 8192
"""Studies whose rows are held at once."""
_ROW_GROUP = 65_536


def write_parquet(table: Any, stream: BinaryIO) -> None:
    """An Arrow table as Parquet; the same table gives the same bytes under one version of pyarrow."""
    arrow()
    from pyarrow import parquet

    parquet.write_table(
        table, stream, compression="zstd", compression_level=9, row_group_size=_ROW_GROUP, store_schema=False
    )


def merge(sources: Mapping[str, Sequence[Any]], target: Path, *, without: Collection[str] = ()) -> None:
    """Catalogues that follow each other as one; label columns are those of any.

    Parameters
    ----------
    sources : by table, Parquet files in order: paths, or open streams.
    target : the file of studies to write; the others go beside it.
    without : names of columns to leave out.
    """
    arrow()
    from pyarrow import parquet

    for table, path in catalogue_paths(target).items():
        names = {name for source in sources[table] for name in parquet.read_schema(source).names}
        schema = _schema(table, names, without=without)
        with (
            atomic_file(path) as stream,
            parquet.ParquetWriter(
                stream, schema, compression="zstd", compression_level=9, store_schema=False
            ) as writer,
        ):
            for batch in _batches(sources[table], schema):
                writer.write_table(batch, row_group_size=_ROW_GROUP)


def joined(tables: Sequence[Any], table: str) -> Any:
    """Arrow tables of one kind as one; label columns are those of any, in order."""
    schema = _schema(table, {name for found in tables for name in found.column_names})
    return arrow().concat_tables([_fitted(found, schema) for found in tables])


def _schema(table: str, names: Iterable[str], *, without: Collection[str] = ()) -> Any:
    """The schema of a table with the labels among ``names``; texts are texts, not dictionaries of them."""
    pa = arrow()
    schema = schema_of(table, {name.removeprefix(LABEL) for name in names if name.startswith(LABEL)})
    return pa.schema(
        [
            pa.field(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
            for field in schema
            if field.name not in without
        ]
    )


def _fitted(table: Any, schema: Any) -> Any:
    """A table with these columns; those that it has not are null."""
    pa = arrow()
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _batches(sources: Iterable[Any], schema: Any) -> Iterator[Any]:
    """Tables of about a row group, missing columns filled with nulls."""
    pa = arrow()
    from pyarrow import parquet

    waiting, rows = [], 0
    for source in sources:
        table = parquet.read_table(source)
        waiting.append(_fitted(table, schema))
        rows += len(table)
        if rows >= _ROW_GROUP:
            yield pa.concat_tables(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def write_catalogue(
    places: Sequence[Place],
    target: str | os.PathLike[str],
    *,
    extra_codecs: ExtraCodecs | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Read every study of archives and write their catalogue; how many studies.

    Parameters
    ----------
    places : what ``neuralgraph.open`` takes.
    target : the file of studies, "catalog.parquet"; concepts and triples are written beside it.
    extra_codecs : as for ``neuralgraph.open``.
    progress : told how many studies of how many are done.

    Raises
    ------
    FormatError, StudyError : a study is damaged or breaks a rule; nothing is written.
    MissingExtraError (E_EXTRA) : pyarrow is not installed.
    OutputError (E_OUTPUT, E_WRITE) : the files cannot be written.
    """
    arrow()
    check_writable(target)
    with (
        open_archive(list(places), extra_codecs=extra_codecs) as archive,
        tempfile.TemporaryDirectory(prefix="ngr-catalogue-") as folder,
    ):
        parts: dict[str, list[Path]] = {table: [] for table in TABLES}
        done = 0
        for rows in archive_rows(archive):
            done += len(rows)
            for table, found in rows.tables().items():
                part = Path(folder, f"{len(parts[table]):06d}.{table}")
                with open(part, "wb") as stream:
                    write_parquet(found, stream)
                parts[table].append(part)
            if progress is not None:
                progress(done, len(archive))
        merge(parts, Path(target))
    return done


def archive_rows(archive: Archive) -> Iterator[Rows]:
    """The rows of all studies, some thousand studies at a time; archives are called by their file names."""
    rows = Rows("")
    for path, _, container in archive.files:
        rows.archive = str(path).rsplit("/", 1)[-1]
        for position in range(len(container)):
            with located(path):
                data = container.record_bytes(position)
                study = Study.from_columns(prove(container, position, data=data))
            rows.add(study, position=position, record_bytes=len(data))
            if len(rows) == _BATCH:
                yield rows
    if len(rows):
        yield rows
