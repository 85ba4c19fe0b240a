"""Reading a file: every byte is under a check, every size justified before memory is taken (FORMAT.md section 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from neuralgraph.codecs.registry import ExtraCodecs, check_extra_codecs
from neuralgraph.container.contents import INDEX, KEYS, Contents, parse_contents
from neuralgraph.container.index import ROW_BYTES, Index
from neuralgraph.container.keys import Keys, keys_bytes
from neuralgraph.container.layout import (
    ALIGNMENT,
    PROLOGUE,
    TRAILER,
    pack_prologue,
    padding,
    parse_magic,
    parse_prologue,
    parse_trailer,
)
from neuralgraph.container.pages import section_pages
from neuralgraph.container.record import Record
from neuralgraph.container.source import ByteSource, BytesSource
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.checksums import crc32, leaf_digest, merkle_root, root_digest
from neuralgraph.wire.computed import computed
from neuralgraph.wire.limits import Limits

__all__ = ["ENVELOPE", "ByteSource", "BytesSource", "Container"]

ENVELOPE = ("total_decoded_bytes", "max_record_decoded_bytes", "max_streams")
"""The trailer's fields that bound what reading a file takes."""

MOST_FETCHED = 2**24
"""Bytes of index and keys that opening a file behind a network fetches at once; larger ones are read in places."""

NEAR = 2**16
"""Records that lie closer than this are read together."""

MOST_TOGETHER = 2**23
"""Bytes of neighbouring records that are read together."""

MOST_UNDER_WAY = 2**26
"""Bytes of records that are asked for at the same time."""

MOST_FORESEEN = 2**24
"""Bytes of records that are fetched while others are used."""


