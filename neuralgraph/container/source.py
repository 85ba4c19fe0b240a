"""Where the bytes of a file come from: memory, a local file, an object behind a network."""

from __future__ import annotations

from typing import Protocol

__all__ = ["ByteSource", "BytesSource"]


class ByteSource(Protocol):
    """Bytes of a file."""

    @property
    def size(self) -> int:
        """Bytes of the file."""

    @property
    def far(self) -> bool:
        """Each read costs a round trip to another machine, and what lies there may be replaced meanwhile."""

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from ``offset``.

        Raises
        ------
        FormatError (E_TRUNCATED) : the file is shorter than it was.
        """

    @property
    def at_hand_from(self) -> int:
        """From here to the end, bytes are read without a request to another machine."""

    def expect(self, offset: int, length: int) -> None:
        """Say that these bytes will be read next, so that several reads become few."""

    def mapped(self, offset: int, length: int) -> memoryview | None:
        """These bytes as they stand in the file, taking no memory of their own; None when that cannot be had.

        A map of a file that has become shorter must not be touched: ``check_size`` comes before each use.
        """

    def check_size(self) -> None:
        """Refuse a file whose size has changed.

        Raises
        ------
        FormatError (E_TRUNCATED, E_TRAILING) : it has.
        """


class BytesSource:
    """A file held in memory."""

    far, at_hand_from = False, 0

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self.size = len(self._data)

    def read(self, offset: int, length: int) -> memoryview:
        """The bytes from ``offset``."""
        return self._data[offset : offset + length]

    def expect(self, offset: int, length: int) -> None:
        """Everything is at hand."""

    def mapped(self, offset: int, length: int) -> memoryview | None:
        """The bytes from ``offset``."""
        return self._data[offset : offset + length]

    def check_size(self) -> None:
        """Memory does not change its size."""
