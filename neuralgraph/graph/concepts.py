"""A concept of the report graph: the RadGraph entity, with its span in the report."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Concept"]


class Concept(NamedTuple):
    """One entity of the report.

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
