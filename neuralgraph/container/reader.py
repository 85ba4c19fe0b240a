"""Reading a file: every byte is under a check, every size justified before memory is taken (FORMAT.md section 11)."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from neuralgraph.codecs.registry import ExtraCodecs, check_extra_codecs
from neuralgraph.container.contents import INDEX, KEYS, Contents, Section, parse_contents
from neuralgraph.container.index import Index, index_bytes
from neuralgraph.container.keys import Keys, keys_bytes
from neuralgraph.container.layout import (
    ALIGNMENT,
    PROLOGUE,
    TRAILER,
    padding,
    parse_magic,
    parse_prologue,
    parse_trailer,
)
from neuralgraph.container.record import Record
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.checksums import PAGE_BYTES, crc32, leaf_digest, merkle_root, root_digest
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["ENVELOPE", "ByteSource", "BytesSource", "Container", "section_payload"]

ENVELOPE = ("total_decoded_bytes", "max_record_decoded_bytes", "max_streams")
"""The trailer's fields that bound what reading a file takes."""


class ByteSource(Protocol):
    """Where the bytes of a file come from."""

    @property
    def size(self) -> int:
        """Bytes of the file."""

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from ``offset``.

        Raises
        ------
        FormatError (E_TRUNCATED) : the file is shorter than it was.
        """


class BytesSource:
    """A file held in memory."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self.size = len(self._data)

    def read(self, offset: int, length: int) -> memoryview:
        """The bytes from ``offset``."""
        return self._data[offset : offset + length]


def section_payload(source: ByteSource, section: Section) -> memoryview:
    """Payload of a section, all its pages verified.

    Raises
    ------
    ChecksumError (E_CRC) : a page is damaged.
    FormatError (E_COVER) : padding is not zero.
    """
    data = source.read(section.offset, section.end - section.offset)
    payload = data[: section.length]
    table = data[section.length : section.length + section.table_bytes]
    if crc32(table) != section.table_crc32:
        raise ChecksumError("the page table is damaged", where=section.name)
    if any(data[section.length + section.table_bytes :]):
        raise FormatError("padding is not zero", code="E_COVER", where=section.name)
    for page, start in enumerate(range(0, section.length, PAGE_BYTES)):
        stored = int.from_bytes(table[4 * page : 4 * page + 4], "little")
        if crc32(payload[start : start + PAGE_BYTES]) != stored:
            raise ChecksumError("the stored bytes are damaged", where=f"{section.name}.page[{page}]")
    return payload


