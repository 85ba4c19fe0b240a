"""A model made ready for inference: the same weights, run by the fastest kernels that torch brings for a CPU.

torch multiplies float32 matrices by MKL, which on an AMD processor (Zen 5) reaches 100 GFLOP/s a core where oneDNN,
which torch brings too and uses for bfloat16, reaches 230 with the very same weights: nothing is copied, packed or
renamed. torch has no public function that takes plain tensors there; the operator used here is what its own
compiler emits, so it is tried out before it is relied on. Layers keep their classes' forward pass for everything else:
gradients, autocast, other devices and types, products too small to gain.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import torch
from timm.layers import Mlp
from timm.models.swin_transformer import WindowAttention
from torch import nn

__all__ = ["OneDnnLinear", "OneDnnMlp", "onednn_types", "ready_for_inference"]

AnyModule = TypeVar("AnyModule", bound=nn.Module)

_FEWEST_MULTIPLICATIONS = 1 << 21
"""A call of oneDNN costs 10 microseconds before it starts; below this many, MKL is done sooner."""
_FEWEST_ROWS = 3
"""One or two rows are read faster than they are multiplied, by either library."""
_BYTES_AT_ONCE = 16 << 20
"""Of the inner layer of an MLP. Larger tensors are given back to the system after every use and cost page faults."""


def ready_for_inference(model: AnyModule) -> AnyModule:
    """Put a model into evaluation mode and, where its weights lie on the CPU, let oneDNN run its linear layers.

    Results differ from those of the plain model in the last bits (scores by less than 1e-5 in float32). Parameters stay
    the objects they were, under their names: such a model can be saved, moved, converted and trained as before, at the
    speed of the plain one while gradients are recorded. Where torch has no oneDNN (``onednn_types`` is empty: macOS, or
    ``torch.backends.mkldnn.enabled = False`` when this is called) layers stay as torch runs them.

    Parameters
    ----------
    model : any module; changed in place. Layers of classes derived from ``nn.Linear`` are left alone.

    Returns
    -------
    The same model.
    """
    model.eval()
    types = onednn_types()
    for module in list(model.modules()) if types else ():
        if type(module) is nn.Linear and module.weight.is_cpu:
            # Not a new module in its place: others may hold this one, and its hooks stay where they are.
            module.__class__ = OneDnnLinear
    for module in list(model.modules()) if types else ():
        if _is_plain_mlp(module):
            module.__class__ = OneDnnMlp
        elif isinstance(module, WindowAttention):
            weight = module.qkv.weight
            # timm leaves this off for Swin by default. In bfloat16 it is the slower way at small sizes.
            module.fused_attn = module.fused_attn or (weight.is_cpu and weight.dtype == torch.float32)
    return model


def onednn_types() -> frozenset[torch.dtype]:
    """Types in which oneDNN multiplies on this machine: float32, and bfloat16 where the processor has it.

    Empty where torch was built without oneDNN, has switched it off, or has changed its operator.
    """
    if not torch.backends.mkldnn.enabled or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return frozenset()
    return _tried_types()


class OneDnnLinear(nn.Linear):
    """``nn.Linear`` whose products oneDNN computes when no gradient is recorded."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Float [..., in_features] to [..., out_features], as ``nn.Linear``."""
        if _pays(input, self.weight):
            return _product(input, self.weight, self.bias)
        return super().forward(input)


class OneDnnMlp(Mlp):  # type: ignore[misc]  # timm has no types here
    """timm's ``Mlp`` with the GELU computed while the product is still in the cache, some rows at a time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Float [..., in_features] to [..., out_features], as ``Mlp``."""
        inner = self.fc1
        if self.training or not _pays(x, inner.weight):
            plain: torch.Tensor = super().forward(x)
            return plain
        rows = max(1, _BYTES_AT_ONCE // (inner.out_features * x.element_size()))
        parts = torch.split(x.reshape(-1, x.shape[-1]), rows)
        done = [self.fc2(_product(part, inner.weight, inner.bias, activation="gelu")) for part in parts]
        return (done[0] if len(done) == 1 else torch.cat(done)).reshape(*x.shape[:-1], -1)


def _is_plain_mlp(module: nn.Module) -> bool:
    return (
        type(module) is Mlp
        and type(module.fc1) is OneDnnLinear
        and type(module.act) is nn.GELU
        and module.act.approximate == "none"
        and type(module.norm) is nn.Identity
    )


def _pays(states: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether oneDNN can compute this product, and is worth its overhead."""
    rows = states.numel() // weight.shape[1]
    return (
        rows >= _FEWEST_ROWS
        and rows * weight.numel() >= _FEWEST_MULTIPLICATIONS
        # The operator has no derivative.
        and not torch.is_grad_enabled()
        and states.dtype == weight.dtype
        and states.is_cpu
        and weight.is_cpu
        and states.dtype in _tried_types()
        and not torch.is_autocast_enabled("cpu")
    )


def _product(
    states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, *, activation: str = "none"
) -> torch.Tensor:
    operator: Any = torch.ops.mkldnn._linear_pointwise
    # The last argument chooses between the exact GELU ("none") and its approximation by tanh.
    product: torch.Tensor = operator(states, weight, bias, activation, [], "none")
    return product


@cache
def _tried_types() -> frozenset[torch.dtype]:
    """Types in which the operator is there and computes what torch computes."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(), torch.autocast("cpu", enabled=False):
        torch.manual_seed(0)
        states, weight, bias = torch.randn(2, 8, 16), torch.randn(24, 16) / 4, torch.randn(24)
        try:
            types = [torch.float32]
            types += [torch.bfloat16] if torch.ops.mkldnn._is_mkldnn_bf16_supported() else []
            return frozenset(each for each in types if _agrees(states.to(each), weight.to(each), bias.to(each)))
        # No such operator in this build of torch, or one that takes other arguments.
        except (AttributeError, NotImplementedError, RuntimeError):
            return frozenset()


def _agrees(states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> bool:
    tolerance = 1e-5 if states.dtype == torch.float32 else 5e-2
    expected = nn.functional.linear(states, weight, bias)
    return all(
        torch.allclose(_product(states, weight, bias, activation=name).float(), each.float(), tolerance, tolerance)
        for name, each in (("none", expected), ("gelu", nn.functional.gelu(expected)))
    )
