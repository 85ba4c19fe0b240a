"""Films from DICOM files.

Accepted are single-frame projection radiographs: Computed Radiography, Digital X-Ray for presentation, and Secondary
Capture (which is what converted films are) of 8 to 16 bits, grey, or grey films saved in colour. Everything else is
refused with one reason.

Pixels go through the whole pipeline: stored value, modality LUT, VOI LUT or window, polarity, 0..1; then square pixels,
and the right way up. Pixel Padding Value is shown like any other, and does not count where the use of the grey scale is
measured. A film of another body part than the chest is accepted and carries the fact ``body_part`` = "other": that
element is often wrong or set by protocol, so the caller decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.deflated import inflated_file
from neuralgraph.sources.films.dicom_colour import read_colour_as_grey
from neuralgraph.sources.films.dicom_header import DicomHeader, read_dicom_header, registered_name
from neuralgraph.sources.films.dicom_pixels import PixelFormat, is_lossy_syntax, read_stored_values
from neuralgraph.sources.films.dicom_view_words import stated_body_position, stated_view
from neuralgraph.sources.films.film import FACT_WORDS, Fact, Film, FilmLimits, check_dimensions
from neuralgraph.sources.films.geometry import hung
from neuralgraph.sources.films.grey_levels import grey_levels
from neuralgraph.sources.films.presentation import Presentation, plain_presentation, presentation
from neuralgraph.sources.films.quality import sampled
from neuralgraph.wire.vocabulary import VIEW_POSITIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FILM_CLASSES", "StoredFilm", "is_dicom", "read_dicom_film", "read_stored_film"]

_SOP_CLASSES: dict[str, str] = {
    "1.2.840.10008.5.1.4.1.1.1": "CR",
    "1.2.840.10008.5.1.4.1.1.1.1": "DX",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "DX for processing",
    "1.2.840.10008.5.1.4.1.1.7": "SC",
}
FILM_CLASSES: tuple[str, ...] = tuple(uid for uid, name in _SOP_CLASSES.items() if name in ("CR", "DX", "SC"))
"""SOP classes that are read unless more is asked for, the classes of films before the one of whatever was captured."""

_MODALITIES = ("CR", "DX", "RG")
# A digitiser or a converter that did not know better says OT, or nothing.
_CAPTURE_MODALITIES = (*_MODALITIES, "OT", "")
_PHOTOMETRIC: dict[int, tuple[str, ...]] = {
    1: ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"),
    3: ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"),
}
_PADDING = ("PixelPaddingValue", "PixelPaddingRangeLimit")
_CHEST_WORDS = ("CHEST", "THORA", "TORAX", "LUNG")


def is_dicom(data: bytes) -> bool:
    """Whether these bytes begin like a DICOM file: 128 bytes of anything, then "DICM"."""
    return data[128:132] == b"DICM"


def read_dicom_film(
    data: bytes,
    *,
    limits: FilmLimits | None = None,
    accept_for_processing: bool = False,
    accept_burned_in: bool = False,
) -> Film:
    """A film from a DICOM file.

    Parameters
    ----------
    data : the file.
    limits : bounds, checked on the header and on the compressed pixels' own header before decoding.
    accept_for_processing : also take Digital X-Ray for processing, which is not what a radiologist looks at.
    accept_burned_in : also take films that say of themselves that identifying text is burned into the pixels.

    Returns
    -------
    Film : float32 [height, width]: the stored picture of rows x columns, made of square pixels and turned as its header
        says (``geometry``).

    Raises
    ------
    SourceError (E_SOURCE_TYPE) : no DICOM file.
    SourceError (E_SOURCE_KIND) : no single-frame grey projection radiograph, no pixels, or burned-in text.
    SourceError (E_SOURCE_TURNED) : mirrored, and the header contradicts itself about how.
    SourceError (E_SOURCE_SIZE, E_SOURCE_ENCODING, E_SOURCE_DAMAGED)
    MissingExtraError (E_EXTRA) : pydicom, or the library for this transfer syntax, is not installed.
    """
    stored = read_stored_film(
        data, limits=limits, accept_for_processing=accept_for_processing, accept_burned_in=accept_burned_in
    )
    return hung(stored.film(), stored.header, limits)


@dataclass(frozen=True, eq=False)
class StoredFilm:
    """A DICOM film before its grey-level transformation."""

    values: NDArray[Any]
    """Integers [rows, columns] in ``layout.lowest``..``layout.highest``, as stored; of a film in colour its grey."""
    layout: PixelFormat
    """How they are stored."""
    shown_by: Presentation
    """Which grey level each stored value has."""
    header: DicomHeader
    sop_class: str
    """What ``film`` tells of the source."""
    colouring: str = ""
    """"" for a film stored in grey, else "COLOUR" or "PALETTE"."""

    def shown(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """float32 [rows, columns] in 0..1: what stored values look like."""
        return grey_levels(self.shown_by.table, values, self.layout.lowest)

    def film(self) -> Film:
        """The film as it is shown, its pixels where they are stored."""
        return Film.of_table(self.shown_by.table, self.shown(self.values), _stated_position(self.header), self._facts())

    def _facts(self) -> dict[str, Fact]:
        header = self.header
        facts: dict[str, Fact] = {
            "format": "dicom",
            "bits_stored": self.layout.bits_stored,
            "photometric": self.colouring or header.word("PhotometricInterpretation"),
            "sop_class": self.sop_class,
            "voi": self.shown_by.voi,
        }
        if self.shown_by.rescue:
            facts["rescue"] = self.shown_by.rescue
        if position := stated_body_position(header):
            facts["position"] = position
        if header.word("Modality"):
            facts["modality"] = header.word("Modality")
        burned_in = header.word("BurnedInAnnotation")
        if burned_in in ("YES", "NO"):
            facts["burned_in"] = burned_in == "YES"
        if body_part := header.word("BodyPartExamined"):
            facts["body_part"] = "chest" if any(word in body_part for word in _CHEST_WORDS) else "other"
        for name, keyword in (("pixel_spacing", "PixelSpacing"), ("imager_pixel_spacing", "ImagerPixelSpacing")):
            spacing = header.numbers(keyword)
            # Zero is written where the spacing is not known.
            if len(spacing) == 2 and min(spacing) > 0:
                facts[name] = spacing
        return facts | _loss(header)


def read_stored_film(
    data: bytes,
    *,
    limits: FilmLimits | None = None,
    accept_for_processing: bool = False,
    accept_burned_in: bool = False,
) -> StoredFilm:
    """The stored values of a DICOM film; parameters and errors as ``read_dicom_film``."""
    if not is_dicom(data):
        raise SourceError('not a DICOM file: "DICM" is missing at byte 128', code="E_SOURCE_TYPE")
    limits = limits or FilmLimits()
    data = inflated_file(data, limits)
    header = read_dicom_header(data)
    sop_class = _accepted_class(header, accept_for_processing=accept_for_processing)
    layout = _pixel_format(header, limits)
    if header.word("BurnedInAnnotation") == "YES" and not accept_burned_in:
        raise _kind("the film says that identifying text is burned into its pixels; accept that explicitly if meant")
    if layout.samples > 1 or header.word("PhotometricInterpretation") == "PALETTE COLOR":
        values, layout, colouring = read_colour_as_grey(data, header, layout)
        return StoredFilm(values, layout, plain_presentation(layout), header, sop_class, colouring)
    values = read_stored_values(data, header, layout)
    return StoredFilm(values, layout, presentation(header, layout, _counts(values, header, layout)), header, sop_class)


def _counts(values: NDArray[Any], header: DicomHeader, layout: PixelFormat) -> NDArray[np.int64]:
    """Pixels of every stored value, from a part of the film, without its padding (PS3.3 C.7.5.1.1.2)."""
    part = sampled(values).astype(np.int64) - layout.lowest
    counts = np.bincount(part.ravel(), minlength=1 << layout.bits_stored)
    try:
        padding = [int(number) for keyword in _PADDING for number in header.numbers(keyword)[:1]]
    except SourceError:
        return counts
    if padding:
        # A film of nothing but padding is judged by it.
        first, last = (np.clip(end - layout.lowest, -1, len(counts)) for end in (min(padding), max(padding)))
        without = counts.copy()
        without[max(0, int(first)) : int(last) + 1] = 0
        return without if without.any() else counts
    return counts


def _kind(reason: str) -> SourceError:
    return SourceError(reason, code="E_SOURCE_KIND")


def _accepted_class(header: DicomHeader, *, accept_for_processing: bool) -> str:
    """The short name of the SOP class, if this is one frame of a grey projection radiograph."""
    uid, modality = header.word("SOPClassUID"), header.word("Modality")
    if not uid:
        raise _kind("the DICOM file does not say what it is (no SOP class); no film, or a folder file")
    sop_class = _SOP_CLASSES.get(uid)
    if sop_class is None:
        raise _kind(f"{registered_name(uid, 'its SOP class')} is no projection radiograph")
    accepted = _CAPTURE_MODALITIES if sop_class == "SC" else (*_MODALITIES, "")
    if modality not in accepted:
        raise _kind(
            f"the modality is {modality if len(modality) <= 6 and modality.isalnum() else 'another'}, not CR or DX"
        )
    if sop_class == "DX for processing" and not accept_for_processing:
        raise _kind("a film for processing, not for presentation; accept that explicitly if meant")
    if header.has_float_pixels:
        raise _kind("its pixels are floating point values, not a film's")
    if header.pixel_start < 0:
        raise _kind("the DICOM file has no pixel data")
    if (frames := header.integer("NumberOfFrames", 1)) != 1:
        raise _kind(f"it has {frames} frames, not one")
    if header.word("PhotometricInterpretation") not in _PHOTOMETRIC.get(header.integer("SamplesPerPixel"), ()):
        raise _kind("its samples are neither grey, nor of a palette, nor RGB or YBR")
    return sop_class


def _pixel_format(header: DicomHeader, limits: FilmLimits) -> PixelFormat:
    rows, columns = header.integer("Rows"), header.integer("Columns")
    check_dimensions(rows, columns, limits)
    allocated, stored = header.integer("BitsAllocated"), header.integer("BitsStored")
    highest_bit = header.integer("HighBit", stored - 1)
    if allocated not in (8, 16) or not 8 <= stored <= allocated or highest_bit != stored - 1:
        raise SourceError(
            f"pixels of {stored} bits in {allocated}, highest bit {highest_bit}, are not supported",
            code="E_SOURCE_ENCODING",
        )
    representation = header.integer("PixelRepresentation")
    if representation not in (0, 1):
        raise SourceError(
            "the DICOM file is damaged: its pixels are neither signed nor unsigned", code="E_SOURCE_DAMAGED"
        )
    return PixelFormat(rows, columns, allocated, stored, representation == 1, header.integer("SamplesPerPixel"))


def _stated_position(header: DicomHeader) -> str:
    """How the film was taken, as the code of a view.

    Returns
    -------
    str : one of ``neuralgraph.wire.vocabulary.VIEW_POSITIONS``; "unknown" for a frontal film that is PA or AP and does
        not say which.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : an element cannot be read.
    """
    projection = stated_view(header).projection
    return projection if projection in VIEW_POSITIONS else "unknown"


def _loss(header: DicomHeader) -> dict[str, Fact]:
    """What the header says of lossy compression, ever, anywhere (PS3.3 C.7.6.1.1.5)."""
    facts: dict[str, Fact] = {}
    stated = header.word("LossyImageCompression")
    if stated == "01" or is_lossy_syntax(header.transfer_syntax):
        facts["lossy"] = True
    elif stated == "00":
        facts["lossy"] = False
    if ratios := [ratio for ratio in header.numbers("LossyImageCompressionRatio") if ratio > 0]:
        facts["lossy_ratio"] = ratios
    if methods := [word for word in header.words("LossyImageCompressionMethod") if word]:
        facts["lossy_method"] = [word if word in FACT_WORDS["lossy_method"] else "OTHER" for word in methods]
    return facts
