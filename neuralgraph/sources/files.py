"""Whole files into memory, bounded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from neuralgraph.errors import SourceError

__all__ = ["read_whole_file"]

_LEAST = 1 << 16


def read_whole_file(path: str | os.PathLike[str], *, max_bytes: int) -> bytes:
    """The bytes of a regular file.

    The path does not occur in the error texts: whoever asked knows it and says it.

    Parameters
    ----------
    path : the file.
    max_bytes : the most that is read.

    Raises
    ------
    SourceError (E_SOURCE_READ) : missing, not a regular file, or not readable.
    SourceError (E_SOURCE_EMPTY)
    SourceError (E_SOURCE_SIZE) : over the bound.
    """
    try:
        # Asked before opening: opening a pipe would wait for its writer.
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise SourceError("a folder, not a file; give one file", code="E_SOURCE_READ")
        if not stat.S_ISREG(status.st_mode):
            raise SourceError("not a regular file", code="E_SOURCE_READ")
        if status.st_size > max_bytes:
            raise _too_large(max_bytes)
        with open(path, "rb") as file:
            # As much as is asked for is set aside at once, however little there is.
            data = file.read(min(max_bytes, max(status.st_size, _LEAST)) + 1)
    except FileNotFoundError as error:
        raise SourceError("no such file", code="E_SOURCE_READ") from error
    except PermissionError as error:
        raise SourceError("no permission to read the file", code="E_SOURCE_READ") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not one this system can open"
        raise SourceError(f"the file cannot be read: {reason}", code="E_SOURCE_READ") from error
    if not data:
        raise SourceError("the file has no content", code="E_SOURCE_EMPTY")
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return data


def _too_large(max_bytes: int) -> SourceError:
    return SourceError(f"the file is larger than the limit of {max_bytes} bytes", code="E_SOURCE_SIZE")
