"""The graphs section: the joined graphs of all studies as columns, for loaders (FORMAT.md section 6.6).

A cache, like the index: everything in it can be made again from the records, and a validator does so. It is read
through a map; a page is verified when something on it is needed for the first time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuralgraph.container.contents import Section
from neuralgraph.container.layout import padding
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.checksums import PAGE_BYTES, crc32
from neuralgraph.wire.fields import Field, Structure

__all__ = ["FEATURE_RECIPES", "GRAPHS_COLUMNS", "GRAPHS_HEAD", "UNREADABLE", "GraphsSection", "graphs_layout"]

GRAPHS_HEAD = Structure(
    Field("recipe", "I"),
    Field("width", "I"),
    Field("n_features", "I"),
    Field("n_label_names", "I"),
    Field("max_nodes", "I"),
    Field("reserved", "I", equals=0),
    Field("n_patches", "Q"),
    Field("n_concepts", "Q"),
    Field("n_pairs", "Q"),
    Field("n_labels", "Q"),
    Field("n_places", "Q"),
    Field("name_bytes", "Q"),
)

FEATURE_RECIPES: tuple[str, ...] = ("none", "hash-1")
"""Names of the recipes of concept features by code; "none" when embeddings are too narrow for any."""

UNREADABLE = 0xFF
"""Form code of an embedding that cannot be copied from the record as it stands: compressed, in planes, or absent."""


class GraphsColumn(NamedTuple):
    """One array of the section."""

    name: str
    dtype: str
    """NumPy dtype, or "index:COUNT" for u16 when at most 65,536 things are counted and u32 otherwise."""
    rows: str
    width: int = 1


GRAPHS_COLUMNS: tuple[GraphsColumn, ...] = (
    GraphsColumn("patch_start", "<u8", "bounds"),
    GraphsColumn("concept_start", "<u8", "bounds"),
    GraphsColumn("pair_start", "<u8", "bounds"),
    GraphsColumn("label_start", "<u8", "bounds"),
    GraphsColumn("fusion_patch", "<u4", "records"),
    GraphsColumn("fusion_concept", "<u4", "records"),
    GraphsColumn("n_cells", "<u4", "records"),
    GraphsColumn("n_vectors", "<u4", "records"),
    GraphsColumn("embedding_offset", "<u4", "records"),
    GraphsColumn("embedding_form", "<u1", "records"),
    GraphsColumn("patch_centre", "<f4", "n_patches", 2),
    GraphsColumn("patch_score", "<f4", "n_patches"),
    GraphsColumn("patch_view", "<u1", "n_patches"),
    GraphsColumn("concept_feature", "<u4", "n_concepts"),
    GraphsColumn("pair_source", "index:max_nodes", "n_pairs"),
    GraphsColumn("pair_target", "index:max_nodes", "n_pairs"),
    GraphsColumn("pair_type", "<u1", "n_pairs"),
    GraphsColumn("label_number", "<u4", "n_labels"),
    GraphsColumn("label_value", "<f4", "n_labels"),
    GraphsColumn("feature_start", "<u8", "feature_bounds"),
    GraphsColumn("feature_place", "<u2", "n_places"),
    GraphsColumn("feature_value", "<f4", "n_places"),
    GraphsColumn("label_name_end", "<u4", "n_label_names"),
    GraphsColumn("label_name", "<u1", "name_bytes"),
)
"""The columns in file order, each padded to 8."""


class Extent(NamedTuple):
    """Where a column lies in the payload."""

    offset: int
    dtype: np.dtype[Any]
    rows: int
    width: int

    @property
    def nbytes(self) -> int:
        """Bytes without padding."""
        return self.rows * self.width * self.dtype.itemsize


def graphs_layout(head: dict[str, int], n_records: int) -> tuple[dict[str, Extent], int]:
    """Place of every column, and the size of the payload."""
    counts = {**head, "records": n_records, "bounds": n_records + 1, "feature_bounds": head["n_features"] + 1}
    extents: dict[str, Extent] = {}
    position = GRAPHS_HEAD.size
    for column in GRAPHS_COLUMNS:
        kind = column.dtype
        if kind.startswith("index:"):
            kind = "<u2" if counts[kind.removeprefix("index:")] <= 1 << 16 else "<u4"
        extent = Extent(position, np.dtype(kind), counts[column.rows], column.width)
        extents[column.name] = extent
        position += extent.nbytes + padding(extent.nbytes)
    return extents, position


class GraphsSection:
    """An open graphs section.

    Parameters
    ----------
    data : payload, page table and padding of the section, mapped or in memory.
    section : its row of the contents.
    n_records : from the trailer.
    always : verify a page each time it is needed, not only the first time.

    Raises
    ------
    ChecksumError (E_CRC) : the page table or the first page is damaged.
    FormatError (E_INDEX) : the sizes contradict each other.
    """

    def __init__(self, data: memoryview, section: Section, n_records: int, *, always: bool = False) -> None:
        self._payload = data[: section.length]
        table = data[section.length : section.length + section.table_bytes]
        if crc32(table) != section.table_crc32:
            raise ChecksumError("the page table is damaged", where=section.name)
        self._pages = np.frombuffer(table, "<u4")
        self._proven = np.zeros(len(self._pages), bool)
        self._all = False
        self._always = always
        self._name = section.name
        if section.length < GRAPHS_HEAD.size:
            raise self._error("the section is shorter than its head")
        self._prove_pages([0])
        head = GRAPHS_HEAD.unpack(self._payload[: GRAPHS_HEAD.size], code="E_INDEX", where=section.name)
        extents, size = graphs_layout(head, n_records)
        if size != section.length or head["recipe"] >= len(FEATURE_RECIPES):
            raise self._error("the head does not describe the section")
        self.head: dict[str, int] = head
        self._extents = extents
        self.columns: dict[str, NDArray[Any]] = {}
        """By name; only rows that ``runs`` was asked for have been verified."""
        for name, extent in extents.items():
            flat = np.frombuffer(self._payload, extent.dtype, extent.rows * extent.width, extent.offset)
            self.columns[name] = flat.reshape(-1, extent.width) if extent.width > 1 else flat

    def _error(self, reason: str) -> FormatError:
        return FormatError(reason, code="E_INDEX", where=self._name)

    def _prove_pages(self, pages: list[int]) -> None:
        for page in pages:
            start = page * PAGE_BYTES
            if crc32(self._payload[start : start + PAGE_BYTES]) != self._pages[page]:
                raise ChecksumError("the stored bytes are damaged", where=f"{self._name}.page[{page}]")
            self._proven[page] = True
        if pages:
            self._all = bool(self._proven.all()) and not self._always

    def runs(self, name: str, start: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[Any]:
        """The whole column ``name``, after the pages under rows ``start`` to ``start + count`` have been verified.

        Raises
        ------
        ChecksumError (E_CRC) : a page is damaged.
        FormatError (E_INDEX) : rows lie outside the column.
        """
        extent = self._extents[name]
        size = extent.width * extent.dtype.itemsize
        if len(start) == 1:
            # One run is what single graphs ask for; whole numbers are quicker than arrays of one.
            begin, end = int(start[0]), int(start[0]) + int(count[0])
            if begin < 0 or end > extent.rows:
                raise self._error(f"rows outside {name}")
            if not self._all and begin < end:
                pages = range(
                    (extent.offset + begin * size) // PAGE_BYTES, (extent.offset + end * size - 1) // PAGE_BYTES + 1
                )
                self._prove_pages([page for page in pages if self._always or not self._proven[page]])
            return self.columns[name]
        if len(start) and (int(start.min()) < 0 or int((start + count).max()) > extent.rows):
            raise self._error(f"rows outside {name}")
        if not self._all:
            first = (extent.offset + start * size) // PAGE_BYTES
            last = (extent.offset + (start + count) * size - 1) // PAGE_BYTES
            spans = np.maximum(last - first + 1, 0)
            spans[count == 0] = 0
            if int(spans.max(initial=0)) <= 1:
                pages_of_all = first[spans > 0]
            else:
                pages_of_all = np.concatenate([np.arange(f, f + n) for f, n in zip(first, spans, strict=True)])
            wanted = pages_of_all if self._always else pages_of_all[~self._proven[pages_of_all]]
            self._prove_pages(np.unique(wanted).tolist())
        return self.columns[name]

    def whole(self, name: str) -> NDArray[Any]:
        """A column, all of it verified.

        Raises
        ------
        ChecksumError (E_CRC) : a page is damaged.
        """
        return self.runs(name, np.zeros(1, np.int64), np.array([self._extents[name].rows]))

    def label_names(self) -> list[str]:
        """Names of the labels by number.

        Raises
        ------
        ChecksumError (E_CRC), FormatError (E_INDEX) : the names are damaged or contradict themselves.
        """
        ends, text = self.whole("label_name_end").astype(np.int64), self.whole("label_name").tobytes()
        starts = np.append(0, ends)[:-1]
        if len(ends) and ((ends < starts).any() or int(ends[-1]) != len(text)):
            raise self._error("the label names contradict themselves")
        try:
            return [text[start:end].decode() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        except UnicodeDecodeError as error:
            raise self._error("a label name is not valid UTF-8") from error
