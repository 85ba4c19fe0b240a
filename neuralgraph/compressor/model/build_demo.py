"""Rebuild the bundled demo model: ``python -m neuralgraph.compressor.model.build_demo``.

A tokenizer trained on ``report_language`` and a small model with seeded random weights, kept as float16 so that the
package stays small. It is NOT trained: it exercises every step and means nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from neuralgraph.compressor.model.configuration import NeuralGraphConfig, TextSettings, VisionSettings
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.report_language import sentences
from neuralgraph.compressor.model.tokenizer import ReportTokenizer, train_tokenizer

__all__ = ["DEMO_CONFIG", "DEMO_PREPROCESSOR", "build_demo"]

DEMO_CONFIG = NeuralGraphConfig(
    name="demo",
    trained=False,
    labels=("pneumonia",),
    # Stride 32 as in the paper: a film of 960 x 960 pixels has 30 x 30 patches.
    vision=VisionSettings(patch_size=8, embed_dim=32, depths=(2, 2, 2), num_heads=(2, 4, 8), window_size=8),
    text=TextSettings(vocab_size=2048, d_model=128, d_kv=32, d_ff=256, num_layers=2, num_heads=4),
    max_generated_tokens=64,
)
DEMO_PREPROCESSOR = Preprocessor(stride=DEMO_CONFIG.vision.stride, channels=1, max_side=1024)

_SEED = 2025


def build_demo(directory: Path) -> str:
    """Write tokenizer, preprocessing, configuration and weights; the same bytes each time on one machine.

    Parameters
    ----------
    directory : created when absent.

    Returns
    -------
    str : the digest of the model.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = ReportTokenizer(train_tokenizer(sentences(), vocabulary=DEMO_CONFIG.text.vocab_size))
    tokenizer.write(directory)
    DEMO_PREPROCESSOR.write(directory)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        model = NeuralGraphModel(DEMO_CONFIG)
    model.half().save_pretrained(directory)
    return model_digest(directory)


def main() -> None:
    """Build into the package, or into ``--out``."""
    parser = argparse.ArgumentParser(description="Rebuild the bundled demo model.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "demo", metavar="DIR")
    sys.stdout.write(build_demo(parser.parse_args().out) + "\n")


if __name__ == "__main__":
    main()
