"""The compiled kernel: from record bytes to the arrays of a batch; see ``kernel_source/batch.h``."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

CHECKSUM: str
INTERFACE: int
UNSUPPORTED: str
OTHER_WIDTH: str

class Refused(Exception):
    args: tuple[int, str]

class Reader:
    """Takes one batch after another through these steps; holds what it is lent until ``end``."""

    def read(
        self, with_x: bool, places: NDArray[Any], rules: NDArray[Any], records: list[memoryview | None], /
    ) -> list[memoryview]:
        """Headers and compressed streams; the frames to decompress.

        ``places`` is int64 [n, 9]: which of the ``rules`` hold, descriptor, offset and length of the record, and the
        counts of the index; ``rules`` uint64 [m, 18] as in batch.h; ``records`` the bytes, or None for what the
        descriptor gives.
        """
    def graphs(self, decoded: list[bytes], /) -> bytes:
        """Checks the graphs, with what the frames held; the facts of batch.h, uint32 [n, 18].

        Of fewer than all, the study is refused whose frame is the first without.
        """
    def graph(self, number: int, /) -> bytes:
        """The graph stream of a study, decoded."""
    def study_ids(self) -> list[str]:
        """The ids of all studies; bytes that are no UTF-8 as surrogates."""
    def label_names(self) -> list[str]:
        """The names of the labels of all studies, likewise."""
    def missing(self, known: dict[bytes, bytes], /) -> list[tuple[int, bytes]]:
        """Takes the vectors of all concepts; those it did not find, study and key each (``RememberedFeatures``)."""
    def keep(self, kept: NDArray[Any], fusion: NDArray[Any], /) -> None:
        """Fewer patches, uint32 [n]; new fusion edges, int64 [n, 2], of the studies that lose some."""
    def starts(self, starts: NDArray[Any], /) -> None:
        """Where nodes, edges and fusion edges of each study begin, and where all end: writes int64 [3, n + 1]."""
    def fill(self, arrays: list[NDArray[Any] | None], width: int, labels: Sequence[Any], /) -> None:
        """Writes the arrays, in the order of ``ATTRIBUTES`` and then ``graph``; labels as ``TargetColumns``."""
    def end(self) -> None:
        """Gives back what was lent."""
