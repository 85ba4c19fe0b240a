"""Receipts: one line per file that is finished, written and flushed to disk after the file itself.

A receipt holds a pseudonym, keyed hashes of what went in, and the digest of what came out: nothing of the source. A
line that a crash cut short is worth nothing: its study is converted again, to the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neuralgraph.bulk.facts import StudyFacts, read_facts
from neuralgraph.errors import OutputError

__all__ = ["PackReceipt", "Receipt", "ReceiptFile", "read_receipts"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One study was written."""

    study: str
    """Pseudonym."""
    given: str
    """Keyed hash of what it was made from: another film, report text, label or list of images makes another hash."""
    sha256: str
    """Of its file."""
    facts: StudyFacts | None = None
    """What is counted of it, so that a later run can sum up what it did not make."""
    seen: str = ""
    """Keyed hash of the row and of the sizes and times of its files: what is known by it is not read again."""


@dataclass(frozen=True, slots=True)
class PackReceipt:
    """One archive was written."""

    pack: str
    """Name of the archive."""
    sha256: str
    """Of its file."""
    studies: dict[str, str]
    """Digest of each study's single file, by pseudonym, in the archive's order."""


class ReceiptFile:
    """A file of receipts, open for appending.

    Parameters
    ----------
    path : made when absent. A last line without its end is cut off.

    Raises
    ------
    OutputError (E_WRITE) : it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            data = path.read_bytes()
            self._length = data.rfind(b"\n") + 1
            if self._length != len(data):
                os.ftruncate(self._descriptor, self._length)
        except OSError as error:
            raise OutputError(f"the receipts cannot be kept ({error.strerror})", code="E_WRITE") from error

    def add(self, receipt: Receipt | PackReceipt) -> None:
        """Append a receipt; on return it is on disk.

        Raises
        ------
        OutputError (E_WRITE) : it could not be written; the file is as before.
        """
        line = json.dumps(asdict(receipt)).encode() + b"\n"
        try:
            written = 0
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, self._length)
            raise OutputError(f"a receipt cannot be written ({error.strerror})", code="E_WRITE") from error
        self._length += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_receipts(paths: list[Path]) -> Iterator[Receipt | PackReceipt]:
    """The receipts of files, in order; later ones replace earlier ones. Lines that are none are passed over.

    Raises
    ------
    OutputError (E_WRITE) : a file cannot be read.
    """
    for path in paths:
        try:
            with open(path, "rb") as stream:
                for line in stream:
                    receipt = _receipt(line)
                    if receipt is not None:
                        yield receipt
        except OSError as error:
            raise OutputError(f"the receipts cannot be read ({error.strerror})", code="E_WRITE") from error


def _receipt(line: bytes) -> Receipt | PackReceipt | None:
    try:
        record: dict[str, Any] = json.loads(line)
        if "pack" in record:
            return PackReceipt(**record)
        return Receipt(**{**record, "facts": read_facts(record.get("facts"))})
    except (TypeError, ValueError, RecursionError):
        return None
