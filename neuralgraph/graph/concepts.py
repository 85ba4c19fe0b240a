"""Concepts of the report graph, and the places of the report that say them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Concept", "Mention"]


class Concept(NamedTuple):
    """One entity of the report, as RadGraph has them; where the report says it twice, as the place that decides has it.

    ``start`` and ``end`` count Unicode code points of the report text, end excluded.
    """

    text: str
    """The words as the report (or the extractor's lexicon) has them."""
    label: str
    """One of ``neuralgraph.wire.vocabulary.CONCEPT_LABELS``, e.g. "Observation::definitely absent"."""
    start: int
    """First code point of the span."""
    end: int
    """One past the last code point of the span."""
    section: str = "unknown"
    """One of ``neuralgraph.wire.vocabulary.REPORT_SECTIONS``."""


class Mention(NamedTuple):
    """A further place of the report that says a concept, perhaps with another polarity; spans as in ``Concept``."""

    concept: int
    """Which of the study's concepts."""
    label: str
    """What this place says of it: one of ``neuralgraph.wire.vocabulary.CONCEPT_LABELS``."""
    start: int
    """First code point of the span."""
    end: int
    """One past the last code point of the span."""
    section: str = "unknown"
    """One of ``neuralgraph.wire.vocabulary.REPORT_SECTIONS``."""
