"""The closed vocabularies of a study: one literal table each, used by every floor (FORMAT.md section 8.1).

A code is the position in its tuple. Codes are permanent: new words are appended, never inserted.
"""

from __future__ import annotations

__all__ = ["CONCEPT_LABELS", "RELATIONS", "REPORT_KINDS", "REPORT_SECTIONS", "VIEW_POSITIONS"]

CONCEPT_LABELS: tuple[str, ...] = (
    "Anatomy::definitely present",
    "Anatomy::uncertain",
    "Anatomy::definitely absent",
    "Observation::definitely present",
    "Observation::uncertain",
    "Observation::definitely absent",
    "Anatomy::measurement::definitely present",
    "Anatomy::measurement::uncertain",
    "Anatomy::measurement::definitely absent",
    "Observation::measurement::definitely present",
    "Observation::measurement::uncertain",
    "Observation::measurement::definitely absent",
)
"""Labels of concepts: the RadGraph schema and RadGraph-XL's measurement variants, spelled as there."""

RELATIONS: tuple[str, ...] = ("modify", "located_at", "suggestive_of")
"""Relations of triples: the RadGraph schema."""

VIEW_POSITIONS: tuple[str, ...] = ("unknown", "PA", "AP", "LATERAL", "LL", "RL", "OTHER")
"""How the film was taken, after DICOM PS3.3 C.8.1.1 View Position (0018,5101)."""

REPORT_SECTIONS: tuple[str, ...] = ("unknown", "findings", "impression", "addendum")
"""Where in the report a concept is said."""

REPORT_KINDS: tuple[str, ...] = ("given", "generated", "none")
"""Where the text behind concepts and attention came from."""
