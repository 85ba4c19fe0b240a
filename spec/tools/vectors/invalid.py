"""Files every reader must refuse, each with one rule broken and everything around it sealed."""

from __future__ import annotations

from collections.abc import Iterator

from spec.tools.vectors.invalid_contents import contents_vectors, section_vectors
from spec.tools.vectors.invalid_framing import framing_vectors
from spec.tools.vectors.invalid_index import index_vectors
from spec.tools.vectors.invalid_maps import map_vectors
from spec.tools.vectors.invalid_meaning import meaning_vectors
from spec.tools.vectors.invalid_records import record_vectors
from spec.tools.vectors.invalid_streams import stream_vectors
from spec.tools.vectors.vector import Vector

__all__ = ["invalid_vectors"]


def invalid_vectors() -> Iterator[Vector]:
    """All of them, in the order in which a reader meets the rules (FORMAT.md section 11)."""
    yield from framing_vectors()
    yield from contents_vectors()
    yield from map_vectors()
    yield from section_vectors()
    yield from index_vectors()
    yield from record_vectors()
    yield from stream_vectors()
    yield from meaning_vectors()
