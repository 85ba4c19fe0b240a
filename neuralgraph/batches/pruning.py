"""Fewer patches per study at load time: what ``Study.prune`` gives."""

from __future__ import annotations

from dataclasses import dataclass

from neuralgraph.errors import StudyError
from neuralgraph.graph.retention import kept_patches
from neuralgraph.graph.study import Study

__all__ = ["Pruning"]


@dataclass(frozen=True)
class Pruning:
    """How many of its patches each study keeps; all of them when neither is given.

    Raises
    ------
    StudyError (E_NUM) : both are given, or a value is out of range.
    """

    retain: float | None = None
    """Share of the grid's cells, in (0, 1]."""
    max_patches: int | None = None
    """Number of patches."""

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.retain is not None and self.max_patches is not None:
            raise StudyError("give either retain or max_patches", code="E_NUM", where="retain")
        if self.retain is not None:
            kept_patches(self.retain, 1)
        if self.max_patches is not None and self.max_patches < 1:
            reason = f"max_patches must be at least 1, got {self.max_patches}"
            raise StudyError(reason, code="E_NUM", where="max_patches")

    def __bool__(self) -> bool:
        """Whether anything may be left out."""
        return self.retain is not None or self.max_patches is not None

    def kept(self, n_patches: int, n_cells: int) -> int:
        """Patches that a study of so many, on so many cells, keeps."""
        if self.max_patches is not None:
            return min(n_patches, self.max_patches)
        return n_patches if self.retain is None else min(n_patches, kept_patches(self.retain, n_cells))

    def of(self, study: Study) -> Study:
        """The study with the patches it keeps."""
        return study.prune(retain=self.retain, top_k=self.max_patches) if self else study
