"""Train a model on phantoms alone: ``python -m neuralgraph.compressor.training.build_demo --out DIR``.

The bundled model begins with its decoder (see ``build_real``).

Everything it learns from is made here: phantoms, whose films and reports are synthetic, and the templates of
``report_language`` for words that no phantom says. No film of a person and no real report goes into it, so it is for
trying things out, not for real films. A run that was stopped continues.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from pathlib import Path

from neuralgraph.compressor.model.configuration import NeuralGraphConfig, TextSettings, VisionSettings
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.report_language import sentences
from neuralgraph.compressor.model.tokenizer import ReportTokenizer, train_tokenizer
from neuralgraph.compressor.training.examples import ExampleSet, split_by_patient, write_examples
from neuralgraph.compressor.training.phantom_films import phantom_tasks, prepare_phantom
from neuralgraph.compressor.training.recipe import Recipe
from neuralgraph.compressor.training.runtime import Progress, Runtime, progress_lines
from neuralgraph.compressor.training.train import Trained, fresh_start, train
from neuralgraph.phantoms import FINDINGS

__all__ = ["DEMO_CONFIG", "DEMO_PATIENTS", "DEMO_PREPROCESSOR", "DEMO_RECIPE", "build_demo", "render"]

DEMO_CONFIG = NeuralGraphConfig(
    name="demo",
    labels=(*FINDINGS, "pneumonia"),
    # Small windows: what a patch says is what is there, so that a decoder that wants to know must look there.
    vision=VisionSettings(
        patch_size=8, embed_dim=64, depths=(1, 3), num_heads=(2, 4), window_size=4, drop_path_rate=0.0
    ),
    text=TextSettings(vocab_size=2048, d_model=128, d_kv=32, d_ff=512, num_layers=2, num_heads=4, dropout_rate=0.0),
    max_generated_tokens=128,
)
DEMO_PREPROCESSOR = Preprocessor(stride=DEMO_CONFIG.vision.stride, channels=1, max_side=256)
"""Ordinary films are larger than 256 pixels, so what it sees of them is 256: the size it was trained at."""

DEMO_PATIENTS = 4960
RENDERED = "rendered"
"""Name of the empty file that says that a folder of films is complete."""
DEMO_RECIPE = Recipe(
    first_steps=3000,
    first_rate=2e-3,
    steps=3200,
    batch_size=32,
    vision_rate=0.0,
    bridge_rate=6e-4,
    text_rate=1.5e-3,
    guidance_weight=0.1,
    flips=0.0,
    warmup=100,
    validation_share=0.03,
    validate_every=200,
    patience=12,
    longest_report=140,
    seed=2025,
)


def build_demo(
    directory: Path,
    *,
    patients: int = DEMO_PATIENTS,
    recipe: Recipe = DEMO_RECIPE,
    films: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Trained:
    """Render the phantoms, train tokenizer and model, write the directory.

    Parameters
    ----------
    directory : created when absent; checkpoints are kept in it until the run is done.
    patients : phantoms to learn from, 1 to 4 films each.
    recipe : the settings.
    films : keep the rendered phantoms here, and use those that are here; None renders into a temporary folder.
    workers : processes that render.
    progress : called after every step of rendering and training.
    """
    with tempfile.TemporaryDirectory(prefix="ngr-train-") as scratch:
        folder = films or Path(scratch)
        if not (folder / RENDERED).is_file():
            render(folder, patients, workers=workers, progress=progress)
        learn, check = split_by_patient(ExampleSet(folder), share=recipe.validation_share, seed=recipe.seed)
        texts = [learn.report(number) for number in range(len(learn))]
        tokenizer = ReportTokenizer(train_tokenizer([*sentences(), *texts], vocabulary=DEMO_CONFIG.text.vocab_size))
        start = fresh_start(DEMO_CONFIG, tokenizer, DEMO_PREPROCESSOR, seed=recipe.seed)
        return train(start, (learn, check), directory, recipe, Runtime(progress=progress), half=True)


def render(
    folder: Path,
    patients: int = DEMO_PATIENTS,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Render the phantoms into a folder; parameters as in ``build_demo``."""
    write_examples(
        folder,
        phantom_tasks(patients, DEMO_PREPROCESSOR, side=DEMO_PREPROCESSOR.max_side),
        prepare_phantom,
        workers=workers,
        progress=None if progress is None else lambda done, total: progress(done, total, {}),
    )
    (folder / RENDERED).touch()


def main() -> None:
    """Build into a folder."""
    parser = argparse.ArgumentParser(description="Train a model on phantoms alone.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--films", type=Path, metavar="DIR", help="keep the rendered phantoms, or use them again")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes that render")
    parser.add_argument(
        "--guidance",
        type=float,
        default=DEMO_RECIPE.guidance_weight,
        help="weight of telling the decoder where to look; 0 leaves that to the reports",
    )
    arguments = parser.parse_args()
    recipe = dataclasses.replace(DEMO_RECIPE, guidance_weight=arguments.guidance)
    trained = build_demo(
        arguments.out, recipe=recipe, films=arguments.films, workers=arguments.workers, progress=progress_lines
    )
    sys.stdout.write(f"{trained.digest}\n")


if __name__ == "__main__":
    main()
