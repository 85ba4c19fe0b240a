"""From stored values to what a reader of the film sees, 0 black to 1 white (PS3.3 C.11.1, C.11.2; PS3.4 N.2).

The order is fixed: modality LUT, then VOI LUT or window, then polarity. All three depend on a pixel's value only, so
they are worked out once for every value that can be stored, as one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.sources.dicom_header import DicomHeader, quiet_pydicom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuralgraph.sources.dicom_pixels import PixelFormat

__all__ = ["grey_level_table"]

# Numbers beyond this in a header are mistakes, and would only lose all precision.
_FAR = 1e12


def grey_level_table(header: DicomHeader, layout: PixelFormat) -> tuple[NDArray[np.float32], str]:
    """The grey level of every value that can be stored.

    Parameters
    ----------
    header : the film's header. Where it holds several VOI LUTs or windows the first counts, and a LUT wins over a
        window.
    layout : how pixels are stored; gives the range of stored values.

    Returns
    -------
    table : [2^bits_stored] float32, 0..1: entry i belongs to the stored value ``layout.lowest + i``.
    voi : the transformation used: "lut", "linear", "linear_exact", "sigmoid", "none" where the header has none, or
        "unusable" where it has a window without a centre or without a width. In the last two cases the whole
        range that can be stored, after the modality LUT, becomes 0..1; never the range that this picture happens
        to use.

    Raises
    ------
    SourceError
        E_SOURCE_DAMAGED: a LUT or a rescale that cannot be applied. E_SOURCE_ENCODING: a VOI LUT function other
        than those of the standard.
    """
    stored = np.arange(layout.lowest, layout.highest + 1, dtype=np.int64)
    values, low, high = _modality(header, stored)
    grey, voi = _values_of_interest(header, values, low, high)
    # MONOCHROME1 says the lowest value is white, after the VOI LUT; INVERSE says the same a second way.
    if header.word("PhotometricInterpretation") == "MONOCHROME1" or header.word("PresentationLUTShape") == "INVERSE":
        grey = 1.0 - grey
    return np.clip(grey, 0.0, 1.0).astype(np.float32), voi


def _damaged(what: str) -> SourceError:
    return SourceError(f"the DICOM file is damaged: {what}", code="E_SOURCE_DAMAGED")


def _modality(header: DicomHeader, stored: NDArray[np.int64]) -> tuple[NDArray[np.float64], float, float]:
    """Values after the modality LUT, and the range they can have (PS3.3 C.11.1)."""
    if (item := header.first_item("ModalityLUTSequence")) is not None:
        first, entries, bits = _lookup_table(
            item, "ModalityLUTSequence", is_signed=bool(stored[0] < 0), big_endian=header.big_endian
        )
        looked_up = entries[np.clip(stored - first, 0, len(entries) - 1)]
        return looked_up.astype(np.float64), 0.0, float(2**bits - 1)
    slopes, intercepts = header.numbers("RescaleSlope"), header.numbers("RescaleIntercept")
    slope = slopes[0] if slopes else 1.0
    intercept = intercepts[0] if intercepts else 0.0
    if not 1 / _FAR <= abs(slope) <= _FAR or abs(intercept) > _FAR:
        raise _damaged("its rescale slope or intercept cannot be meant")
    values = (stored * slope + intercept).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise _damaged("its rescale makes all values equal")
    return values, low, high


def _values_of_interest(
    header: DicomHeader, values: NDArray[np.float64], low: float, high: float
) -> tuple[NDArray[np.float64], str]:
    """Grey 0..1 by the first VOI LUT, else by the first window, else by the whole range (PS3.3 C.11.2)."""
    if (item := header.first_item("VOILUTSequence")) is not None:
        first, entries, bits = _lookup_table(item, "VOILUTSequence", is_signed=low < 0, big_endian=header.big_endian)
        index = np.clip(np.rint(values) - first, 0, len(entries) - 1).astype(np.int64)
        return entries[index] / float(2**bits - 1), "lut"
    centres, widths = header.numbers("WindowCenter"), header.numbers("WindowWidth")
    function = header.word("VOILUTFunction") or "LINEAR"
    if not centres or not widths:
        return (values - low) / (high - low), "unusable" if centres or widths else "none"
    centre, width = centres[0], widths[0]
    smallest_width = 1.0 if function == "LINEAR" else 1 / _FAR
    if not smallest_width <= width <= _FAR or abs(centre) > _FAR:
        return (values - low) / (high - low), "unusable"
    if function == "LINEAR":
        return _ramp(values, centre - 0.5, width - 1), "linear"
    if function == "LINEAR_EXACT":
        return _ramp(values, centre, width), "linear_exact"
    if function == "SIGMOID":
        # Beyond 700 the exponential overflows; the result is 0 or 1 long before.
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -700.0, 700.0))), "sigmoid"
    raise SourceError("its VOI LUT function is none of the standard's", code="E_SOURCE_ENCODING")


def _ramp(values: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    if width == 0:
        return (values > centre).astype(np.float64)
    return np.clip((values - centre) / width + 0.5, 0.0, 1.0)


def _lookup_table(item: Any, keyword: str, *, is_signed: bool, big_endian: bool) -> tuple[int, NDArray[np.int64], int]:
    """First value mapped, entries, and bits of an entry, from a LUT item (PS3.3 C.11.1.1, C.11.2.1.1)."""
    with quiet_pydicom(f"the table in {keyword} cannot be read"):
        order = ">" if big_endian else "<"
        descriptor = _words(item["LUTDescriptor"].value, order)
        data = item["LUTData"].value
        count, first, bits = (int(number) for number in descriptor)
        # 65536 entries are written as 0, and a count read as signed may look negative.
        count = (count & 0xFFFF) or 65536
        if isinstance(data, bytes) and len(data) < 2 * count:
            entries = np.frombuffer(data, np.uint8).astype(np.int64)
        else:
            entries = _words(data, order)
    if is_signed and first >= 0x8000:
        first -= 0x10000
    if not 8 <= bits <= 16 or not count <= len(entries) <= count + 1:
        raise _damaged(f"the table in {keyword} is not as long, or not as deep, as it says")
    entries = entries[:count] & 0xFFFF
    if int(entries.max()) >= 2**bits:
        raise _damaged(f"the table in {keyword} has entries of more bits than it says")
    return first, entries, bits


def _words(value: Any, order: str) -> NDArray[np.int64]:
    if isinstance(value, bytes):
        return np.frombuffer(value, f"{order}u2").astype(np.int64)
    return np.atleast_1d(np.asarray(value, dtype=np.int64))
