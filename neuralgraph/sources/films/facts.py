"""The facts that a film may carry into its study: a fixed list, so that nothing else of a source gets through.

A study keeps them as one map per film in its provenance, ``films[i]`` (FORMAT.md section 6.3). A key that nothing is
known about is absent. No text of a source ever becomes a fact: those that are words are words of ours.

===========================  ==================================================================================
``format``                   of the file
``bits_stored``              of one source sample
``bits_used``                of those, where a PNG was found to use fewer, and is shown over them
``photometric``              grey, and which end is white; colour; palette
``sop_class``, ``modality``  of DICOM
``body_part``                "other" warns that the header says so
``position``                 how the patient was placed (the direction of the beam is the view's own code)
``voi``                      which grey-level transformation was applied; see ``presentation``
``rescue``                   why not the one that the header asks for first; see ``RESCUES``
``quality``                  whether the film says anything; see ``quality.QUALITIES``
``grey_span``                share of the grey scale that all but the darkest and brightest pixels take up
``turned``, ``turned_by``    what was done to the stored picture for it to hang the right way, and who asked for it
``orientation``              "unclear": the header has letters for the sides of the patient, and they say nothing usable
``squared``                  pixels were not square; the picture was stretched along the coarser axis
``stored_size``              [height, width] of the stored picture, where it was turned or stretched
``detector_rotation``        degrees by which the source had turned the pixels before it stored them
``detector_flip``            whether it had mirrored them, after that
``pixel_spacing``            [between rows, between columns] of the film as it is now, mm
``imager_pixel_spacing``     likewise, at the detector
``burned_in``                what the header says of identifying text in the pixels
``text_marks``               how many lines that look like letters were found in the picture; see ``burned_text``
``transparent``              transparent parts were laid on black
``lossy`` and its ratio ...  compressed with loss before
===========================  ==================================================================================
"""

from __future__ import annotations

import math
from typing import Any

from neuralgraph.sources.films.quality import QUALITIES
from neuralgraph.sources.films.view_words import BODY_POSITIONS

__all__ = ["FACT_WORDS", "RESCUES", "TURNS", "Fact", "is_allowed_fact"]

Fact = bool | int | float | str | list[float] | list[str]
"""What a fact may be."""

TURNS: tuple[str, ...] = (
    "none",
    "mirrored",
    "half turn",
    "upside down",
    "transposed",
    "quarter turn right",
    "transversed",
    "quarter turn left",
)
"""What was done to a stored picture, in the order of EXIF's orientations 1 to 8 (EXIF 2.32 section 4.6.4): mirrored
left to right; turned by 180 degrees; mirrored top to bottom; over the falling diagonal; by 90 degrees clockwise; over
the rising diagonal; by 90 degrees anticlockwise."""

RESCUES: tuple[str, ...] = ("another table", "another window", "bits used", "no window", "entries used")
"""How a film is shown that is not shown as its header first asks: by a further VOI LUT or window of the header; by the
table's entries, or the stored values, taken to have only as many bits as are used of those declared; without VOI LUT
and window, as if there were none; over the table's own lowest to highest entry."""

FACT_WORDS: dict[str, tuple[str, ...]] = {
    "format": ("dicom", "png", "jpeg", "array", "phantom"),
    "photometric": ("MONOCHROME1", "MONOCHROME2", "GREY", "COLOUR", "PALETTE"),
    "sop_class": ("CR", "DX", "DX for processing", "SC"),
    "modality": ("CR", "DX", "RG", "OT"),
    "body_part": ("chest", "other"),
    "position": BODY_POSITIONS,
    "voi": ("lut", "linear", "linear_exact", "sigmoid", "none", "unusable"),
    "rescue": RESCUES,
    "quality": QUALITIES,
    "turned": TURNS[1:],
    "turned_by": ("exif", "patient orientation"),
    "orientation": ("unclear",),
    "lossy_method": ("ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_15", "ISO_18181_1", "OTHER"),
}
"""The facts that are words, each with every word it may be: no text of a source ever becomes a fact."""

_NUMBER_FACTS: dict[str, Any] = {
    "bits_stored": int,
    "bits_used": int,
    "grey_span": float,
    "lossy": bool,
    "burned_in": bool,
    "text_marks": int,
    "transparent": bool,
    "squared": bool,
    "detector_rotation": int,
    "detector_flip": bool,
}
_LIST_FACTS = frozenset({"lossy_ratio", "pixel_spacing", "imager_pixel_spacing", "stored_size"})


def is_allowed_fact(name: str, value: Any) -> bool:
    """Whether a film may carry this fact with this value."""
    if name == "lossy_method":
        return isinstance(value, list) and all(word in FACT_WORDS[name] for word in value)
    if name in FACT_WORDS:
        return isinstance(value, str) and value in FACT_WORDS[name]
    if name in _NUMBER_FACTS:
        return type(value) is _NUMBER_FACTS[name] and bool(0 <= value < math.inf)
    if name in _LIST_FACTS:
        return isinstance(value, list) and all(type(item) is float and 0 < item < math.inf for item in value)
    return False
