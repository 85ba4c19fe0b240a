"""A study as its columns: what the graph gives meaning to and the container stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.wire.checksums import content_digest
from neuralgraph.wire.columns import GRAPH_COLUMNS, Counts

__all__ = ["StudyColumns"]


@dataclass(frozen=True, eq=False)
class StudyColumns:
    """A study as the container stores it: counts, light columns, matrices and optional blobs."""

    counts: Counts
    method: bytes
    """Canonical method map."""
    graph: dict[str, NDArray[Any]]
    """The light columns by name."""
    embedding: NDArray[np.float32]
    """float32 [n_patches, embedding_dim]."""
    concept_vectors: NDArray[np.float32]
    """float32 [n_concept_vectors, concept_dim]."""
    report: bytes | None = None
    """UTF-8 text of the report."""
    pixels: bytes | None = None
    """Pixel blob, see ``neuralgraph.graph.pixels``."""
    word_attention: bytes | None = None
    """Maps of the words of the report, see ``neuralgraph.graph.words``."""
    extensions: dict[str, bytes] = field(default_factory=dict)
    """Extension payloads by name."""

    @property
    def study_id(self) -> bytes:
        """The study id, UTF-8: the first of the strings, whatever it holds."""
        return bytes(self.graph["text"][: int(self.graph["string_bytes"][0])].tobytes())

    def graph_stream(self) -> bytes:
        """The light columns as one run of bytes."""
        return b"".join(self.graph[column.name].tobytes() for column in GRAPH_COLUMNS)

    def digest(self) -> bytes:
        """The content digest, 32 bytes; what a reader may not know (word attention, extensions) does not take part."""
        return content_digest(
            self.method,
            self.counts.pack(),
            (
                self.graph_stream(),
                np.ascontiguousarray(self.embedding, "<f4").tobytes(),
                np.ascontiguousarray(self.concept_vectors, "<f4").tobytes(),
                self.report or b"",
                self.pixels or b"",
            ),
        )
