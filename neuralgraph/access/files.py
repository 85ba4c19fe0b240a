"""Local files as sources of bytes."""

from __future__ import annotations

import os
import platform
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neuralgraph.access.descriptor import Descriptor, Identity, identity
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


def is_folder(path: str | bytes | os.PathLike[str]) -> bool:
    """Whether there is a folder; no error for paths that cannot be looked at, opening them says why."""
    return os.path.isdir(path)


def read_error(path: str | os.PathLike[str], error: OSError | ValueError) -> FormatError:
    """The error for a file that the system will not read."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return FormatError(f"cannot read the file ({reason})", code="E_OPEN", where=str(path))


class FileSource:
    """A file read with positioned reads: each access copies just the bytes asked for.

    A copy, an unpickled one and a forked process open the file for themselves, by its path, and refuse another file
    that lies there. Threads may share one.

    Parameters
    ----------
    path : the file.
    keep_open : hold it open. Otherwise each access opens it anew, so that there may be any number of sources.
    expected : identity that the file must have; None takes it as it is.

    Raises
    ------
    FormatError (E_OPEN) : the file does not exist, is no regular file, may not be read, or is not the one expected.
    """

    far, at_hand_from = False, 0

    def __init__(
        self, path: str | os.PathLike[str], *, keep_open: bool = True, expected: Identity | None = None
    ) -> None:
        self.path = Path(path)
        self._closed, self._identity = False, expected
        try:
            # A worker, or this process later, may have another current folder.
            self._place = os.path.abspath(self.path)
        except OSError as error:
            raise read_error(self.path, error) from error
        self._descriptor: Descriptor | None = None
        if keep_open:
            self._descriptor = Descriptor(*self._open())
        else:
            os.close(self._open()[0])

    @property
    def size(self) -> int:
        """Bytes of the file."""
        assert self._identity is not None, "known since the file was opened first"
        return self._identity[2]

    @property
    def identity(self) -> Identity:
        """What the system said of the file when it was opened first."""
        assert self._identity is not None, "known since the file was opened first"
        return self._identity

    def _open(self) -> tuple[int, Identity]:
        """A new descriptor of the file, and its identity."""
        if is_folder(self._place):
            raise FormatError("this is a folder, not a file", code="E_OPEN", where=str(self.path))
        try:
            # Without waiting: a pipe that nobody writes to would never open.
            number = os.open(self._place, os.O_RDONLY | _FLAGS)
            status = os.fstat(number)
        except (OSError, ValueError) as error:
            raise read_error(self.path, error) from error
        try:
            if not stat.S_ISREG(status.st_mode):
                raise FormatError("this is a device or a pipe, not a file", code="E_OPEN", where=str(self.path))
            self._identity = self._identity or identity(status)
            self._check(status)
        except FormatError:
            os.close(number)
            raise
        return number, self._identity

    @contextmanager
    def at_work(self) -> Iterator[int]:
        """A descriptor for one access."""
        held = self._descriptor
        number = None if self._closed else held.take(self._open) if held else self._open()[0]
        if number is None:
            raise FormatError("the file has been closed", code="E_OPEN", where=str(self.path))
        try:
            yield number
        finally:
            if held:
                held.give_back()
            else:
                os.close(number)

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from ``offset``, of a file that nobody has written to since it was opened.

        Raises
        ------
        FormatError (E_TRUNCATED, E_TRAILING) : the file has become shorter or longer.
        FormatError (E_OPEN) : it was written to, or the system refuses to read.
        """
        pieces, missing = [], length
        with self.at_work() as number:
            while missing:
                try:
                    piece = _read_at(number, missing, offset + length - missing)
                except OSError as error:
                    raise read_error(self.path, error) from error
                if not piece:
                    raise self._shorter()
                pieces.append(piece)
                missing -= len(piece)
            self._check(os.fstat(number))
        return memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _shorter(self) -> FormatError:
        return FormatError("the file became shorter while it was read", code="E_TRUNCATED", where=str(self.path))

    def expect(self, offset: int, length: int) -> None:
        """Tell the system that these bytes will be read soon, where it listens."""
        if self._descriptor and hasattr(os, "posix_fadvise"):
            with self.at_work() as number:
                os.posix_fadvise(number, offset, length, os.POSIX_FADV_WILLNEED)

    def begin(self) -> None:
        """The system has begun."""

    def check_unchanged(self) -> None:
        """Refuse a file whose size or time of change is another than when it was opened.

        Raises
        ------
        FormatError (E_TRUNCATED, E_TRAILING) : it has become shorter or longer.
        FormatError (E_OPEN) : it was written to, or has been closed.
        """
        with self.at_work() as number:
            self._check(os.fstat(number))

    def _check(self, status: os.stat_result) -> None:
        now, then = identity(status), self._identity
        assert then is not None, "known since the file was opened first"
        if now == then:
            return
        if now[:2] != then[:2]:
            reason = "the file was replaced after it was opened here; open it again"
            raise FormatError(reason, code="E_OPEN", where=str(self.path))
        if now[2] != then[2]:
            code = "E_TRUNCATED" if now[2] < then[2] else "E_TRAILING"
            reason = f"the file had {then[2]} bytes, now {now[2]}"
            raise FormatError(reason, code=code, where=str(self.path))
        reason = "the file was replaced or changed while it was open; open it again"
        raise FormatError(reason, code="E_OPEN", where=str(self.path))

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        self._closed = True
        if self._descriptor:
            self._descriptor.close()

    def __enter__(self) -> FileSource:
        """The source itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy opens the file for itself.

        Raises
        ------
        TypeError : the file has been closed.
        """
        if self._closed:
            raise TypeError(f"a closed file cannot be copied or pickled, open it again: {self.path}")
        held_open = self._descriptor is not None
        return _opened_again, (str(self.path), self._place, held_open, self._identity, platform.node())


_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _opened_again(path: str, place: str, keep_open: bool, who: Identity, machine: str) -> FileSource:  # noqa: FBT001
    # Another machine has other numbers for the same file, or a copy of its own: its digests decide there.
    source = FileSource(place, keep_open=keep_open, expected=who if machine == platform.node() else None)
    source.path = Path(path)
    return source


_SEEKING = threading.Lock()


def _sought_read(number: int, length: int, offset: int, /) -> bytes:
    """Where the system has no positioned reads, as Windows: a place is sought first, by one thread at a time."""
    with _SEEKING:
        os.lseek(number, offset, os.SEEK_SET)
        return os.read(number, length)


_read_at = getattr(os, "pread", _sought_read)
