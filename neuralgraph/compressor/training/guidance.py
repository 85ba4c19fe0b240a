"""Told where to look: at the words of a finding, the decoder attends to the patches that the finding covers.

A report asks for the right words and not for the right place: any layer may look, and a map that is spread over all
patches can serve the next word just as well. Where the masks of the findings are known, the layer that is scored can be
told: each token (``guidance_loss``), and the sum over all of them, which is the score a study is pruned by
(``score_loss``).
"""

from __future__ import annotations

import torch

from neuralgraph.compressor.attention import CrossAttention, float32_attention, sum_over_tokens

__all__ = ["guidance_loss", "score_loss"]

_COVERED = 0.1
"""Share of a patch from which it belongs to a finding."""
_LEAST = 1e-6


def guidance_loss(run: CrossAttention, spoken: torch.Tensor, coverage: torch.Tensor) -> torch.Tensor:
    """Mean of -log(attention on the patches of the finding that a token speaks of), heads averaged.

    Parameters
    ----------
    run : of the layer that is told, T tokens and N = rows * cols patches.
    spoken : int64 [B, T], the finding of each token, -1 for none.
    coverage : float [B, places, rows, cols], share of each patch that a finding covers.

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


def score_loss(
    run: CrossAttention, counted: torch.Tensor, spoken: torch.Tensor, coverage: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy between where the summed attention lies and where the places lie that a text speaks of.

    The order of all patches is asked for, not the best one alone: as many as fit are kept. A patch is wanted by how
    much of it is covered: the share of a place that lies in a patch is what keeping the patch keeps of its area. Places
    share the target by the root of their size, so that a large one does not drown a nodule and a nodule does not
    outweigh it.

    Parameters
    ----------
    run : of the layer that is scored, T tokens and N = rows * cols patches.
    counted : bool [B, T], the tokens that are summed.
    spoken, coverage : as in ``guidance_loss``.

    Returns
    -------
    float32, a scalar: the excess over the entropy of the target, mean over the texts that speak of a place; 0 when none
    does.
    """
    share = sum_over_tokens(float32_attention(run), counted)
    share = share / share.sum(dim=1, keepdim=True).clamp(min=_LEAST)
    places = coverage.shape[1]
    said = torch.nn.functional.one_hot(spoken.clamp(min=0), places).mul(spoken[..., None] >= 0).any(dim=1)
    filled = coverage.flatten(2)
    size = filled.sum(dim=2, keepdim=True)
    target = (filled / size.clamp(min=_LEAST).sqrt() * said[..., None]).sum(dim=1)
    known = target.sum(dim=1) > 0
    if not bool(known.any()):
        return share.sum() * 0
    wanted = target[known] / target[known].sum(dim=1, keepdim=True)
    excess = wanted * (wanted.clamp(min=_LEAST).log() - share[known].clamp(min=_LEAST).log())
    return excess.sum(dim=1).mean()
