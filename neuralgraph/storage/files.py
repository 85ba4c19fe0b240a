"""Local files as sources of bytes."""

from __future__ import annotations

import mmap
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
    """A file read with positioned reads: each access copies just the bytes asked for, and cannot fault like a map.

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
    def _at_work(self) -> Iterator[int]:
        """A descriptor for one access."""
        if self._closed:
            raise FormatError("the file has been closed", code="E_OPEN", where=str(self.path))
        if self._descriptor >= 0:
            yield self._descriptor
            return
        descriptor, status = self._open()
        try:
            if _identity(status) != self._identity:
                reason = "the file was replaced or changed while the archive was open; open it again"
                raise FormatError(reason, code="E_OPEN", where=str(self.path))
            yield descriptor
        finally:
            os.close(descriptor)

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from ``offset``.

        Raises
        ------
        FormatError (E_TRUNCATED) : the file has become shorter.
        FormatError (E_OPEN) : the system refuses to read.
        """
        pieces, missing = [], length
        with self._at_work() as descriptor:
            while missing:
                try:
                    piece = os.pread(descriptor, missing, offset + length - missing)
                except OSError as error:
                    raise read_error(self.path, error) from error
                if not piece:
                    raise self._shorter()
                pieces.append(piece)
                missing -= len(piece)
        return memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill ``target``, contiguous bytes, from ``offset``; no memory is taken.

        Raises
        ------
        FormatError (E_TRUNCATED) : the file has become shorter.
        FormatError (E_OPEN) : the system refuses to read.
        """
        if self._descriptor >= 0:
            self._fill(self._descriptor, offset, target)
            return
        with self._at_work() as descriptor:
            self._fill(descriptor, offset, target)

    def _fill(self, descriptor: int, offset: int, target: memoryview) -> None:
        done = 0
        while done < len(target):
            try:
                count = os.preadv(descriptor, [target[done:] if done else target], offset + done)
            except OSError as error:
                raise read_error(self.path, error) from error
            if not count:
                raise self._shorter()
            done += count

    def _shorter(self) -> FormatError:
        return FormatError("the file became shorter while it was read", code="E_TRUNCATED", where=str(self.path))

    def expect(self, offset: int, length: int) -> None:
        """Tell the system that these bytes will be read soon, where it listens."""
        if self._descriptor >= 0 and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, offset, length, os.POSIX_FADV_WILLNEED)

    def mapped(self, offset: int, length: int) -> memoryview:
        """These bytes as a map of the file: they take no memory of their own.

        Reading a map of a file that has become shorter ends the process: call ``check_size`` before each use. That
        leaves the moment between the two; writers of this package replace files and never shorten one.

        Raises
        ------
        FormatError (E_OPEN) : the system refuses to map the file.
        """
        start = offset - offset % mmap.ALLOCATIONGRANULARITY
        with self._at_work() as descriptor:
            try:
                pages = mmap.mmap(descriptor, offset + length - start, access=mmap.ACCESS_READ, offset=start)
            except (OSError, ValueError) as error:
                raise read_error(self.path, error) from error
        if hasattr(pages, "madvise"):
            # The default reads far more than asked around every place that is touched.
            pages.madvise(mmap.MADV_RANDOM)
        return memoryview(pages)[offset - start :]

    def check_size(self) -> None:
        """Refuse a file that has become shorter or longer.

        Raises
        ------
        FormatError (E_TRUNCATED, E_TRAILING) : it has.
        FormatError (E_OPEN) : it has been closed.
        """
        with self._at_work() as descriptor:
            size = os.fstat(descriptor).st_size
        if size != self.size:
            code = "E_TRUNCATED" if size < self.size else "E_TRAILING"
            raise FormatError(f"the file had {self.size} bytes, now {size}", code=code, where=str(self.path))

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
