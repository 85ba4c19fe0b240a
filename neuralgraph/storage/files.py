"""Local files as sources of bytes."""

from __future__ import annotations

import os
from pathlib import Path

from neuralgraph.errors import FormatError

__all__ = ["FileSource", "read_error"]


def read_error(path: str | os.PathLike[str], error: OSError) -> FormatError:
    """The error for a file that the system will not read."""
    reason = error.strerror or type(error).__name__
    return FormatError(f"cannot read the file ({reason})", code="E_OPEN", where=str(path))


class FileSource:
    """A file read with positioned reads: each access copies just the bytes asked for, and cannot fault like a map.

    Raises
    ------
    FormatError (E_OPEN) : the file does not exist, is no regular file or may not be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise FormatError("this is a folder, not a file", code="E_OPEN", where=str(path))
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            self.size = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise read_error(path, error) from error

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from ``offset``.

        Raises
        ------
        FormatError (E_TRUNCATED) : the file has become shorter.
        FormatError (E_OPEN) : the system refuses to read.
        """
        pieces, missing = [], length
        while missing:
            try:
                piece = os.pread(self._descriptor, missing, offset + length - missing)
            except OSError as error:
                raise read_error(self.path, error) from error
            if not piece:
                raise FormatError("the file became shorter while it was read", code="E_TRUNCATED", where=str(self.path))
            pieces.append(piece)
            missing -= len(piece)
        return memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> FileSource:
        """The source itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()
