"""Deflated data sets (transfer syntax 1.2.840.10008.1.2.1.99, PS3.5 A.5), inflated within bounds.

What a deflated data set holds is not known before it is inflated, and one kilobyte can become a megabyte: first only as
much is inflated as a header may have, then only as many bytes as the header's rows and columns justify.
"""

from __future__ import annotations

import struct
import zlib

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.dicom_header import DicomHeader, read_dicom_header, read_transfer_syntax
from neuralgraph.sources.films.film import FilmLimits, check_dimensions, check_expansion

__all__ = ["DEFLATED", "inflated_file"]

DEFLATED = "1.2.840.10008.1.2.1.99"
"""Deflated Explicit VR Little Endian."""

_PLAIN = b"1.2.840.10008.1.2.1\0"
_PREFIX = bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 0x0010, b"UI", len(_PLAIN)) + _PLAIN
_HEADER_BYTES = 4 * 1024 * 1024


def inflated_file(data: bytes, limits: FilmLimits | None = None) -> bytes:
    """The same file in Explicit VR Little Endian, as far as a film needs it; other files as they are.

    Parameters
    ----------
    data : a DICOM file, or its beginning.
    limits : bounds on the picture, checked before its pixels are inflated; None inflates the header alone.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : the data set does not inflate.
    SourceError (E_SOURCE_SIZE) : its header or its picture is larger than a film's can be.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    syntax, start = read_transfer_syntax(data)
    if syntax != DEFLATED:
        return data
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    head = _inflate(inflater, data[start:], _HEADER_BYTES)
    is_cut = not inflater.eof and len(head) >= _HEADER_BYTES
    try:
        header = read_dicom_header(_PREFIX + head)
    except SourceError as error:
        if is_cut:
            raise _too_large() from error
        raise
    if header.pixel_start < 0:
        if is_cut:
            raise _too_large()
        return _PREFIX + head
    if limits is None:
        return _PREFIX + head[: header.pixel_start - len(_PREFIX)]
    size = _pixel_bytes(header, limits)
    check_expansion(len(data), size)
    wanted = header.pixel_start - len(_PREFIX) + size
    rest = b"" if wanted <= len(head) else _inflate(inflater, inflater.unconsumed_tail, wanted - len(head))
    return _PREFIX + head + rest


def _too_large() -> SourceError:
    return SourceError("its deflated header is larger than a film's can be", code="E_SOURCE_SIZE")


def _pixel_bytes(header: DicomHeader, limits: FilmLimits) -> int:
    """Bytes of the one frame that the header justifies."""
    rows, columns = header.integer("Rows", 0), header.integer("Columns", 0)
    check_dimensions(rows, columns, limits)
    size = rows * columns * max(1, min(header.integer("BitsAllocated", 8) // 8, 2))
    return size + size % 2


def _inflate(inflater: zlib._Decompress, packed: bytes, most: int) -> bytes:
    try:
        return inflater.decompress(packed, most)
    except zlib.error as error:
        raise SourceError(
            "the DICOM file is damaged or truncated: it does not inflate", code="E_SOURCE_DAMAGED"
        ) from error
