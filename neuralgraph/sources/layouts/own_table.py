"""A table of one's own: csv, JSON lines or Parquet, its columns under the names of ``columns``."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuralgraph.errors import SourceError, missing_extra
from neuralgraph.sources.layouts.columns import TableUse, missing_image, read_as
from neuralgraph.sources.layouts.spreadsheet import Spreadsheet, read_spreadsheet, spreadsheet
from neuralgraph.sources.layouts.tables import reading_table

__all__ = ["TABLE_SUFFIXES", "OwnTable", "open_table"]

TABLE_SUFFIXES: tuple[str, ...] = (".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz", ".tsv.gz", ".jsonl.gz")
"""Names of tables end so, in any case."""

_MOST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True)
class OwnTable:
    """A table, and what is read of it."""

    path: Path
    use: TableUse
    sheet: Spreadsheet | None = None
    """How a csv is written."""

    def rows(self) -> Iterator[dict[str, Any] | None]:
        """The rows under the names of ``columns.COLUMNS``, labels as "label.<name>"; None for one that cannot be read.

        Raises
        ------
        SourceError : as ``open_table``.
        """
        if self.sheet is not None:
            rows: Iterator[dict[str, Any] | None] = iter(read_spreadsheet(self.sheet))
        elif _kind(self.path) == ".parquet":
            rows = _parquet(self.path)
        else:
            for row in _json_lines(self.path):
                # Every line may have columns of its own.
                yield row and _renamed(row, read_as(row)[0])
            return
        for row in rows:
            yield row and _renamed(row, self.use.columns)


def open_table(path: Path) -> OwnTable:
    """A table, its columns recognised.

    Raises
    ------
    SourceError (E_SOURCE_READ) : it cannot be read, or has no column of images.
    SourceError (E_SOURCE_EMPTY) : no header.
    SourceError (E_SOURCE_TEXT) : not a text.
    SourceError (E_SOURCE_DAMAGED) : broken quoting or compression.
    SourceError (E_SOURCE_TYPE) : another kind of file.
    MissingExtraError (E_EXTRA) : Parquet without pyarrow.
    """
    kind, sheet, warning = _kind(path), None, ""
    if kind in (".csv", ".tsv"):
        sheet = spreadsheet(path)
        names, form, warning = list(sheet.header), sheet.form, sheet.warning
    elif kind == ".parquet":
        names, form = _parquet_columns(path), "Parquet"
    else:
        names, form = list(dict.fromkeys(name for row in _json_lines(path) for name in row or ())), "JSON lines"
    columns, ignored = read_as(names)
    if names and not {"image", "dropped"} & set(columns.values()):
        raise SourceError(missing_image([name for name in names if name]), code="E_SOURCE_READ", where=path.name)
    return OwnTable(path, TableUse(path.name, form, columns, ignored, warning), sheet)


def _kind(path: Path) -> str:
    """The suffix, without that of compression.

    Raises
    ------
    SourceError (E_SOURCE_TYPE) : no table.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    if kind not in TABLE_SUFFIXES:
        hint = "; save the sheet as 'CSV UTF-8'" if kind in (".xlsx", ".xls", ".ods") else ""
        raise SourceError(
            f"a manifest is .csv, .tsv, .jsonl (each may end in .gz) or .parquet{hint}", code="E_SOURCE_TYPE"
        )
    return kind


def _renamed(row: dict[str, Any], columns: dict[str, str]) -> dict[str, Any]:
    return {columns[name]: value for name, value in row.items() if name in columns}


def _json_lines(path: Path) -> Iterator[dict[str, Any] | None]:
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with reading_table(path), opened(path, "rb") as stream:
        first = True
        while line := stream.readline(_MOST_LINE):
            if len(line) >= _MOST_LINE:
                raise SourceError("a line of the table is longer than any report", code="E_SOURCE_SIZE")
            text = line.removeprefix(b"\xef\xbb\xbf") if first else line
            first = False
            if text.strip():
                yield _json_row(text)


def _json_row(line: bytes) -> dict[str, Any] | None:
    """A line is a study of its own, and so is what is wrong with it."""
    try:
        row = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _parquet_columns(path: Path) -> list[str]:
    with _parquet_file(path) as file:
        return [str(name) for name in file.schema_arrow.names]


def _parquet(path: Path) -> Iterator[dict[str, Any] | None]:
    from pyarrow import ArrowException

    try:
        with _parquet_file(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from batch.to_pylist()
    except ArrowException as error:
        raise SourceError("the table is damaged", code="E_SOURCE_DAMAGED", where=path.name) from error


def _parquet_file(path: Path) -> Any:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise missing_extra("reading a Parquet manifest", extra="bulk", library="pyarrow") from error
    try:
        return ParquetFile(path)
    except ArrowException as error:
        raise SourceError("the table is damaged", code="E_SOURCE_DAMAGED", where=path.name) from error
    except OSError as error:
        raise SourceError("the table cannot be read", code="E_SOURCE_READ", where=path.name) from error
