"""Whole files into memory, bounded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from neuralgraph.errors import SourceError

__all__ = ["read_whole_file"]


def read_whole_file(path: str | os.PathLike[str], *, max_bytes: int) -> bytes:
    """The bytes of a regular file.

    The path does not occur in the error texts: whoever asked knows it and says it.

    Parameters
    ----------
    path : the file.
    max_bytes : the most that is read.

    Raises
    ------
    SourceError
        E_SOURCE_READ: missing, not a regular file, or not readable. E_SOURCE_EMPTY. E_SOURCE_SIZE: over the bound.
    """
    try:
        # Asked before opening: opening a pipe would wait for its writer.
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise SourceError("a folder, not a file; give one file")
        if not stat.S_ISREG(mode):
            raise SourceError("not a regular file")
        with open(path, "rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise SourceError("no such file") from error
    except PermissionError as error:
        raise SourceError("no permission to read the file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not one this system can open"
        raise SourceError(f"the file cannot be read: {reason}") from error
    if not data:
        raise SourceError("the file has no content", code="E_SOURCE_EMPTY")
    if len(data) > max_bytes:
        raise SourceError(f"the file is larger than the limit of {max_bytes} bytes", code="E_SOURCE_SIZE")
    return data
