"""From stored values to what a reader of the film sees, 0 black to 1 white (PS3.3 C.11.1, C.11.2; PS3.4 N.2).

The order is fixed: modality LUT, then VOI LUT or window, then polarity. All three depend on a pixel's value only, so
they are worked out once for every value that can be stored, as one table.

A header may give several VOI LUTs and windows, of which any one may be applied (C.11.2.1), and what it says may be of
another picture. The first is taken, a LUT before a window, unless it leaves next to nothing of this picture and another
does better: then that one is, and the film says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.dicom_header import DicomHeader
from neuralgraph.sources.films.lookup_table import LookupTable, lookup_tables
from neuralgraph.sources.films.quality import MARKERS, grey_use

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuralgraph.sources.films.dicom_pixels import PixelFormat

__all__ = ["Presentation", "plain_presentation", "presentation"]

# Numbers beyond this in a header are mistakes, and would only lose all precision.
_FAR = 1e12
_GAIN = 2
"""Another transformation has to show so many times the steps of the first, where neither is good."""


class Presentation(NamedTuple):
    """One way to show a film."""

    table: NDArray[np.float32]
    """[2^bits_stored] float32, 0..1: entry i belongs to the stored value ``layout.lowest + i``."""
    voi: str
    """The transformation used: "lut", "linear", "linear_exact", "sigmoid"; "none" where the header has none; "unusable"
    where it has windows, none with a centre and a width that can be applied, or none that leaves anything."""
    rescue: str
    """"" for what the header asks for first, else one of ``facts.RESCUES``."""


class _Modality(NamedTuple):
    """Values after the modality LUT (PS3.3 C.11.1)."""

    values: NDArray[np.float64]
    """[2^bits_stored]."""
    low: float
    high: float
    """The range that is black to white without a VOI LUT or window."""


def presentation(header: DicomHeader, layout: PixelFormat, counts: NDArray[np.int64]) -> Presentation:
    """How a film is shown.

    Parameters
    ----------
    header : the film's header.
    layout : how pixels are stored; gives the range of stored values.
    counts : [2^bits_stored]: pixels of each stored value, padding left out. A part of the pixels will do.

    Returns
    -------
    Presentation : the first that the header asks for. Without VOI LUT and window the whole range that can be stored,
        after the modality LUT, becomes 0..1; never the range that this picture happens to use. Another one only where
        the first shows next to nothing (``quality.GreyUse``) and the other is good, or twice as good.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : a LUT or a rescale that cannot be applied.
    SourceError (E_SOURCE_ENCODING) : a VOI LUT function other than those of the standard.
    """
    # MONOCHROME1 says the lowest value is white, after the VOI LUT; INVERSE says the same a second way.
    inverse = (
        header.word("PhotometricInterpretation") == "MONOCHROME1" or header.word("PresentationLUTShape") == "INVERSE"
    )
    best: Presentation | None = None
    steps = 0
    for grey, voi, rescue in _candidates(header, layout, counts):
        table = np.clip(1.0 - grey if inverse else grey, 0.0, 1.0).astype(np.float32)
        if not counts.any():
            return Presentation(table, voi, rescue)
        use = grey_use(table, counts)
        if use.quality == "good":
            return Presentation(table, voi, rescue)
        if best is None or use.steps >= _GAIN * steps:
            best, steps = Presentation(table, voi, rescue), use.steps
    if best is None:
        raise AssertionError("a film can always be shown without VOI LUT and window")
    return best


def plain_presentation(layout: PixelFormat) -> Presentation:
    """How values are shown that are grey levels already: the lowest black, the highest white."""
    top = layout.highest - layout.lowest
    return Presentation(np.arange(top + 1, dtype=np.float32) / np.float32(top), "none", "")


def _candidates(
    header: DicomHeader, layout: PixelFormat, counts: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.float64], str, str]]:
    """Grey levels of all stored values, the transformation, and the rescue it is; what the header asks for first."""
    stored = np.arange(layout.lowest, layout.highest + 1, dtype=np.int64)
    tables = lookup_tables(header, "ModalityLUTSequence", is_signed=layout.is_signed)
    entries = tables[0] if tables else None
    modality = _modality(header, stored, entries)
    interest = lookup_tables(header, "VOILUTSequence", is_signed=modality.low < 0)
    windows, stated = _windows(header, modality.values)
    for number, table in enumerate(interest):
        yield table.of(modality.values) / table.top, "lut", "another table" if number else ""
    for number, (grey, function, first) in enumerate(windows):
        yield grey, function, "" if first and not interest and number == 0 else "another window"
    for table in interest:
        if table.top_used < table.top:
            yield table.of(modality.values) / table.top_used, "lut", "bits used"
    plain = "unusable" if stated or interest else "none"
    yield _without(modality), plain, "no window" if interest or stated else ""
    for span in _spans(counts) if counts.any() else ():
        if (narrower := _narrower(header, layout, stored, entries, span)) is not None:
            yield _without(narrower), plain, "bits used"
    for table in interest:
        if table.highest > table.lowest:
            yield table.spread(modality.values), "lut", "entries used"
    if entries is not None and entries.highest > entries.lowest:
        low, high = float(entries.lowest), float(entries.highest)
        yield _without(modality._replace(low=low, high=high)), plain, "entries used"


def _damaged(what: str) -> SourceError:
    return SourceError(f"the DICOM file is damaged: {what}", code="E_SOURCE_DAMAGED")


def _without(modality: _Modality) -> NDArray[np.float64]:
    """Grey levels without VOI LUT and window."""
    return np.clip((modality.values - modality.low) / (modality.high - modality.low), 0.0, 1.0)


def _modality(header: DicomHeader, stored: NDArray[np.int64], table: LookupTable | None) -> _Modality:
    if table is not None:
        return _Modality(table.of(stored.astype(np.float64)).astype(np.float64), 0.0, float(table.top))
    slopes, intercepts = header.numbers("RescaleSlope"), header.numbers("RescaleIntercept")
    slope = slopes[0] if slopes else 1.0
    intercept = intercepts[0] if intercepts else 0.0
    if not 1 / _FAR <= abs(slope) <= _FAR or abs(intercept) > _FAR:
        raise _damaged("its rescale slope or intercept cannot be meant")
    values = (stored * slope + intercept).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise _damaged("its rescale makes all values equal")
    return _Modality(values, low, high)


def _narrower(
    header: DicomHeader,
    layout: PixelFormat,
    stored: NDArray[np.int64],
    table: LookupTable | None,
    span: tuple[int, int],
) -> _Modality | None:
    """The modality LUT over as many bits as are used; None where all are.

    Of 12 bits in 16 the header may say 16. The number of bits is what a writer gets wrong, so it is what is put right:
    the range becomes another power of two, never what this picture happens to reach.
    """
    modality = _modality(header, stored, table)
    if table is not None:
        return modality._replace(high=float(table.top_used)) if table.top_used < table.top else None
    lowest, highest = int(stored[0]) + int(span[0]), int(stored[0]) + int(span[1])
    # Signed values that never fall below zero are unsigned ones.
    bits = max(8, highest.bit_length()) if lowest >= 0 else max(8, 1 + max(highest, ~lowest).bit_length())
    first, last = (0, (1 << bits) - 1) if lowest >= 0 else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    first, last = max(first, layout.lowest), min(last, layout.highest)
    if (first, last) == (layout.lowest, layout.highest):
        return None
    ends = modality.values[[first - layout.lowest, last - layout.lowest]]
    return modality._replace(low=float(ends.min()), high=float(ends.max()))


def _spans(counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The lowest and the highest value used: by any pixel, and by all but the outermost, which may be markers."""
    share = np.cumsum(counts) / counts.sum()
    used = np.flatnonzero(counts)
    inner = np.searchsorted(share, [MARKERS, 1 - MARKERS])
    return list(dict.fromkeys([(int(used[0]), int(used[-1])), (int(inner[0]), int(inner[1]))]))


def _windows(
    header: DicomHeader, values: NDArray[np.float64]
) -> tuple[list[tuple[NDArray[np.float64], str, bool]], bool]:
    """Grey 0..1 by each window that can be applied, with its function and whether it is the first stated.

    Returns also whether any window is stated, usable or not (PS3.3 C.11.2.1.2).
    """
    centres, widths = header.numbers("WindowCenter"), header.numbers("WindowWidth")
    function = header.word("VOILUTFunction") or "LINEAR"
    smallest_width = 1.0 if function == "LINEAR" else 1 / _FAR
    shown = []
    for number, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        if smallest_width <= width <= _FAR and abs(centre) <= _FAR:
            grey, name = _window(function, values, centre, width)
            shown.append((grey, name, number == 0))
    return shown, bool(centres or widths)


def _window(function: str, values: NDArray[np.float64], centre: float, width: float) -> tuple[NDArray[np.float64], str]:
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
