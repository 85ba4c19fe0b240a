"""Told where to look: at the words of a finding, the decoder attends to the patches that the finding covers.

A report asks for the right words and not for the right place: any layer may look, and a map that is spread over all
patches can serve the next word just as well. Where the masks of the findings are known, the layer that is scored can be
told.
"""

from __future__ import annotations

import torch

from neuralgraph.compressor.attention import CrossAttention, float32_attention

__all__ = ["guidance_loss"]

_COVERED = 0.1
"""Share of a patch from which it belongs to a finding."""
_LEAST = 1e-6


def guidance_loss(run: CrossAttention, spoken: torch.Tensor, coverage: torch.Tensor) -> torch.Tensor:
    """Mean of -log(attention on the patches of the finding that a token speaks of), heads averaged.

    Parameters
    ----------
    run : of the layer that is told, T tokens and N = rows * cols patches.
    spoken : int64 [B, T], the finding of each token, -1 for none.
    coverage : float [B, findings, rows, cols], share of each patch that a finding covers.

    Returns
    -------
    float32, a scalar; 0 when no token speaks of a finding that covers a patch.
    """
    attention = float32_attention(run).mean(dim=1)
    covered = (coverage > _COVERED).flatten(2)
    patches = covered.gather(1, spoken.clamp(min=0)[:, :, None].expand(-1, -1, covered.shape[2]))
    told = (spoken >= 0) & patches.any(dim=2)
    share = (attention * patches).sum(dim=2)[told]
    return -share.clamp(min=_LEAST).log().sum() / max(1, len(share))