class Container:
    """An open file of one or more records.

    Opening reads the prologue, the trailer and the table of contents; the index, the keys and the records are read and
    verified when they are first needed.

    Parameters
    ----------
    source : the bytes.
    limits : what to accept.
    extra_codecs : decoders for private encodings (FORMAT.md section 7.1).

    Raises
    ------
    FormatError : the framing is damaged or breaks FORMAT.md; the code says how.
    LimitError (E_LIMIT) : larger than ``limits`` allow.
    """

    def __init__(
        self,
        source: ByteSource,
        *,
        limits: Limits | None = None,
        extra_codecs: ExtraCodecs | None = None,
    ) -> None:
        self.source = source
        self._extra_codecs = check_extra_codecs(extra_codecs)
        self.limits = limits or Limits()
        self._whole: int | None = None
        self._check_size()
        prologue = None if source.far else self._read_prologue()
        self.trailer, self.root = self._read_trailer()
        self.contents = self._read_contents()
        self._check_index_extent()
        self.prologue = self._far_prologue() if prologue is None else prologue

    def _far_prologue(self) -> bytes:
        """The prologue, without a request where it can be proven: the root digest of index and contents covers it.

        The index and keys of up to some 200,000 studies are fetched in the one request that this saves.
        """
        sections = self.contents.sections
        start, stop = sections[INDEX].offset, sections.get(KEYS, sections[INDEX]).end
        if stop - start > MOST_FETCHED or start >= self.source.at_hand_from:
            return self._read_prologue()
        self.source.expect(start, stop - start)
        self._whole = MOST_FETCHED
        # As a version 1.0 file without optional features has it; its root is another's otherwise.
        self.prologue = pack_prologue()
        try:
            self.verify_root()
        except ChecksumError:
            return self._read_prologue()
        finally:
            self.keys  # noqa: B018  what came with the request is taken before the next
        return self.prologue

    def _check_size(self) -> None:
        size = self.source.size
        if size < PROLOGUE.size + TRAILER.size:
            if size >= 8:
                # That it is another kind of file is the more useful answer than that it is short.
                parse_magic(bytes(self.source.read(0, 8)))
            reason = "the file is empty" if size == 0 else f"{size} bytes are less than the smallest file"
            raise FormatError(reason, code="E_TRUNCATED", where="file")
        self.limits.check("file_bytes", size, where="file")

    def _read_prologue(self) -> bytes:
        prologue = bytes(self.source.read(0, PROLOGUE.size))
        parse_prologue(prologue)
        return prologue

    def _read_trailer(self) -> tuple[dict[str, int], bytes]:
        size = self.source.size
        data = bytes(self.source.read(size - TRAILER.size, TRAILER.size))
        trailer = parse_trailer(data, size)
        self.limits.check("records", trailer["n_records"], where="trailer")
        self.limits.check("streams", trailer["max_streams"], where="trailer")
        self.limits.check("decoded_bytes", trailer["max_record_decoded_bytes"], where="trailer")
        n_records, total, largest = (trailer[name] for name in ("n_records", *ENVELOPE[:2]))
        if n_records == 0:
            raise FormatError("the file holds no study", code="E_INDEX", where="trailer")
        if not largest <= total <= n_records * largest:
            reason = f"{total} decoded bytes in all, at most {largest} in each of {n_records} records"
            raise FormatError(reason, code="E_BUDGET", where="trailer")
        root_at = TRAILER.offset("root")
        return trailer, data[root_at : root_at + 32]

    def _read_contents(self) -> Contents:
        offset, length = self.trailer["toc_offset"], self.trailer["toc_bytes"]
        end = self.source.size - TRAILER.size
        if length > self.limits.toc_bytes:
            reason = f"the table of contents has {length} bytes, the limit is {self.limits.toc_bytes}"
            raise FormatError(reason, code="E_TOC_SIZE", where="toc")
        if offset % ALIGNMENT or offset > end or length > end - offset:
            raise FormatError("the table of contents lies outside the file", code="E_RANGE", where="toc")
        if length + padding(length) != end - offset:
            raise FormatError("the table of contents does not end at the trailer", code="E_COVER", where="toc")
        data = bytes(self.source.read(offset, end - offset))
        if any(data[length:]):
            raise FormatError("padding is not zero", code="E_COVER", where="toc")
        if crc32(data[:length]) != self.trailer["toc_crc32"]:
            raise ChecksumError("the table of contents is damaged", code="E_TOC_CRC", where="toc")
        return parse_contents(data[:length], toc_offset=offset, limits=self.limits, n_records=len(self))

    def _check_index_extent(self) -> None:
        n_records, section = self.trailer["n_records"], self.contents.sections[INDEX]
        required = ROW_BYTES * n_records
        if section.length != required:
            reason = f"{section.length} bytes of index for {n_records} studies, {required} are required"
            raise FormatError(reason, code="E_INDEX", where="index")
        if n_records > 1 and self.contents.sections[KEYS].length > keys_bytes(n_records):
            raise FormatError("the keys are larger than so many ids can be", code="E_INDEX", where="keys")

    def __len__(self) -> int:
        """Number of records."""
        return self.trailer["n_records"]

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy reads a source of its own anew, and refuses a file of another root."""
        return _opened_again, (self.source, self.limits, self._extra_codecs, self.root)

    @computed
    def index(self) -> Index:
        """The index; a large one is verified where it is used.

        Raises
        ------
        FormatError (E_CRC, E_COVER, E_INDEX) : it is damaged or contradicts itself.
        """
        section = self.contents.sections[INDEX]
        pages = section_pages(self.source, section, whole=self._whole)
        return Index(pages, len(self), end=section.offset)

    @computed
    def keys(self) -> Keys | None:
        """The keys, or None in a file of one study; large ones are verified where they are used.

        Raises
        ------
        FormatError (E_CRC, E_COVER, E_INDEX) : they are damaged or contradict themselves.
        """
        section = self.contents.sections.get(KEYS)
        if section is None:
            return None
        return Keys(section_pages(self.source, section, whole=self._whole), len(self))

    def record_bytes(self, position: int) -> memoryview:
        """The bytes of a record, as they stand in the file; from far away, its leaf verified.

        Raises
        ------
        LimitError (E_LIMIT) : the record is larger than the limits allow; nothing is read.
        ChecksumError (E_DIGEST) : read from far away, and not what it was when the file was opened.
        """
        if self.source.far:
            self.index.fetch(np.array([position]))
        offset, length = self.index.place(position)
        self.limits.check("record_bytes", length, where=f"record[{position}]")
        return self._as_opened(position, self.source.read(offset, length))

    def records_bytes(self, positions: Sequence[int]) -> Iterator[tuple[int, memoryview]]:
        """Positions and bytes of several records, each once, in the order of the file; errors as ``record_bytes``.

        What lies close together is read together, and the system is told first what will be read.

        Parameters
        ----------
        positions : in range, in any order.
        """
        wanted = np.array(sorted(set(positions)), np.int64)
        if not len(wanted):
            return
        if self.source.far:
            self.index.fetch(wanted)
        offset, length = self.index.places(wanted)
        self.limits.check("record_bytes", int(length.max()), where=f"record[{int(wanted[length.argmax()])}]")
        ends = offset + length
        runs = list(_runs(offset.tolist(), ends.tolist()))
        for group in _groups(runs, [int(ends[last] - offset[first]) for first, last in runs]):
            for first, last in group:
                self.source.expect(int(offset[first]), int(ends[last] - offset[first]))
            for first, last in group:
                start = int(offset[first])
                data = self.source.read(start, int(ends[last]) - start)
                for row in range(first, last + 1):
                    at = int(offset[row]) - start
                    yield int(wanted[row]), self._as_opened(int(wanted[row]), data[at : at + int(length[row])])

    def foresee(self, positions: Sequence[int], *, now: bool = False) -> None:
        """Say which records will be read next, so that from far away they come with few requests.

        Parameters
        ----------
        positions : in range, in any order.
        now : have them fetched meanwhile, up to ``MOST_FORESEEN`` bytes; otherwise they come with the next request, up
            to ``MOST_UNDER_WAY`` bytes. Of more, the first are taken.
        """
        if not self.source.far or not len(positions):
            return
        wanted = np.array(list(dict.fromkeys(positions)), np.int64)
        self.index.fetch(wanted)
        fits = np.cumsum(self.index.places(wanted)[1]) <= (MOST_FORESEEN if now else MOST_UNDER_WAY)
        wanted = np.sort(wanted[fits])
        if not len(wanted):
            return
        offset, length = self.index.places(wanted)
        for first, last in _runs(offset.tolist(), (offset + length).tolist()):
            self.source.expect(int(offset[first]), int(offset[last] + length[last] - offset[first]))
        if now:
            self.source.begin()

    def _as_opened(self, position: int, data: memoryview) -> memoryview:
        if self.source.far and leaf_digest(data) != self.index.leaf(position):
            reason = "the record is damaged, or the file was replaced while it was open; open it again"
            raise ChecksumError(reason, code="E_DIGEST", where=f"record[{position}]")
        return data

    def record(self, position: int, data: memoryview | None = None) -> Record:
        """A record whose header is sound and agrees with the index.

        Parameters
        ----------
        position : which.
        data : its bytes, if they have been read already.

        Raises
        ------
        FormatError (E_RECORD, E_STREAM, E_SIZE, E_COVER) : it is damaged or contradicts the index.
        FormatError (E_BUDGET) : it is larger than the trailer's resource envelope, or alone and not as large.
        """
        total, largest, most = (self.trailer[field] for field in ENVELOPE)
        record = Record(
            self.record_bytes(position) if data is None else data,
            where=f"record[{position}]",
            limits=self.limits,
            disagreement=lambda counts: self.index.disagreement(position, counts),
            envelope=(largest, most),
            extra_codecs=self._extra_codecs,
        )
        if len(self) == 1 and (total, largest, most) != (*2 * (record.decoded_bytes,), len(record.streams)):
            raise FormatError("the envelope is not that of the only record", code="E_BUDGET", where="trailer")
        return record

    def method(self, record: Record) -> bytes:
        """The canonical method map a record names.

        Raises
        ------
        FormatError (E_METHOD) : the file does not hold it.
        """
        method = self.contents.methods.get(record.method_tag)
        if method is None:
            raise FormatError(
                "the record names a method that the file does not hold", code="E_METHOD", where=record.where
            )
        return method

    def verify_root(self) -> None:
        """Recompute the root digest from the leaves.

        Raises
        ------
        ChecksumError (E_DIGEST) : it differs from the trailer's.
        """
        self.index.check()
        if root_digest(self.prologue, merkle_root(self.index.leaves()), self.contents.meta) != self.root:
            raise ChecksumError("the root digest does not match", code="E_DIGEST", where="trailer")


def _opened_again(source: ByteSource, limits: Limits, extra_codecs: ExtraCodecs | None, root: bytes) -> Container:
    container = Container(source, limits=limits, extra_codecs=extra_codecs)
    if container.root != root:
        reason = "the file was replaced after it was opened here; open it again"
        raise FormatError(reason, code="E_OPEN", where="trailer")
    return container


def _runs(starts: list[int], stops: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of the records, in ascending order, that are read together."""
    first = 0
    for row in range(1, len(starts) + 1):
        if row == len(starts) or starts[row] - stops[row - 1] > NEAR or stops[row] - starts[first] > MOST_TOGETHER:
            yield first, row - 1
            first = row


def _groups(runs: list[tuple[int, int]], sizes: list[int]) -> Iterator[list[tuple[int, int]]]:
    """The runs, as many at a time as may be under way together: what comes ahead of its use lies in memory."""
    group: list[tuple[int, int]] = []
    total = 0
    for run, size in zip(runs, sizes, strict=True):
        if group and total + size > MOST_UNDER_WAY:
            yield group
            group, total = [], 0
        group.append(run)
        total += size
    if group:
        yield group
