"""Where the bytes of a file come from: memory, a local file, an object behind a network."""

from __future__ import annotations

from typing import Any, Protocol

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

    def begin(self) -> None:
        """Fetch what is expected meanwhile, where that takes time; nothing waits for it."""


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

    def begin(self) -> None:
        """Everything is at hand."""

    def close(self) -> None:
        """Nothing was opened."""

    def __enter__(self) -> BytesSource:
        """The source itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def __copy__(self) -> BytesSource:
        """A source of the same bytes."""
        return BytesSource(self._data)

    def __deepcopy__(self, memo: dict[int, Any]) -> BytesSource:
        """A source of the same bytes, which do not change."""
        return BytesSource(self._data)

    def __reduce__(self) -> str:
        """Refused: a worker that is given a file in memory would be given all its bytes.

        Raises
        ------
        TypeError : always.
        """
        raise TypeError("a file in memory is not pickled; save it to disk, and let each process open that")
