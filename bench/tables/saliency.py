"""Gradient saliency: how far the pixels of a patch move the model's own strongest finding (Simonyan et al. 2013)."""

from __future__ import annotations

import torch
from numpy.typing import NDArray

from neuralgraph.compressor.model.model import NeuralGraphModel

__all__ = ["saliency"]


def saliency(model: NeuralGraphModel, inputs: torch.Tensor) -> list[NDArray]:
    """For every film, float32 [rows * cols]: the absolute gradient, averaged over the pixels of each patch.

    The gradient is that of the classification head's largest logit: which finding that is needs no report and no label.

    Parameters
    ----------
    model : in evaluation mode.
    inputs : float [B, channels, H, W], as the encoder takes them.
    """
    pixels = inputs.detach().clone().requires_grad_()
    with torch.enable_grad():
        logits = model(pixels).class_logits
        (gradient,) = torch.autograd.grad(logits.amax(dim=1).sum(), pixels)
    stride = model.config.vision.stride
    by_patch = torch.nn.functional.avg_pool2d(gradient.abs().sum(dim=1, keepdim=True), stride)
    return [each.ravel().numpy() for each in by_patch[:, 0]]
