"""Fewer patches per study at load time: what ``Study.prune`` gives, on the columns of a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.fusion import fusion_edge
from neuralgraph.graph.joined import EDGE_TYPES
from neuralgraph.graph.retention import kept_patches
from neuralgraph.graph.table import NO_FUSION, ragged, starts
from neuralgraph.storage.batches.selection import Selection

__all__ = ["Pruning"]

_ADJACENT, _FUSED = EDGE_TYPES.index("adjacent"), EDGE_TYPES.index("fused")
_RELATIONS = 2


@dataclass(frozen=True)
class Pruning:
    """How many of its patches each study keeps; all of them when neither is given.

    Parameters
    ----------
    retain : share of the grid's cells, in (0, 1].
    max_patches : number of patches.

    Raises
    ------
    StudyError (E_NUM) : both are given, or a value is out of range.
    """

    retain: float | None = None
    max_patches: int | None = None

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.retain is not None and self.max_patches is not None:
            raise StudyError("give either retain or max_patches", code="E_NUM", where="retain")
        if self.retain is not None:
            kept_patches(self.retain, 1)
        if self.max_patches is not None and self.max_patches < 1:
            reason = f"max_patches must be at least 1, got {self.max_patches}"
            raise StudyError(reason, code="E_NUM", where="max_patches")

    def kept(self, n_patches: NDArray[np.int64], n_cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64 [B]: patches that each study keeps."""
        if self.max_patches is not None:
            return np.minimum(n_patches, self.max_patches)
        if self.retain is None:
            return n_patches
        sizes, which = np.unique(n_cells, return_inverse=True)
        shares = np.array([kept_patches(self.retain, size) for size in sizes.tolist()], np.int64)
        return np.minimum(n_patches, shares[which])

    def pruned(self, chosen: Selection, known: NDArray[np.int32]) -> Selection:
        """The selection with the patches that are kept, the edges between them, and fusion edges chosen anew.

        Parameters
        ----------
        chosen : with all of its groups of columns.
        known : int32 [B, 2], fusion edges of the pruned studies found earlier, -1 where not yet; filled in.
        """
        kept = self.kept(chosen.n_patches, chosen.n_cells)
        fewer = kept < chosen.n_patches
        if not fewer.any():
            return chosen
        rows = ragged(starts(chosen.n_patches)[:-1], kept)
        owner = np.repeat(np.arange(len(chosen)), chosen.n_pairs)
        ends = [column.astype(np.int64) for column in (chosen.pair_source, chosen.pair_target)]
        kind = chosen.pair_type.astype(np.int64)
        alive = (kind != _FUSED) | ~fewer[owner]
        for end in ends:
            alive &= (end < kept[owner]) | (end >= chosen.n_patches[owner])
        owner, kind = owner[alive], kind[alive]
        dropped = (chosen.n_patches - kept)[owner]
        source, target = (np.where(e < kept[owner], e, e - dropped) for e in (end[alive] for end in ends))
        fused = fewer & (chosen.fusion_patch != NO_FUSION)
        self._find(np.flatnonzero(fused & (known[:, 0] < 0)), known, kept, chosen, owner, source, target, kind)
        fusion_patch = np.where(fused, known[:, 0], chosen.fusion_patch)
        fusion_concept = np.where(fused, known[:, 1], chosen.fusion_concept)
        again = np.flatnonzero(fused)
        patch, concept = fusion_patch[again], fusion_concept[again] + kept[again]
        owner = np.concatenate([owner, again, again])
        source, target = np.concatenate([source, patch, concept]), np.concatenate([target, concept, patch])
        kind = np.concatenate([kind, np.full(2 * len(again), _FUSED)])
        order = np.lexsort((kind, target, source, owner))
        return replace(
            chosen,
            n_patches=kept,
            n_pairs=np.bincount(owner, minlength=len(chosen)),
            fusion_patch=fusion_patch,
            fusion_concept=fusion_concept,
            patch_centre=chosen.patch_centre[rows],
            patch_score=chosen.patch_score[rows],
            patch_view=chosen.patch_view[rows],
            pair_source=source[order],
            pair_target=target[order],
            pair_type=kind[order],
        )

    @staticmethod
    def _find(
        studies: NDArray[np.int64],
        known: NDArray[np.int32],
        kept: NDArray[np.int64],
        chosen: Selection,
        owner: NDArray[np.int64],
        source: NDArray[np.int64],
        target: NDArray[np.int64],
        kind: NDArray[np.int64],
    ) -> None:
        """Choose the fusion edges of ``studies`` as FORMAT.md section 8.3 says, once per study."""
        first = np.searchsorted(owner, np.arange(len(chosen) + 1))
        for study in studies.tolist():
            mine = slice(int(first[study]), int(first[study + 1]))
            pairs = np.stack([source[mine], target[mine]], axis=1)
            adjacent = pairs[(kind[mine] == _ADJACENT) & (pairs[:, 0] < pairs[:, 1])].astype(np.int32)
            related = (kind[mine] >= _RELATIONS) & ((kind[mine] - _RELATIONS) % 2 == 0)
            triples = np.zeros((int(related.sum()), 3), np.int32)
            triples[:, [0, 2]] = pairs[related] - kept[study]
            edge = fusion_edge(int(kept[study]), adjacent, int(chosen.n_concepts[study]), triples)
            if edge is not None:
                known[study] = edge
