"""What a training step of the paper's shape takes: counted at the real shape, without doing it.

    python -m bench training_cost

A Swin-base and the decoder of a T5-base are built on torch's meta device, where tensors have shapes and no numbers, and
one training step of one film and one report runs through them. Counted: floating-point operations of forward and
backward pass (``torch.utils.flop_counter``; a multiply-add is two), bytes that autograd keeps for the backward pass,
bytes of weights, gradients and AdamW. Times are modelled from these: operations over the peak of a processor in
bfloat16, of which a third is reached. Nothing here was timed on those processors.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from neuralgraph.compressor.model.checkpoints import SWIN_BASE_T5_BASE
from neuralgraph.compressor.model.model import NeuralGraphModel

ROOT = Path(__file__).resolve().parents[1]
SIDES = (512, 768, 1024)
"""Pixels per side of a film."""
TOKENS = 160
"""Of a report: findings and impression."""
REACHED = 1 / 3
"""Share of a processor's peak that training reaches."""
PEAKS = {"RTX 4090 (24 GB)": 165e12, "A100 (40 GB)": 312e12, "H100 (80 GB)": 990e12}
"""Dense bfloat16 operations a second, as their makers state them."""


def step_of(side: int) -> dict[str, Any]:
    """Operations and kept bytes of one film."""
    with torch.device("meta"):
        model = NeuralGraphModel(SWIN_BASE_T5_BASE).train()
        pixels = torch.empty(1, SWIN_BASE_T5_BASE.vision.channels, side, side)
        labels = torch.empty(1, TOKENS, dtype=torch.long)
    own = {id(weight) for weight in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if id(tensor) not in own:
            storage = tensor.untyped_storage()
            kept[storage._cdata] = max(kept.get(storage._cdata, 0), tensor.numel() * 2)
        return tensor

    with FlopCounterMode(display=False) as counter, saved_tensors_hooks(keep, lambda tensor: tensor):
        model(pixels, labels=labels).generation_loss.backward()
    return {"side": side, "operations": counter.get_total_flops(), "kept_bytes": sum(kept.values())}


def main() -> None:
    """Count and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "training_cost.json")
    arguments = parser.parse_args()
    with torch.device("meta"):
        weights = sum(weight.numel() for weight in NeuralGraphModel(SWIN_BASE_T5_BASE).parameters())
    steps = [step_of(side) for side in SIDES]
    for step in steps:
        step["films_per_second"] = {name: round(peak * REACHED / step["operations"], 1) for name, peak in PEAKS.items()}
    results = {
        "command": "python -m bench training_cost",
        "weights": weights,
        "fixed_bytes": weights * 16,
        "tokens": TOKENS,
        "reached": round(REACHED, 3),
        "peaks": PEAKS,
        "steps": steps,
        "versions": {name: version(name) for name in ("torch", "timm", "transformers")},
    }
    arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
