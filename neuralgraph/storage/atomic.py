"""Files are written aside and renamed: at any moment the target is absent, old and whole, or new and whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from neuralgraph.errors import OutputError

__all__ = ["atomic_file", "check_writable"]


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a target that cannot be created, before any work is spent on it.

    Raises
    ------
    OutputError (E_OUTPUT) : the folder does not exist or cannot be written to, or the target is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError("the output is a folder, give a file name", where=str(path))
    if not target.parent.is_dir():
        raise OutputError("the folder of the output does not exist, create it first", where=str(path))
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError("no permission to write in the folder of the output", where=str(path))


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary stream whose content appears at ``path`` when the block ends without an exception.

    The bytes are flushed to disk before the rename, and the folder after it, so that a power cut leaves the old file or
    the new one. On an exception nothing is left behind; a process killed outright may leave a hidden file ending in
    ``.partial`` beside the target, never a partial target.

    Raises
    ------
    OutputError (E_OUTPUT) : the place cannot be written to.
    OutputError (E_WRITE) : writing failed on the way, for example because the disk is full.
    """
    check_writable(path)
    target = Path(path)
    aside = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.partial")
    try:
        stream = open(aside, "xb")  # noqa: SIM115  closed below, where the order of flush, close and rename is fixed
    except OSError as error:
        raise OutputError(f"cannot create the output ({_reason(error)})", where=str(path)) from error
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, target)
        _sync_folder(target.parent)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(f"writing the output failed ({_reason(error)})", code="E_WRITE", where=str(path)) from error
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
