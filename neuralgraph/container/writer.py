"""Writing a file in one pass: records, then sections, table of contents and trailer (FORMAT.md section 10)."""

from __future__ import annotations

from typing import BinaryIO

from neuralgraph.container.contents import CRITICAL, INDEX, KEYS, Section, pack_contents
from neuralgraph.container.encode import method_tag
from neuralgraph.container.index import IndexRows
from neuralgraph.container.keys import pack_keys
from neuralgraph.container.layout import pack_prologue, pack_trailer, padding
from neuralgraph.container.record import Record
from neuralgraph.errors import FormatError
from neuralgraph.wire.checksums import crc32, leaf_digest, merkle_root, page_table, root_digest
from neuralgraph.wire.limits import Limits

__all__ = ["ContainerWriter"]

_LIMITS = Limits()


class ContainerWriter:
    """Writes one .ngr file to a binary stream.

    The same records in the same order give the same bytes; no clock, host or library name goes into a file.

    Parameters
    ----------
    stream : open for writing, at its start; not closed by the writer.
    limits : what records to accept.
    """

    def __init__(self, stream: BinaryIO, *, limits: Limits | None = None) -> None:
        self._stream = stream
        self._limits = limits or _LIMITS
        self._rows = IndexRows()
        self._study_ids: list[str] = []
        self._methods: dict[bytes, None] = {}
        self._decoded_bytes = self._most_decoded_bytes = 0
        self._max_streams = 0
        self._position = 0
        self._write(pack_prologue())

    def _write(self, data: bytes | memoryview) -> None:
        self._stream.write(data)
        self._position += len(data)

    def add(self, record: bytes | memoryview, *, study_id: str, method: bytes) -> Record:
        """Append a record, byte for byte; the record as it is parsed.

        Parameters
        ----------
        record : from ``encode_record``, or copied from another file.
        study_id : the id the record holds.
        method : the canonical method map that the record's tag names.

        Raises
        ------
        FormatError : the record is not acceptable.
        FormatError (E_METHOD) : ``method`` is not the one the record names.
        LimitError (E_LIMIT) : too many records, or the record is above a limit.
        """
        self._limits.check("records", len(self._rows) + 1, where="records")
        parsed = Record(memoryview(record), where=f"record[{len(self._rows)}]", limits=self._limits)
        if method_tag(method) != parsed.method_tag:
            raise FormatError("the method is not the one the record names", code="E_METHOD", where=parsed.where)
        self._rows.append(len(record), parsed.counts, leaf_digest(record))
        self._study_ids.append(study_id)
        self._methods[method] = None
        self._decoded_bytes += parsed.decoded_bytes
        self._most_decoded_bytes = max(self._most_decoded_bytes, parsed.decoded_bytes)
        self._max_streams = max(self._max_streams, len(parsed.streams))
        self._write(record)
        return parsed

    def finish(self) -> bytes:
        """Write everything after the records; the file's root digest, 32 bytes.

        Raises
        ------
        FormatError (E_INDEX) : no record was added.
        FormatError (E_DUP) : two studies have the same id.
        FormatError (E_TOC_SIZE) : the methods are more than every reader accepts.
        """
        if not self._rows:
            raise FormatError("a file holds at least one study", code="E_INDEX", where="records")
        index = self._rows.pack()
        sections = [self._section(INDEX, CRITICAL, index)]
        if len(self._rows) > 1:
            sections.append(self._section(KEYS, 0, pack_keys(self._study_ids)))
        toc, meta = pack_contents(list(self._methods), sections)
        if len(toc) > self._limits.toc_bytes:
            reason = f"the methods take {len(toc)} bytes, the limit is {self._limits.toc_bytes}; write several files"
            raise FormatError(reason, code="E_TOC_SIZE", where="toc")
        toc_offset = self._position
        self._write(toc + bytes(padding(len(toc))))
        root = root_digest(pack_prologue(), merkle_root(self._rows.leaves), meta)
        self._write(
            pack_trailer(
                toc_offset=toc_offset,
                toc_bytes=len(toc),
                toc_crc32=crc32(toc),
                file_bytes=self._position + 96,
                n_records=len(self._rows),
                total_decoded_bytes=self._decoded_bytes,
                max_record_decoded_bytes=self._most_decoded_bytes,
                max_streams=self._max_streams,
                root=root,
            )
        )
        return root

    def _section(self, name: str, flags: int, payload: bytes) -> Section:
        table = page_table(payload)
        section = Section(name, flags, self._position, len(payload), crc32(table))
        self._write(payload)
        self._write(table + bytes(section.stored_bytes - len(payload) - len(table)))
        return section
