"""Grey films that a DICOM file stores in colour: RGB or YBR with equal channels or one tint, or a palette of greys.

Captures of films are often saved so (PS3.3 C.7.6.3.1.2). VOI LUTs and windows are for grey pixels and do not apply.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.colour import grey_of
from neuralgraph.sources.films.dicom_header import DicomHeader, quiet_pydicom
from neuralgraph.sources.films.dicom_pixels import PixelFormat, read_colour_samples, read_stored_values
from neuralgraph.sources.films.lookup_table import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_colour_as_grey"]

_CHANNELS = ("Red", "Green", "Blue")


def read_colour_as_grey(data: bytes, header: DicomHeader, layout: PixelFormat) -> tuple[NDArray[Any], PixelFormat, str]:
    """The grey of a film in colour, as if it had been stored in grey.

    Parameters
    ----------
    data : the file.
    header : its header; the dimensions have been held against the limits.
    layout : how a sample is stored.

    Returns
    -------
    values : uint8 or uint16 [rows, columns], 0 black to the highest of ``layout`` white.
    layout : of ``values``.
    photometric : "COLOUR" or "PALETTE".

    Raises
    ------
    SourceError (E_SOURCE_KIND) : a colour picture.
    SourceError (E_SOURCE_ENCODING, E_SOURCE_DAMAGED)
    MissingExtraError (E_EXTRA) : the library that decodes it is not installed.
    """
    if layout.samples == 1:
        samples, maximum = _through_palette(read_stored_values(data, header, layout), header, layout)
        photometric = "PALETTE"
    else:
        if layout.is_signed:
            raise SourceError("its colours are signed numbers, which is not supported", code="E_SOURCE_ENCODING")
        samples, maximum = read_colour_samples(data, header, layout), layout.highest
        photometric = "COLOUR"
    grey = grey_of(samples, None, maximum)
    bits = 8 if maximum == 255 else 16
    values = np.rint(grey * np.float64((1 << bits) - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    stored = replace(layout, bits_allocated=bits, bits_stored=bits, is_signed=False, samples=1)
    return values, stored, photometric


def _through_palette(values: NDArray[Any], header: DicomHeader, layout: PixelFormat) -> tuple[NDArray[np.int64], int]:
    """The colours [rows, columns, 3] of palette indices (PS3.3 C.7.6.3.1.5 and 6), and the largest they can be."""
    order = ">" if header.big_endian else "<"
    channels = []
    maximum = 0
    with quiet_pydicom("its palette cannot be read"):
        for channel in _CHANNELS:
            descriptor = header.elements[f"{channel}PaletteColorLookupTableDescriptor"].value
            data = header.elements[f"{channel}PaletteColorLookupTableData"].value
            count, first, bits = (int(number) for number in words_of(descriptor, order))
            count = (count & 0xFFFF) or 65536
            if layout.is_signed and first >= 0x8000:
                first -= 0x10000
            # 8-bit entries may be written two to a word, or one.
            packed = bits == 8 and isinstance(data, bytes) and len(data) < 2 * count
            entries = np.frombuffer(data, np.uint8).astype(np.int64) if packed else words_of(data, order)
            if bits not in (8, 16) or len(entries) < count:
                raise ValueError
            entries = entries[:count] & ((1 << bits) - 1)
            maximum = max(maximum, (1 << bits) - 1)
            channels.append(entries[np.clip(values.astype(np.int64) - first, 0, count - 1)])
    return np.stack(channels, axis=-1), maximum
