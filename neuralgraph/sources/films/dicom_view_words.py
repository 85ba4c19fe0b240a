"""The view that a DICOM header states: projection and body position, from words, codes and their meanings."""

from __future__ import annotations

from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.dicom_header import DicomHeader, quiet_pydicom
from neuralgraph.sources.films.view_words import FRONTAL, StatedView, position_of_code, projection_of_code, read_view

__all__ = ["stated_body_position", "stated_view"]

_UNSAID = ("", "unknown")
# Patient Position (PS3.3 C.7.3.1.1.2) says head or feet first, then how the patient lies.
_PATIENT_POSITIONS: dict[str, str] = {
    **dict.fromkeys(("HFS", "FFS"), "supine"),
    **dict.fromkeys(("HFP", "FFP"), "prone"),
    **dict.fromkeys(("HFDL", "FFDL"), "left decubitus"),
    **dict.fromkeys(("HFDR", "FFDR"), "right decubitus"),
}


def stated_view(header: DicomHeader) -> StatedView:
    """How the film was taken: View Position (0018,5101), else View Code Sequence (0054,0220; CID 4010).

    Returns
    -------
    StatedView : its projection is never "": what says nothing known is "unknown". Where code and meaning disagree about
        PA and AP, which some writers confuse, it is FRONTAL; where they disagree about more, "unknown".

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : an element cannot be read.
    """
    word = read_view(header.word("ViewPosition"))
    if word.projection not in _UNSAID:
        return word
    item = header.first_item("ViewCodeSequence")
    code, meaning = _code(item)
    told = read_view(meaning)
    stated = {found for found in (projection_of_code(code), told.projection) if found not in _UNSAID}
    if len(stated) == 1:
        return StatedView(stated.pop(), word.position or told.position)
    frontal = stated and stated <= {"PA", "AP", FRONTAL}
    return StatedView(FRONTAL if frontal else "unknown", word.position or told.position)


def stated_body_position(header: DicomHeader) -> str:
    """How the patient was placed; "" where nothing says it.

    The words of View Position come first, then Patient Orientation Code Sequence (0054,0410; CID 19), whose modifier
    (CID 20) is the more exact, then Patient Position (0018,5100).

    Returns
    -------
    str : one of ``BODY_POSITIONS``, or "".
    """
    try:
        if position := stated_view(header).position:
            return position
        item = header.first_item("PatientOrientationCodeSequence")
        with quiet_pydicom("its patient orientation code cannot be read"):
            modifiers = None if item is None else item.get("PatientOrientationModifierCodeSequence")
            modifier = modifiers[0] if modifiers else None
    except SourceError:
        # Of no weight for the pixels: what cannot be read says nothing.
        return ""
    for stated in (modifier, item):
        code, meaning = _code(stated)
        if position := position_of_code(code) or read_view(meaning).position:
            return position
    return _PATIENT_POSITIONS.get(header.word("PatientPosition"), "")


def _code(item: Any) -> tuple[str, str]:
    """Value and meaning of a code (PS3.3 table 8.8-1); "" where there is none."""
    if item is None:
        return "", ""
    with quiet_pydicom("its view code cannot be read"):
        return str(item.get("CodeValue") or "").strip(), str(item.get("CodeMeaning") or "")
