"""Local files as sources of bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neuralgraph.errors import FormatError, NeuralGraphError, OutputError

__all__ = ["FileSource", "is_folder", "located", "read_error"]


@contextmanager
def located(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the name of a file in front of the place that an error from it names."""
    try:
        yield
    except OutputError:
        # Its place is the file that was to be written.
        raise
    except NeuralGraphError as error:
        if error.where != str(path):
            error.where = f"{path}: {error.where}" if error.where else str(path)
        raise


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder; no error for paths that cannot be looked at, opening them says why."""
    return os.path.isdir(path)


def read_error(path: str | os.PathLike[str], error: OSError | ValueError) -> FormatError:
    """The error for a file that the system will not read."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return FormatError(f"cannot read the file ({reason})", code="E_OPEN", where=str(path))


class FileSource:
    """A file read with positioned reads: each access copies just the bytes asked for.

    Parameters
    ----------
    path : the file.
    keep_open : hold it open. Otherwise each access opens it anew, so that there may be any number of sources.

    Raises
    ------
    FormatError (E_OPEN) : the file does not exist, is no regular file or may not be read.
    """

    far, at_hand_from = False, 0

    def __init__(self, path: str | os.PathLike[str], *, keep_open: bool = True) -> None:
        self.path = Path(path)
        self._descriptor, self._closed, self._identity = -1, False, (0, 0, 0, 0)
        descriptor, status = self._open()
        self.size = status.st_size
        self._identity = _identity(status)
        if keep_open:
            self._descriptor = descriptor
        else:
            os.close(descriptor)

    def _open(self) -> tuple[int, os.stat_result]:
        """A new descriptor of the file, and what the system says of it."""
        if is_folder(self.path):
            raise FormatError("this is a folder, not a file", code="E_OPEN", where=str(self.path))
        try:
            # Without waiting: a pipe that nobody writes to would never open.
            flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
            descriptor = os.open(self.path, flags)
            status = os.fstat(descriptor)
        except (OSError, ValueError) as error:
            raise read_error(self.path, error) from error
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise FormatError("this is a device or a pipe, not a file", code="E_OPEN", where=str(self.path))
        return descriptor, status

    @contextmanager
    def at_work(self) -> Iterator[int]:
        """A descriptor for one access."""
        if self._closed:
            raise FormatError("the file has been closed", code="E_OPEN", where=str(self.path))
        if self._descriptor >= 0:
            yield self._descriptor
            return
        descriptor, status = self._open()
        try:
            self._check(status)
            yield descriptor
        finally:
            os.close(descriptor)

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from ``offset``, of a file that nobody has written to since it was opened.

        Raises
        ------
        FormatError (E_TRUNCATED, E_TRAILING) : the file has become shorter or longer.
        FormatError (E_OPEN) : it was written to, or the system refuses to read.
        """
        pieces, missing = [], length
        with self.at_work() as descriptor:
            while missing:
                try:
                    piece = os.pread(descriptor, missing, offset + length - missing)
                except OSError as error:
                    raise read_error(self.path, error) from error
                if not piece:
                    raise self._shorter()
                pieces.append(piece)
                missing -= len(piece)
            self._check(os.fstat(descriptor))
        return memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _shorter(self) -> FormatError:
        return FormatError("the file became shorter while it was read", code="E_TRUNCATED", where=str(self.path))

    def expect(self, offset: int, length: int) -> None:
        """Tell the system that these bytes will be read soon, where it listens."""
        if self._descriptor >= 0 and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, offset, length, os.POSIX_FADV_WILLNEED)

    def check_unchanged(self) -> None:
        """Refuse a file whose size or time of change is another than when it was opened.

        Raises
        ------
        FormatError (E_TRUNCATED, E_TRAILING) : it has become shorter or longer.
        FormatError (E_OPEN) : it was written to, or has been closed.
        """
        with self.at_work() as descriptor:
            self._check(os.fstat(descriptor))

    def _check(self, status: os.stat_result) -> None:
        if status.st_size != self.size:
            code = "E_TRUNCATED" if status.st_size < self.size else "E_TRAILING"
            reason = f"the file had {self.size} bytes, now {status.st_size}"
            raise FormatError(reason, code=code, where=str(self.path))
        if _identity(status) != self._identity:
            reason = "the file was replaced or changed while it was open; open it again"
            raise FormatError(reason, code="E_OPEN", where=str(self.path))

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        self._closed = True
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> FileSource:
        """The source itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def __del__(self) -> None:
        """Close a file that nobody closed."""
        if getattr(self, "_descriptor", -1) >= 0:
            self.close()


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
