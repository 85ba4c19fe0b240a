"""The tables of the public data sets, one row at a time: csv or csv.gz, UTF-8, commas."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neuralgraph.errors import SourceError

__all__ = ["CHEXPERT_LABELS", "LABEL_VALUES", "find_table", "label_value", "labels_of", "read_csv", "reading_table"]

CHEXPERT_LABELS: tuple[str, ...] = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
"""The fourteen columns of CheXpert, MIMIC-CXR-JPG and CheXbert (Irvin et al., AAAI 2019). Studies have them in small
letters."""

LABEL_VALUES = (1.0, 0.0, -1.0)
"""What the labels of the public data sets can be."""

_BLANK = frozenset({"", "nan", "none", "null"})


def find_table(folder: Path, *names: str) -> Path | None:
    """The first of these tables that lies in the folder, plain or gzipped; None when there is none."""
    for name in names:
        for candidate in (folder / name, folder / f"{name}.gz"):
            if candidate.is_file():
                return candidate
    return None


def read_csv(path: Path, required: Sequence[str] = ()) -> Iterator[dict[str, str] | None]:
    """The rows of a csv, as strings without white space around; None for a row that does not fit the header.

    Parameters
    ----------
    path : UTF-8, plain or gzipped; a byte order mark is skipped.
    required : columns that must be there.

    Raises
    ------
    SourceError (E_SOURCE_READ) : the table cannot be read or lacks a column.
    SourceError (E_SOURCE_EMPTY) : no header.
    SourceError (E_SOURCE_TEXT) : not UTF-8.
    SourceError (E_SOURCE_DAMAGED) : broken quoting or compression.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with reading_table(path), opened(path, "rt", encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        header = [name.strip() for name in next(reader, [])]
        if not any(header):
            raise SourceError("the table has no header", code="E_SOURCE_EMPTY", where=path.name)
        for name in required:
            if name not in header:
                raise SourceError(f"the table has no column {name!r}", code="E_SOURCE_READ", where=path.name)
        if len(set(header)) != len(header):
            raise SourceError("two columns of the table have the same name", code="E_SOURCE_READ", where=path.name)
        for fields in reader:
            if not fields:
                continue
            yield (
                dict(zip(header, (text.strip() for text in fields), strict=True))
                if len(fields) == len(header)
                else None
            )


@contextmanager
def reading_table(path: Path) -> Iterator[None]:
    """What goes wrong while a table is read, in words that name its file alone.

    Raises
    ------
    SourceError (E_SOURCE_TEXT) : it is not UTF-8.
    SourceError (E_SOURCE_DAMAGED) : broken quoting or compression.
    SourceError (E_SOURCE_READ) : it cannot be read.
    """
    try:
        yield
    except UnicodeError as error:
        raise SourceError("the table is not UTF-8", code="E_SOURCE_TEXT", where=path.name) from error
    except (csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError("the table is damaged or truncated", code="E_SOURCE_DAMAGED", where=path.name) from error
    except OSError as error:
        raise SourceError(
            f"the table cannot be read ({error.strerror})", code="E_SOURCE_READ", where=path.name
        ) from error


def label_value(value: Any, allowed: Sequence[float] = ()) -> float | None:
    """A raw label; None for a blank.

    Raises
    ------
    ValueError : not a finite number, or none of ``allowed``.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in _BLANK):
        return None
    number = float(value)
    if math.isnan(number) and not isinstance(value, str):
        return None
    if not math.isfinite(number) or (allowed and number not in allowed):
        raise ValueError("not a label")
    return number


def labels_of(row: dict[str, Any]) -> dict[str, float]:
    """The labels among the fourteen columns of CheXpert; blanks are left out.

    Raises
    ------
    ValueError : a value other than 1, 0, -1 or blank.
    """
    found = ((name.lower(), label_value(row.get(name), LABEL_VALUES)) for name in CHEXPERT_LABELS)
    return {name: value for name, value in found if value is not None}
