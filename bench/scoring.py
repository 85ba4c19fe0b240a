"""Scoring films against the published pipeline: the same weights, the same machine, in turns.

    python -m bench.scoring [--device cpu] [--sides 384 960] [--dtypes float32 bfloat16] [--repetitions 3]

``published``: one study at a time, eager attention, every layer's attention handed out, language-model head and loss
computed, the last layer summed at the end; layers as torch runs them. ``ours``: the same weights in a model made ready
for inference as the scorer does it, the last cross-attention computed once more from its inputs and summed as it is
computed. ``bare``: encoder and decoder forward of that model alone, so that ours over bare is what scoring costs;
pruning, a sort of one number per patch, is timed with it. Weights are random: time does not depend on them. Attention
memory is the bytes of the tensors that hold attention after, or beyond, the forward pass.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers.modeling_outputs import BaseModelOutput

from neuralgraph.compressor.attention import TOKENS_AT_ONCE, attention_scores
from neuralgraph.compressor.model.checkpoints import SWIN_BASE_T5_BASE
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.inference import onednn_types, ready_for_inference
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.pruning import DEFAULT_POLICY

ROOT = Path(__file__).resolve().parents[1]
SEED = 2025
LIBRARIES = ("torch", "transformers", "timm")
TOKENS = 100
"""Tokens of a report; those of Open-i have 60 to 120."""
PATCHES = (48, 36)
"""Grid at which memory is compared: 1,728 patches."""
TINY = NeuralGraphConfig(
    vision={"channels": 3, "embed_dim": 16, "depths": [2, 2, 2, 2], "num_heads": [1, 2, 4, 8]},
    text={"vocab_size": 512, "d_model": 64, "d_kv": 16, "d_ff": 64, "num_layers": 3, "num_heads": 4},
)
"""To try the benchmark out."""


def published(model: NeuralGraphModel, pixels: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Scores [B, N], one study after another."""
    model.text.set_attn_implementation("eager")
    scores = []
    for film, tokens in zip(pixels, ids, strict=True):
        encoded = model.encode(film[None])
        run = model.text(
            encoder_outputs=BaseModelOutput(last_hidden_state=encoded.memory),
            labels=tokens[None],
            output_attentions=True,
        )
        scores.append(run.cross_attentions[-1].float().mean(dim=1).sum(dim=1)[0])
    return torch.stack(scores)


