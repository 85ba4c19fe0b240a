"""What people write about a view, read as two things: the projection, and how the patient was placed.

Tables and headers say "AP Supine", "PORTABLE AP", "AP SUP", "LAT", "AP_horizontal", "Chest AP (semi-erect)". The
direction of the beam decides which films belong together; standing or lying does not change it and is kept apart. Words
that name neither are passed over; a word that names another picture (oblique, decubitus, apical) makes the view OTHER,
whatever stands beside it: a decubitus film is taken AP, and is no frontal film of the chest as readers expect one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

__all__ = ["BODY_POSITIONS", "StatedView", "position_of_code", "projection_of_code", "read_view"]

BODY_POSITIONS: tuple[str, ...] = (
    "erect", "semi-erect", "sitting", "recumbent", "supine", "prone",
    "decubitus", "left decubitus", "right decubitus",
)  # fmt: skip
"""How a patient may have been placed; recumbent is lying, on which side is not said."""

FRONTAL = "FRONTAL"
"""PA or AP, and the words do not say which."""

_PHRASES: tuple[tuple[str, str], ...] = (
    (r"POSTERO?(?:IOR)?(?: TO)? ?ANTERIOR|POSTERIOANTERIOR|P A", "PA"),
    (r"ANTERO?(?:IOR)?(?: TO)? ?POSTERIOR|ANTERIOPOSTERIOR|A P", "AP"),
    (r"(?:CROSS|X) ?TABLE", "SUPINE"),
    (r"(?:SEMI|HALF) ?(?:ERECT|UPRIGHT|SITTING|SUPINE|RECUMBENT|STANDING)", "SEMIERECT"),
    (r"(?:LEFT|LT|L) (?:LATERAL|LAT) DECUB\w*", "LLD"),
    (r"(?:RIGHT|RT|R) (?:LATERAL|LAT) DECUB\w*", "RLD"),
    (r"(?:LEFT|LT|L) DECUB\w*", "LLD"),
    (r"(?:RIGHT|RT|R) DECUB\w*", "RLD"),
    (r"(?:LEFT|LT|L) (?:LATERAL|LAT)|(?:LATERAL|LAT) (?:LEFT|LT|L)|LLAT|LATL", "LL"),
    (r"(?:RIGHT|RT|R) (?:LATERAL|LAT)|(?:LATERAL|LAT) (?:RIGHT|RT|R)|RLAT|LATR", "RL"),
)
_PROJECTIONS: dict[str, str] = {
    "PA": "PA",
    "AP": "AP",
    "LL": "LL",
    "RL": "RL",
    **dict.fromkeys(("LATERAL", "LAT", "LATERALE", "LATERALIS", "PROFIL", "PERFIL", "SEITLICH"), "LATERAL"),
    **dict.fromkeys(("FRONTAL", "FRONT", "FACE"), FRONTAL),
}
_OTHER = frozenset(
    (
        "OTHER", "NOT", "NO", "OBLIQUE", "OBL", "OBLIQ", "AXIAL", "LORDOTIC", "APICAL", "APEX", "APICES",
        "LPO", "RPO", "LAO", "RAO", "LLO", "RLO", "TANGENTIAL", "COSTAL", "RIB", "RIBS", "ABDOMEN", "ABD",
        "KUB", "PELVIS", "SPINE", "NECK", "STERNUM", "CLAVICLE", "SHOULDER", "SWIMMER", "SWIMMERS", "SCOUT",
        "LOCALIZER", "LOCALISER", "CORONAL", "SAGITTAL", "EXCLUDE", "LLD", "RLD", "DECUB", "DECUBITUS",
        "DECUBITAL",
    )
)  # fmt: skip
_POSITIONS: dict[str, str] = {
    **dict.fromkeys(["ERECT", "UPRIGHT", "STANDING", "STAND", "STEHEND", "DEBOUT"], "erect"),
    **dict.fromkeys(["SEMIERECT", "SEMIUPRIGHT", "SEMI", "SEMISUPINE"], "semi-erect"),
    **dict.fromkeys(["SITTING", "SEATED", "SIT", "CHAIR", "WHEELCHAIR", "SITZEND", "ASSIS"], "sitting"),
    **dict.fromkeys(["RECUMBENT", "LYING", "STRETCHER", "LIEGEND"], "recumbent"),
    **dict.fromkeys(["SUPINE", "SUP", "HORIZONTAL", "SUPINO", "COUCHE"], "supine"),
    "PRONE": "prone",
    **dict.fromkeys(["DECUB", "DECUBITUS", "DECUBITAL"], "decubitus"),
    "LLD": "left decubitus",
    "RLD": "right decubitus",
}
_UNSAID = frozenset(
    (
        "UNKNOWN", "UNK", "UNSPECIFIED", "NA", "N", "NONE", "NULL", "NAN", "CHEST", "THORAX", "CXR", "CX",
        "VIEW", "VIEWS", "PROJECTION", "PROJ", "XRAY", "X", "RAY", "XR", "CR", "DX", "DR", "RADIOGRAPH",
        "FILM", "IMAGE", "SINGLE", "ONE", "ONLY", "PORTABLE", "PORT", "PORTATIL", "PORTABLES", "MOBILE", "MOB",
        "BEDSIDE", "BED", "PTBL", "PLAIN", "GRID", "ADULT", "AND",
    )
)  # fmt: skip
_GLUED = frozenset((*_POSITIONS, "PORTABLE", "PORT", "MOBILE", "CHEST"))

# CID 4010, in SNOMED CT and in the older SNOMED RT codes; those of other views of a chest are OTHER.
_VIEW_CODES: dict[str, str] = {
    **dict.fromkeys(("272479007", "R-40888", "R-10214"), "PA"),
    **dict.fromkeys(("399348003", "R-10206"), "AP"),
    **dict.fromkeys(("399033003", "R-10202"), FRONTAL),
    **dict.fromkeys(("399067008", "R-102CD"), "LATERAL"),
    **dict.fromkeys(("399173006", "R-10236"), "LL"),
    **dict.fromkeys(("399198007", "R-10232"), "RL"),
    **dict.fromkeys(
        (
            *("399061009", "R-10241", "399135007", "R-10220", "399006002", "R-10212", "399356000", "R-40985"),
            *("399038007", "R-10210", "399182000", "R-102C1", "260427002", "R-40783", "399184004", "R-10238"),
            *("399236003", "R-10234", "399059000", "R-10216", "399312000", "R-10208", "399110001", "R-102C2"),
            *("399004004", "R-10246", "399160007", "R-10204", "399132005", "R-10252", "399325008", "R-10254"),
        ),
        "OTHER",
    ),
}
# CID 19 and CID 20, likewise.
_POSITION_CODES: dict[str, str] = {
    **dict.fromkeys(("C86043", "F-10440", "10904000", "F-10320"), "erect"),
    **dict.fromkeys(("102539006", "F-10460"), "semi-erect"),
    **dict.fromkeys(("33586001", "F-103A0"), "sitting"),
    **dict.fromkeys(("102538003", "F-10450"), "recumbent"),
    **dict.fromkeys(("40199007", "F-10340"), "supine"),
    **dict.fromkeys(("1240000", "F-10310"), "prone"),
    **dict.fromkeys(("32185000", "F-10318"), "decubitus"),
    **dict.fromkeys(("102536004", "F-10319"), "left decubitus"),
    **dict.fromkeys(("102535000", "F-10317"), "right decubitus"),
}


class StatedView(NamedTuple):
    """What some words say of a view."""

    projection: str
    """PA, AP, FRONTAL, LATERAL, LL, RL or OTHER; "unknown" where they say nothing, or name two; "" where they are words
    of nothing known here."""
    position: str
    """One of ``BODY_POSITIONS``, or ""."""


def read_view(words: str) -> StatedView:
    """Projection and position from a cell of a table, a View Position, or the meaning of a code.

    Parameters
    ----------
    words : any case, with blanks, hyphens, underscores, dots or brackets between them.
    """
    tokens = _tokens(words)
    if tokens == ["L"]:
        return StatedView("LATERAL", "")
    position = next((_POSITIONS[token] for token in tokens if token in _POSITIONS), "")
    if any(token in _OTHER for token in tokens):
        return StatedView("OTHER", position)
    found = {_PROJECTIONS[token] for token in tokens if token in _PROJECTIONS}
    if found & {"LL", "RL"}:
        found.discard("LATERAL")
    if found & {"PA", "AP"}:
        found.discard(FRONTAL)
    if found == {"PA", "AP"}:
        return StatedView(FRONTAL, position)
    if len(found) == 1:
        return StatedView(found.pop(), position)
    if found or position or all(token in _UNSAID for token in tokens):
        return StatedView("unknown", position)
    return StatedView("", "")


def projection_of_code(code: str) -> str:
    """The projection of a code of CID 4010 (SNOMED CT or SNOMED RT), or ""."""
    return _VIEW_CODES.get(code, "")


def position_of_code(code: str) -> str:
    """The position of a code of CID 19 or CID 20 (SNOMED CT, SNOMED RT or NCI Thesaurus), or ""."""
    return _POSITION_CODES.get(code, "")


def _tokens(words: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().upper()
    text = " ".join(token for word in re.findall("[A-Z]+", plain) for token in _apart(word))
    for pattern, meaning in _PHRASES:
        text = re.sub(rf"\b(?:{pattern})\b", meaning, text)
    return text.split()


def _apart(word: str) -> tuple[str, ...]:
    """ "APSUPINE" as two words."""
    for projection in ("AP", "PA"):
        rest = word.removeprefix(projection)
        if rest != word and rest in _GLUED:
            return projection, rest
    return (word,)
