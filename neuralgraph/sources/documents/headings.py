"""Which part of a report a code or a title stands for: LOINC, DICOM's CID 7001, HL7's suffixes, and words."""

from __future__ import annotations

import re

__all__ = ["heading_of_code", "heading_of_words"]

_CODES = {
    # LOINC, as IHE and HL7's radiology profiles use them
    "59776-5": "FINDINGS",
    "18782-3": "FINDINGS",
    "59771-6": "FINDINGS",
    "19005-8": "IMPRESSION",
    "55110-1": "IMPRESSION",
    "51848-0": "IMPRESSION",
    "44833-2": "IMPRESSION",
    "18785-6": "INDICATION",
    "59768-2": "INDICATION",
    "55115-0": "INDICATION",
    "42349-1": "INDICATION",
    "29299-5": "INDICATION",
    "10154-3": "INDICATION",
    "10219-4": "INDICATION",
    "46239-0": "INDICATION",
    "55752-0": "HISTORY",
    "11329-0": "HISTORY",
    "10164-2": "HISTORY",
    "11348-0": "HISTORY",
    "18834-2": "COMPARISON",
    "55114-3": "COMPARISON",
    "55111-9": "TECHNIQUE",
    "59773-2": "TECHNIQUE",
    "29554-3": "TECHNIQUE",
    "18783-0": "RECOMMENDATION",
    "18776-5": "RECOMMENDATION",
    "55107-7": "ADDENDUM",
    # DICOM PS3.16, CID 7001 and 7002
    "121060": "HISTORY",
    "121062": "INDICATION",
    "121064": "TECHNIQUE",
    "121065": "TECHNIQUE",
    "121066": "COMPARISON",
    "121068": "COMPARISON",
    "121070": "FINDINGS",
    "121071": "FINDINGS",
    "121072": "IMPRESSION",
    "121073": "IMPRESSION",
    "121074": "RECOMMENDATION",
    "121075": "RECOMMENDATION",
    "121076": "IMPRESSION",
    "121077": "IMPRESSION",
    "121109": "INDICATION",
    "121110": "HISTORY",
    "121111": "IMPRESSION",
    # HL7 chapter 7, suffixes of OBX-3
    "IMP": "IMPRESSION",
    "GDT": "FINDINGS",
    "REC": "RECOMMENDATION",
    "MAN": "RECOMMENDATION",
    "ADT": "ADDENDUM",
    "TCM": "TECHNIQUE",
}
# In this order: "prior findings" are no findings, "history and indication" is the referrer's.
_WORDS = (
    ("ADDENDUM", re.compile(r"\b(?:addend\w*|amend\w*|correct(?:ed|ion)\b.*)", re.IGNORECASE)),
    ("COMPARISON", re.compile(r"\b(?:comparison|prior|previous)\b", re.IGNORECASE)),
    (
        "INDICATION",
        re.compile(
            r"\b(?:reason|indications?|request|referral|clinical (?:question|info\w*|data|details|statement)|"
            r"chief complaint|symptoms?|admitting|pre-?op\w* diagnosis)\b",
            re.IGNORECASE,
        ),
    ),
    ("HISTORY", re.compile(r"\b(?:history|patient presentation|anamnesis)\b", re.IGNORECASE)),
    ("TECHNIQUE", re.compile(r"\b(?:technique|procedure descriptions?|protocol|exam description)\b", re.IGNORECASE)),
    ("RECOMMENDATION", re.compile(r"\b(?:recommendations?|follow-?up plan)\b", re.IGNORECASE)),
    (
        "IMPRESSION",
        re.compile(r"\b(?:impressions?|conclusions?|opinion|summary|diagnosis|interpretation)\b", re.IGNORECASE),
    ),
    ("FINDINGS", re.compile(r"\b(?:findings?|observations?|narrative|report body)\b", re.IGNORECASE)),
)


def heading_of_code(code: str) -> str:
    """The heading of a LOINC or DICOM code or of a suffix of HL7; "" for another."""
    return _CODES.get(code.strip().upper(), "")


def heading_of_words(words: str) -> str:
    """The heading that a title means ("Reason for study"); "" where it means none."""
    return next((heading for heading, pattern in _WORDS if pattern.search(words) is not None), "")