def ours(model: NeuralGraphModel, pixels: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Scores [B, N], pruned too."""
    model.text.set_attn_implementation("sdpa")
    encoded = model.encode(pixels)
    scores = attention_scores(model, encoded.memory, _shifted(ids), torch.ones_like(ids, dtype=torch.bool))
    for score in scores.cpu().numpy():
        DEFAULT_POLICY.select(score)
    return scores


def bare(model: NeuralGraphModel, pixels: torch.Tensor, ids: torch.Tensor) -> None:
    """The forward pass that any use of the model needs."""
    model.text.set_attn_implementation("sdpa")
    encoded = model.encode(pixels)
    model.text.decoder(input_ids=_shifted(ids), encoder_hidden_states=encoded.memory, use_cache=False)


def _shifted(ids: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.zeros_like(ids[:, :1]), ids[:, :-1]], dim=1)


def timed(
    ways: dict[str, Callable[[], Any]], *, repetitions: int, device: torch.device
) -> tuple[dict[str, float], dict[str, float]]:
    """Median seconds of each, wall and CPU, run in turns after one run that does not count.

    Wall time is what a user waits; CPU time is what the cores do, and tells more where others use the machine.
    """
    wall: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repetitions + 1):
        for name, way in ways.items():
            _settle(device)
            started, started_processor = time.perf_counter(), time.process_time()
            way()
            _settle(device)
            if turn:
                wall[name].append(time.perf_counter() - started)
                processor[name].append(time.process_time() - started_processor)
    medians = [{name: statistics.median(each) for name, each in found.items()} for found in (wall, processor)]
    return medians[0], medians[1]


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def attention_bytes(model: NeuralGraphModel, dtype: torch.dtype, device: torch.device) -> dict[str, Any]:
    """Bytes that attention takes beyond the forward pass for one film of 1,728 patches."""
    config = model.config.text
    memory = torch.zeros(1, PATCHES[0] * PATCHES[1], config.d_model, dtype=dtype, device=device)
    labels = torch.full((1, TOKENS), 5, device=device)
    model.text.set_attn_implementation("eager")
    run = model.text(encoder_outputs=BaseModelOutput(last_hidden_state=memory), labels=labels, output_attentions=True)
    held = sum(one.nbytes for one in run.cross_attentions)
    patches = memory.shape[1]
    # Keys of one head, its weights for some tokens, the same with uncounted tokens left out, the sum; all float32.
    streamed = 4 * patches * (config.d_kv + 2 * TOKENS_AT_ONCE + 1)
    return {
        "patches": patches,
        "tokens": TOKENS,
        "published": held,
        "ours": streamed,
        "ratio": round(held / streamed, 1),
    }


@torch.inference_mode()
def measure(config: NeuralGraphConfig, arguments: argparse.Namespace) -> dict[str, Any]:
    """Times, ratios and memory for every size and precision."""
    device = torch.device(arguments.device)
    torch.manual_seed(SEED)
    model = NeuralGraphModel(config).eval().to(device)
    generator = torch.Generator().manual_seed(SEED)
    rows = []
    for name in arguments.dtypes:
        dtype = getattr(torch, name)
        model.to(dtype)
        ready = ready_for_inference(copy.deepcopy(model))
        for side in arguments.sides:
            films = torch.randn(arguments.batch, 3, side, side, generator=generator).to(device=device, dtype=dtype)
            ids = torch.randint(2, config.text.vocab_size, (arguments.batch, TOKENS), generator=generator).to(device)
            agree = (published(model, films, ids) - ours(ready, films, ids)).abs().amax().item()
            seconds, processor = timed(
                {
                    way.__name__: partial(way, used, films, ids)
                    for way, used in ((published, model), (ours, ready), (bare, ready))
                },
                repetitions=arguments.repetitions,
                device=device,
            )
            rows.append(
                {
                    "dtype": name,
                    "side": side,
                    "studies_per_second": {way: round(arguments.batch / each, 3) for way, each in seconds.items()},
                    "ours_over_published": round(seconds["published"] / seconds["ours"], 2),
                    "cpu_seconds_per_study": {way: round(each / arguments.batch, 3) for way, each in processor.items()},
                    "scoring_and_pruning_overhead": round(seconds["ours"] / seconds["bare"] - 1, 3),
                    "largest_difference": agree,
                }
            )
            sys.stderr.write(json.dumps(rows[-1]) + "\n")
    model.to(torch.float32)
    return {"rows": rows, "attention_memory": attention_bytes(model, torch.float32, device)}


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sides", type=int, nargs="+", default=[384, 960])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16"])
    parser.add_argument("--batch", type=int, default=2, help="studies per run; ours takes them together")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="a small model, to try the benchmark out")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "scoring.json")
    arguments = parser.parse_args()
    config = TINY if arguments.tiny else SWIN_BASE_T5_BASE
    results = {
        "command": "python -m bench.scoring " + " ".join(sys.argv[1:]),
        "model": "tiny" if arguments.tiny else config.name,
        "machine": {
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "platform": platform.machine(),
            "device": torch.cuda.get_device_name() if arguments.device.startswith("cuda") else "cpu",
            "onednn": sorted(str(each).removeprefix("torch.") for each in onednn_types()),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "timm")},
        },
        "seed": SEED,
        "batch": arguments.batch,
        "repetitions": arguments.repetitions,
        **measure(config, arguments),
    }
    arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
