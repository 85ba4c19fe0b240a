"""Codes for what reports say: SNOMED CT and DICOM terms for concepts, sides, and whether a finding is there.

Every code is one that DICOM's own context groups list (PS3.16), with its meaning there, so that a reader of chest
reports knows it; a test holds each against pydicom's tables. A concept that none of these names gets a code of this
package's own scheme, made from its words: the same words always give the same code.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

__all__ = ["ANATOMY", "CERTAINTY", "FINDINGS", "OWN_SCHEME", "PRESENCE", "SIDES", "FindingCode", "code_of", "own_code"]

OWN_SCHEME = "99NEURALGRAPH"
"""Designator of the private scheme (PS3.3 8.2: private designators begin with 99)."""
_LONGEST_MEANING = 64
"""Characters of a long string, LO."""


class FindingCode(NamedTuple):
    """A code as DICOM writes it."""

    value: str
    """Code Value, at most 16 characters."""
    scheme: str
    """Coding Scheme Designator: "SCT" is SNOMED CT, "DCM" DICOM."""
    meaning: str
    """Code Meaning, at most 64 characters."""


FINDINGS: dict[str, FindingCode] = {
    "pleural effusion": FindingCode("60046008", "SCT", "Pleural effusion"),
    "pericardial effusion": FindingCode("373945007", "SCT", "Pericardial effusion"),
    "pneumothorax": FindingCode("36118008", "SCT", "Pneumothorax"),
    "pneumomediastinum": FindingCode("16838000", "SCT", "Pneumomediastinum"),
    "pulmonary edema": FindingCode("19242006", "SCT", "Pulmonary edema"),
    "pulmonary embolism": FindingCode("59282003", "SCT", "Pulmonary embolism"),
    "heart failure": FindingCode("84114007", "SCT", "Heart failure"),
    "cardiomegaly": FindingCode("287272002", "SCT", "Cardiomegaly"),
    "opacity": FindingCode("112001", "DCM", "Opacity"),
    "nodule": FindingCode("27925004", "SCT", "Nodule"),
    "mass": FindingCode("4147007", "SCT", "Mass"),
    "lesion": FindingCode("52988006", "SCT", "Lesion"),
    "fibrosis": FindingCode("112674009", "SCT", "Fibrosis"),
    "lymphadenopathy": FindingCode("30746006", "SCT", "Lymphadenopathy"),
    "endotracheal tube": FindingCode("26412008", "SCT", "Endotracheal tube"),
    "chest tube": FindingCode("112173", "DCM", "Chest tube"),
    "central venous catheter": FindingCode("52124006", "SCT", "Central venous catheter"),
    "catheter": FindingCode("19923001", "SCT", "Catheter"),
    "pacemaker": FindingCode("14106009", "SCT", "Cardiac pacemaker"),
    "pacing lead": FindingCode("360129009", "SCT", "Cardiac pacemaker lead"),
    "prosthetic valve": FindingCode("25510005", "SCT", "Heart valve prosthesis"),
    "normal": FindingCode("17621005", "SCT", "Normal"),
}
"""Codes of observations, by the concept of the lexicon."""

ANATOMY: dict[str, FindingCode] = {
    "lung": FindingCode("39607008", "SCT", "Lung"),
    "upper lobe": FindingCode("45653009", "SCT", "Upper lobe of lung"),
    "middle lobe": FindingCode("72481006", "SCT", "Middle lobe of right lung"),
    "lower lobe": FindingCode("90572001", "SCT", "Lower lobe of lung"),
    "lobe": FindingCode("31094006", "SCT", "Lobe of lung"),
    "hilum": FindingCode("46750007", "SCT", "Hilum of lung"),
    "pleura": FindingCode("3120008", "SCT", "Pleura"),
    "diaphragm": FindingCode("5798000", "SCT", "Diaphragm"),
    "heart": FindingCode("80891009", "SCT", "Heart"),
    "mediastinum": FindingCode("72410000", "SCT", "Mediastinum"),
    "aorta": FindingCode("15825003", "SCT", "Aorta"),
    "pulmonary artery": FindingCode("81040000", "SCT", "Pulmonary artery"),
    "trachea": FindingCode("44567001", "SCT", "Trachea"),
    "chest": FindingCode("816094009", "SCT", "Thorax"),
    "rib": FindingCode("113197003", "SCT", "Rib"),
    "clavicle": FindingCode("51299004", "SCT", "Clavicle"),
    "shoulder": FindingCode("16982005", "SCT", "Shoulder"),
    "spine": FindingCode("421060004", "SCT", "Spine"),
    "lymph node": FindingCode("59441001", "SCT", "Lymph Node"),
}
"""Codes of places, by the concept of the lexicon."""

SIDES: dict[str, FindingCode] = {
    "left": FindingCode("7771000", "SCT", "Left"),
    "right": FindingCode("24028007", "SCT", "Right"),
    "bilateral": FindingCode("51440002", "SCT", "Bilateral"),
}
"""Laterality."""

PRESENCE: dict[str, FindingCode] = {
    "present": FindingCode("52101004", "SCT", "Present"),
    "absent": FindingCode("272519000", "SCT", "Absent"),
    "uncertain": FindingCode("121059", "DCM", "Presence Undetermined"),
}
"""What the report says of a finding; the name of the evaluation is (121052, DCM, "Presence of property")."""

CERTAINTY: dict[str, FindingCode] = {
    "present": FindingCode("definite", OWN_SCHEME, "Stated without reserve"),
    "absent": FindingCode("definite", OWN_SCHEME, "Stated without reserve"),
    "uncertain": FindingCode("reserved", OWN_SCHEME, "Stated with reserve"),
}
"""How sure it is; the name of the evaluation is (111012, DCM, "Certainty of Finding")."""


def own_code(words: str) -> FindingCode:
    """A code of our own scheme for words that no other has a code for here."""
    plain = " ".join(words.lower().split())
    meaning = plain if len(plain) <= _LONGEST_MEANING else f"{plain[: _LONGEST_MEANING - 3]}..."
    return FindingCode(f"C{hashlib.sha256(plain.encode()).hexdigest()[:12]}", OWN_SCHEME, meaning)


def code_of(name: str, kind: str) -> FindingCode:
    """The code of a concept.

    Parameters
    ----------
    name : as ``rows.facts.concept_rows`` names it: lower case, one blank between words.
    kind : "observation" or "anatomy".
    """
    table = ANATOMY if kind.startswith("anatomy") else FINDINGS
    return table.get(name) or own_code(name)
