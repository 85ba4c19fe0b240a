"""What a conversion into a collection may have left beside it, when a study of it is removed.

The intake (``neuralgraph.bulk.intake``) holds files and receipts only until they are committed; a run that was killed
leaves them. Removing a study looks there too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection as Ids
from pathlib import Path

from neuralgraph.errors import CollectionError, OutputError
from neuralgraph.storage.atomic import atomic_file

__all__ = ["INTAKE", "check_idle", "forget"]

INTAKE = ".intake"
"""The folder of the intake, in that of the collection."""


def check_idle(collection: Path) -> None:
    """Refuse while a conversion into the collection is running: it may be making the study that is to be removed.

    Raises
    ------
    CollectionError (E_CONFLICT) : one is.
    """
    for path in sorted((collection / INTAKE).glob("*/lock-*")):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            reason = "a conversion into the collection is running; remove when it has ended"
            raise CollectionError(reason, code="E_CONFLICT", where=str(collection)) from error
        finally:
            os.close(descriptor)


def forget(collection: Path, study_ids: Ids[str]) -> None:
    """Delete the files of these studies in the intake, and the lines of its lists that name them.

    Raises
    ------
    OutputError (E_WRITE) : a file cannot be changed.
    """
    names = {study_id.encode() for study_id in study_ids}
    for path in sorted((collection / INTAKE).rglob("*")):
        try:
            if not path.is_file() or path.name == "key" or path.name.startswith("lock-"):
                continue
            if path.name.rsplit(".", 1)[0] in study_ids:
                path.unlink()
                continue
            if path.suffix not in (".jsonl", ".csv"):
                continue
            lines = path.read_bytes().splitlines(keepends=True)
        except OSError as error:
            reason = f"the intake cannot be searched ({error.strerror})"
            raise OutputError(reason, code="E_WRITE", where=str(path)) from error
        left = [line for line in lines if not any(name in line for name in names)]
        if len(left) < len(lines):
            with atomic_file(path) as stream:
                stream.writelines(left)