class Container:
    """An open file of one or more records.

    Opening reads the prologue, the trailer and the table of contents; the index, the keys and the records are read and
    verified when they are first needed.

    Parameters
    ----------
    source : the bytes.
    limits : what to accept.
    extra_codecs : decoders for private encodings (FORMAT.md section 7.6).

    Raises
    ------
    FormatError : the framing is damaged or breaks FORMAT.md; the code says how.
    LimitError (E_LIMIT) : larger than ``limits`` allow.
    """

    def __init__(
        self, source: ByteSource, *, limits: Limits | None = None, extra_codecs: ExtraCodecs | None = None
    ) -> None:
        self.source = source
        self._extra_codecs = check_extra_codecs(extra_codecs)
        self.limits = limits or Limits()
        self.prologue = self._read_prologue()
        self.trailer, self.root = self._read_trailer()
        self.contents = self._read_contents()
        self._check_index_extent()

    def _read_prologue(self) -> bytes:
        size = self.source.size
        if size < PROLOGUE.size + TRAILER.size:
            if size >= 8:
                # That it is another kind of file is the more useful answer than that it is short.
                parse_magic(bytes(self.source.read(0, 8)))
            reason = "the file is empty" if size == 0 else f"{size} bytes are less than the smallest file"
            raise FormatError(reason, code="E_TRUNCATED", where="file")
        self.limits.check("file_bytes", size, where="file")
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
        if trailer["n_records"] == 0:
            raise FormatError("the file holds no study", code="E_INDEX", where="trailer")
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
        return parse_contents(data[:length], toc_offset=offset, limits=self.limits)

    def _check_index_extent(self) -> None:
        n_records, section = self.trailer["n_records"], self.contents.sections[INDEX]
        if (n_records > 1) != (KEYS in self.contents.sections):
            reason = "a file of several studies has keys, a file of one has none"
            raise FormatError(reason, code="E_SECTION", where="keys")
        if section.length != index_bytes(n_records):
            reason = f"{section.length} bytes of index for {n_records} studies, {index_bytes(n_records)} are required"
            raise FormatError(reason, code="E_INDEX", where="index")
        if n_records > 1 and self.contents.sections[KEYS].length > keys_bytes(n_records):
            raise FormatError("the keys are larger than so many ids can be", code="E_INDEX", where="keys")

    def __len__(self) -> int:
        """Number of records."""
        return self.trailer["n_records"]

    def section(self, name: str) -> memoryview:
        """Payload of a section, all its pages verified.

        Raises
        ------
        ChecksumError (E_CRC) : a page is damaged.
        FormatError (E_COVER) : padding is not zero.
        """
        return section_payload(self.source, self.contents.sections[name])

    @cached_property
    def index(self) -> Index:
        """The verified index.

        Raises
        ------
        FormatError (E_CRC, E_COVER, E_INDEX) : it is damaged or contradicts itself.
        """
        section: Section = self.contents.sections[INDEX]
        return Index(self.section(INDEX), len(self), end=section.offset)

    @cached_property
    def keys(self) -> Keys | None:
        """The verified keys, or None in a file of one study.

        Raises
        ------
        FormatError (E_CRC, E_COVER, E_INDEX) : they are damaged or contradict themselves.
        """
        return Keys(self.section(KEYS), len(self)) if KEYS in self.contents.sections else None

    def record_bytes(self, position: int) -> memoryview:
        """The bytes of a record, as they stand in the file.

        Raises
        ------
        LimitError (E_LIMIT) : the record is larger than the limits allow; nothing is read.
        """
        length = int(self.index.length[position])
        self.limits.check("record_bytes", length, where=f"record[{position}]")
        return self.source.read(int(self.index.offset[position]), length)

    def record(self, position: int) -> Record:
        """A record whose header is verified and agrees with the index.

        Raises
        ------
        FormatError (E_RECORD, E_STREAM, E_SIZE, E_COVER) : it is damaged or contradicts the index.
        FormatError (E_BUDGET) : it is larger than the trailer's resource envelope, or alone and not as large.
        """
        where = f"record[{position}]"
        record = Record(self.record_bytes(position), where=where, limits=self.limits, extra_codecs=self._extra_codecs)
        name = self.index.disagreement(position, record.counts)
        if name:
            raise FormatError(f"record and index state different {name}", code="E_RECORD", where=where)
        total, largest, most = (self.trailer[field] for field in ENVELOPE)
        if record.decoded_bytes > largest or len(record.streams) > most:
            raise FormatError("the record exceeds the envelope in the trailer", code="E_BUDGET", where=where)
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

    def columns(self, position: int, *, verify_digest: bool = True) -> StudyColumns:
        """A decoded record; stream checksums are always verified, the content digest when asked.

        Raises
        ------
        FormatError : the record is damaged or does not decode.
        ChecksumError (E_DIGEST) : the decoded content is not what was written.
        """
        record = self.record(position)
        columns = record.columns(self.method(record))
        if verify_digest and columns.digest() != record.content_digest:
            raise ChecksumError("the content does not match its digest", code="E_DIGEST", where=record.where)
        return columns

    def proven(self, position: int) -> tuple[Record, StudyColumns]:
        """A record and its columns, the content digest and the leaf verified; read once, so that both are the same.

        Raises
        ------
        FormatError : the record is damaged or does not decode.
        ChecksumError (E_DIGEST) : content or record do not match their digests.
        """
        record = self.record(position)
        columns = record.columns(self.method(record))
        if columns.digest() != record.content_digest:
            raise ChecksumError("the content does not match its digest", code="E_DIGEST", where=record.where)
        if leaf_digest(record.data) != self.index.leaf(position):
            raise ChecksumError("the record does not match its leaf digest", code="E_DIGEST", where=record.where)
        return record, columns

    def verify_leaf(self, position: int) -> None:
        """Compare a record with its leaf digest.

        Raises
        ------
        ChecksumError (E_DIGEST) : they differ.
        """
        if leaf_digest(self.record_bytes(position)) != self.index.leaf(position):
            raise ChecksumError(
                "the record does not match its leaf digest", code="E_DIGEST", where=f"record[{position}]"
            )

    def verify_root(self) -> None:
        """Recompute the root digest from the leaves.

        Raises
        ------
        ChecksumError (E_DIGEST) : it differs from the trailer's.
        """
        leaves = [self.index.leaf(position) for position in range(len(self))]
        if root_digest(self.prologue, merkle_root(leaves), self.contents.meta) != self.root:
            raise ChecksumError("the root digest does not match", code="E_DIGEST", where="trailer")
