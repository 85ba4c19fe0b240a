"""What a study consists of, for those that read one and are needed to make one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.patches import ConceptVectors, Patches
from neuralgraph.graph.view import View
from neuralgraph.graph.words import WordAttention

__all__ = ["StudyFields"]


class StudyFields(Protocol):
    """The fields of ``neuralgraph.graph.study.Study``, where each is described, and what follows from them."""

    @property
    def study_id(self) -> str: ...  # noqa: D102
    @property
    def views(self) -> tuple[View, ...]: ...  # noqa: D102
    @property
    def patches(self) -> Patches: ...  # noqa: D102
    @property
    def concepts(self) -> tuple[Concept, ...]: ...  # noqa: D102
    @property
    def mentions(self) -> tuple[Mention, ...]: ...  # noqa: D102
    @property
    def triples(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def fusion(self) -> tuple[int, int] | None: ...  # noqa: D102
    @property
    def labels(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def provenance(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def concept_vectors(self) -> ConceptVectors | None: ...  # noqa: D102
    @property
    def report(self) -> str | None: ...  # noqa: D102
    @property
    def pixels(self) -> NDArray[Any] | None: ...  # noqa: D102
    @property
    def word_attention(self) -> WordAttention | None: ...  # noqa: D102
    @property
    def extensions(self) -> Mapping[str, bytes]: ...  # noqa: D102
    @property
    def n_cells(self) -> int: ...  # noqa: D102
    @property
    def edges(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
