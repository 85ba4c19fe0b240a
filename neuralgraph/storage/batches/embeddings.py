"""Embeddings from the records of one archive to their places in a batch.

Embeddings that stand in the record as values (interleaved forms, int8 codes) are read from the file straight into the
batch, or widened and scaled on the way; others are decoded. Every checksum is verified before a value is handed out,
on the first access to a record through an open archive, or on every one.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.floating import Floating
from neuralgraph.codecs.klt import Klt
from neuralgraph.codecs.registry import FORMS
from neuralgraph.container.embedding import Plane, header_bytes, proven_planes, stored_planes
from neuralgraph.container.graphs import UNREADABLE, GraphsSection
from neuralgraph.container.layout import padding
from neuralgraph.container.reader import Container
from neuralgraph.container.record import Record
from neuralgraph.container.source import ByteSource
from neuralgraph.container.streams import EMBEDDING_STREAMS
from neuralgraph.errors import ChecksumError, CodecError, FormatError
from neuralgraph.wire.checksums import crc32

__all__ = ["EmbeddingReader", "Widen", "widen"]

_FLOAT32 = FORMS["float32_interleaved"].offset
_BFLOAT16 = FORMS["bfloat16_interleaved"].offset
_FLOAT16 = FORMS["float16_interleaved"].offset
_INT8 = FORMS["int8"].offset
_ITEM_BYTES = {_FLOAT32: 4, _BFLOAT16: 2, _FLOAT16: 2, _INT8: 1}


class Widen(Protocol):
    """Turns stored values into float32."""

    def __call__(self, kind: str, values: NDArray[Any], scale: NDArray[np.float32] | None, out: Any) -> None:
        """Write float32 values to ``out`` [n, w].

        Parameters
        ----------
        kind : "bfloat16" (``values`` uint16 [n, w], the bits), "float16" (float16) or "int8" (int8, with ``scale``).
        scale : float32 [n, 1], for int8.
        """


def widen(kind: str, values: NDArray[Any], scale: NDArray[np.float32] | None, out: NDArray[np.float32]) -> None:
    """``Widen`` with NumPy."""
    if kind == "bfloat16":
        bits = out.view(np.uint32)
        np.copyto(bits, values)
        bits <<= 16
    else:
        np.copyto(out, values)
        if scale is not None:
            out *= scale


class EmbeddingReader:
    """Reads embeddings of one archive.

    Parameters
    ----------
    source : the file.
    container : its layout.
    section : its graphs section, which says how each embedding is stored.
    always : verify checksums on every access, not only on the first.
    widen : how stored values become float32.
    """

    def __init__(
        self, source: ByteSource, container: Container, section: GraphsSection | None, *, always: bool, widen: Widen
    ) -> None:
        self._source, self._container, self._section = source, container, section
        self._read_into = getattr(source, "read_into", self._read_and_copy)
        self._always, self._widen = always, widen
        self._proven = np.zeros(len(container), bool)
        self._scratch = threading.local()

    def read(
        self,
        positions: NDArray[np.int64],
        kept: NDArray[np.int64],
        first: NDArray[np.int64],
        x: NDArray[np.float32],
        records: dict[int, Record] | None = None,
    ) -> None:
        """Write the first ``kept[i]`` embeddings of record ``positions[i]`` to ``x`` from row ``first[i]`` on.

        Parameters
        ----------
        positions, kept, first : int64 [B].
        x : float32 [nodes, w], C order.
        records : records that were read for this batch already, by position.

        Raises
        ------
        ChecksumError (E_CRC, E_RECORD) : a record is damaged.
        FormatError (E_INDEX, E_RECORD, E_SIZE) : record, index and section contradict each other, or the width of an
            embedding is not that of ``x``.
        CodecError (E_NUM, E_FILTER) : a value is not finite.
        """
        if self._section is None:
            for position, count, row in zip(positions.tolist(), kept.tolist(), first.tolist(), strict=True):
                if count:
                    self._decode(position, count, x[row : row + count], (records or {}).get(position))
            return
        one = np.ones(len(positions), np.int64)
        forms = self._section.runs("embedding_form", positions, one)[positions]
        offsets, lengths = self._container.index.places(positions)
        begin = offsets + self._section.runs("embedding_offset", positions, one)[positions]
        fresh = ~self._proven[positions] if not self._always else np.ones(len(positions), bool)
        fresh &= (kept > 0) & (forms != UNREADABLE)
        if fresh.any():
            # Records that are read for the first time are fetched all at once rather than one by one.
            for offset, length in zip(offsets[fresh].tolist(), lengths[fresh].tolist(), strict=True):
                self._source.expect(offset, length)
        bytes_of_x = x.data.cast("B")
        row_bytes = x.shape[1] * x.itemsize
        for position, form, at, count, row, new in zip(
            positions.tolist(),
            forms.tolist(),
            begin.tolist(),
            kept.tolist(),
            first.tolist(),
            fresh.tolist(),
            strict=True,
        ):
            if not count:
                continue
            if new:
                self._prove(position, form, at, count, row, x)
            elif form == _FLOAT32:
                self._read_into(at, bytes_of_x[row * row_bytes : (row + count) * row_bytes])
            elif form == UNREADABLE:
                self._decode(position, count, x[row : row + count], None)
            elif form in _ITEM_BYTES:
                self._read(position, form, at, count, x[row : row + count])
            else:
                raise FormatError("an unknown form of embeddings", code="E_INDEX", where="graphs")

    def read_again(self, position: int, out: NDArray[np.float32]) -> bool:
        """Write the first embeddings of a record that has been proven to ``out`` [n, w]; False for any other record."""
        if not self._proven[position]:
            return False
        form = UNREADABLE if self._section is None else int(self._section.columns["embedding_form"][position])
        if form == UNREADABLE:
            return self._decode_again(position, len(out), out)
        assert self._section is not None
        at = int(self._container.index.offset[position]) + int(self._section.columns["embedding_offset"][position])
        if form == _FLOAT32:
            self._read_into(at, out.data.cast("B"))
        else:
            self._read(position, form, at, len(out), out)
        return True

    def _read_and_copy(self, offset: int, target: memoryview) -> None:
        """``read_into`` for sources that cannot fill memory that is given to them."""
        target[:] = self._source.read(offset, len(target))

    def _buffer(self, nbytes: int) -> memoryview:
        """Scratch memory of this thread."""
        buffer: bytearray | None = getattr(self._scratch, "buffer", None)
        if buffer is None or len(buffer) < nbytes:
            buffer = self._scratch.buffer = bytearray(nbytes)
        return memoryview(buffer)[:nbytes]

    def _stored_bytes(self, form: int, rows: int, width: int) -> int:
        size = rows * width * _ITEM_BYTES[form]
        return size + padding(size) + 4 * rows if form == _INT8 else size

    def _read(self, position: int, form: int, at: int, count: int, out: NDArray[np.float32]) -> None:
        """Stored values that have been verified before, widened to float32."""
        # The scales stand behind all the codes of a study.
        rows = int(self._container.index.counts["n_patches"][position]) if form == _INT8 else count
        stored = self._buffer(self._stored_bytes(form, rows, out.shape[1]))
        self._read_into(at, stored)
        self._convert(form, stored, rows, count, out)

    def _convert(self, form: int, stored: memoryview, rows: int, count: int, out: NDArray[np.float32]) -> None:
        width = out.shape[1]
        if form == _BFLOAT16:
            self._widen("bfloat16", np.frombuffer(stored, "<u2", count * width).reshape(count, width), None, out)
        elif form == _FLOAT16:
            self._widen("float16", np.frombuffer(stored, "<f2", count * width).reshape(count, width), None, out)
        else:
            codes = np.frombuffer(stored, "i1", count * width).reshape(count, width)
            size = rows * width
            scale = np.frombuffer(stored, "<f4", count, size + padding(size))
            self._widen("int8", codes, scale[:, None], out)

    def _prove(self, position: int, form: int, at: int, count: int, row: int, x: NDArray[np.float32]) -> None:
        """Read an embedding for the first time: record and section agree, every checksum holds, values are finite."""
        where = f"record[{position}]"
        index, width = self._container.index, x.shape[1]
        start = int(index.offset[position])
        limit = min(int(index.length[position]), header_bytes(self._container.trailer["max_streams"]))
        header = self._source.read(start, limit)
        counts, planes = stored_planes(header, form, where=where)
        if index.disagreement(position, counts):
            raise FormatError("record and index state different counts", code="E_RECORD", where=where)
        if counts.embedding_dim != width:
            reason = f"embeddings of width {counts.embedding_dim} among those of width {width}"
            raise FormatError(reason, code="E_SIZE", where=where)
        if start + planes[0].offset != at:
            raise FormatError("record and section state different places", code="E_INDEX", where=where)
        rows = counts.n_patches
        # All of it, though less may be wanted: the checksum covers the whole.
        out = x[row : row + rows] if count == rows else np.empty((rows, width), np.float32)
        direct = form == _FLOAT32
        stored = out.data.cast("B") if direct else self._buffer(self._stored_bytes(form, rows, width))
        self._read_into(at, stored)
        self._check(planes, stored, form, where)
        if not direct:
            self._convert(form, stored, rows, rows, out)
        with np.errstate(over="ignore", invalid="ignore"):
            # One pass that shows nearly always that all are finite; a sum may overflow although no value did.
            finite = bool(np.isfinite(out.sum(dtype=np.float32))) or bool(np.isfinite(out).all())
        if not finite:
            raise CodecError("a value is not finite", code="E_NUM", where=where)
        if count < rows:
            x[row : row + count] = out[:count]
        self._proven[position] = True

    def _check(self, planes: list[Plane], stored: memoryview, form: int, where: str) -> None:
        base = planes[0].offset
        for plane in planes:
            if crc32(stored[plane.offset - base : plane.offset - base + plane.nbytes]) != plane.crc32:
                raise ChecksumError("the stored bytes are damaged", where=f"{where}.embedding")
        if form == _INT8:
            scale = np.frombuffer(stored, "<f4", offset=planes[1].offset - base)
            if not np.isfinite(scale).all() or np.signbit(scale).any():
                raise CodecError("a scale is negative or not finite", code="E_FILTER", where=where)
            if (np.frombuffer(stored, "i1", planes[0].nbytes) == -128).any():
                raise CodecError("the code -128 is not used", code="E_FILTER", where=where)

    def _decode(self, position: int, count: int, out: NDArray[np.float32], record: Record | None) -> None:
        """An embedding of any form, by way of its record."""
        if record is None and self._proven[position] and self._decode_again(position, count, out):
            return
        record = record or self._container.record(position)
        width = record.counts.embedding_dim
        if width != out.shape[1]:
            reason = f"embeddings of width {width} among those of width {out.shape[1]}"
            raise FormatError(reason, code="E_SIZE", where=record.where)
        out[:] = record.matrix(EMBEDDING_STREAMS)[:count]
        # What comes from far away is proven anew each time: the object may be another one by now.
        self._proven[position] = not self._always and not self._source.far

    def _decode_again(self, position: int, count: int, out: NDArray[np.float32]) -> bool:
        """An embedding that has been verified before; False when only its record as a whole can decode it."""
        index, width = self._container.index, out.shape[1]
        data = self._buffer(int(index.length[position]))
        self._read_into(int(index.offset[position]), data)
        rows, where = int(index.counts["n_patches"][position]), f"record[{position}]"
        found = proven_planes(data, rows, width, where=where)
        if found is None:
            return False
        form, planes = found
        if isinstance(form, Floating):
            form.fill(planes, out)
        elif isinstance(form, Klt):
            return False
        else:
            out[:] = form.decode(planes, rows, width, where=where)[:count]
        return True
