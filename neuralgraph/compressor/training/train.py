"""One training run from prepared films to a model directory."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.trainer_utils import get_last_checkpoint, set_seed

from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.mean_attention import mean_attention_map, write_mean_attention
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.model_scorer import ModelScorer
from neuralgraph.compressor.training.batches import Batches
from neuralgraph.compressor.training.examples import ExampleSet
from neuralgraph.compressor.training.first_lessons import first_lessons
from neuralgraph.compressor.training.recipe import Recipe
from neuralgraph.compressor.training.report_text import usual_opening
from neuralgraph.compressor.training.trainer import FilmTrainer, wants_bfloat16
from neuralgraph.errors import ModelError, OutputError
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["Start", "Trained", "changed_config", "fresh_start", "start_from", "train"]

CHECKPOINTS = "checkpoints"
RECORD_NAME = "training.json"
_MEAN_FILMS = 300
Progress = Callable[[int, int, dict[str, float]], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """What training begins with: parts that belong together."""

    model: NeuralGraphModel
    tokenizer: ReportTokenizer
    preprocessor: Preprocessor
    source: str
    """What the record calls it: the digest of a model, or "fresh"."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """What came of a run."""

    directory: Path
    digest: str
    steps: int
    """Of the weights that were kept."""
    losses: dict[str, float]
    """Of the validation films at that step."""
    log: list[dict[str, Any]]
    """What was logged, step by step."""


def start_from(directory: Path, *, name: str, labels: tuple[str, ...]) -> Start:
    """Begin with a model that is there.

    Parameters
    ----------
    directory : of the model.
    name : of the new model.
    labels : findings of the new model. A head for other findings than the old one's begins at random.

    Raises
    ------
    ModelError : E_MODEL when the model is incomplete.
    """
    source = model_digest(directory)
    old = NeuralGraphModel.from_pretrained(directory)
    kept = labels or old.config.labels
    config = changed_config(old.config, name=name, labels=list(kept))
    model = NeuralGraphModel(config)
    weights = old.state_dict()
    if kept != old.config.labels:
        weights = {key: value for key, value in weights.items() if not key.startswith("classifier.")}
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    return Start(
        model=model,
        tokenizer=ReportTokenizer.read(directory),
        preprocessor=Preprocessor.read(directory),
        source=source,
    )


def fresh_start(
    config: NeuralGraphConfig, tokenizer: ReportTokenizer, preprocessor: Preprocessor, *, seed: int
) -> Start:
    """Begin with random weights.

    Parameters
    ----------
    config, tokenizer, preprocessor : of the new model.
    seed : of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = NeuralGraphModel(config)
    return Start(model=model, tokenizer=tokenizer, preprocessor=preprocessor, source="fresh")


def train(
    start: Start,
    examples: tuple[ExampleSet, ExampleSet],
    directory: Path,
    recipe: Recipe,
    *,
    device: str = "cpu",
    half: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Train and write a model directory.

    A run that was stopped leaves ``checkpoints`` in the directory, and the same call continues it; they go when the
    run is done. What remains is a model as ``load_scorer`` reads it, and ``training.json``: recipe, losses, no paths.

    Parameters
    ----------
    start : what it begins with.
    examples : for training and for validation.
    directory : created when absent.
    recipe : the settings.
    device : "cpu" or "cuda".
    half : store the weights as float16.
    progress : called after every step.

    Raises
    ------
    OutputError : E_OUTPUT when the directory holds checkpoints of another run, or cannot be written.
    ModelError : E_MODEL when there is nothing to learn from, or the losses are not finite.
    """
    learn, check = examples
    if not len(learn) or not len(check):
        raise ModelError(
            f"{len(learn)} films to learn from and {len(check)} to validate with; each needs at least one patient",
            code="E_MODEL",
            where="source",
        )
    set_seed(recipe.seed)
    record = {
        "begun_with": start.source,
        "recipe": recipe.record,
        "films": {"train": len(learn), "validate": len(check)},
        "data": {"train": learn.fingerprint, "validate": check.fingerprint},
    }
    checkpoints = _checkpoints(directory, record)
    # Before the Trainer, which freezes the encoder where the recipe has no rate for it.
    _first(start, learn, recipe, checkpoints, device=device, progress=progress)
    # A run that was stopped and goes on here draws what an undisturbed one draws.
    set_seed(recipe.seed)
    trainer = FilmTrainer(
        start.model,
        recipe,
        checkpoints,
        train=_batches(learn, start, recipe, count=recipe.steps * recipe.accumulation),
        validate=_batches(check, start, recipe, count=None),
        device=device,
        progress=progress,
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(checkpoints)))
    log = [dict(line) for line in trainer.state.log_history]
    model = trainer.accelerator.unwrap_model(trainer.model).cpu()
    if not all(bool(torch.isfinite(weight).all()) for weight in model.parameters()):
        raise ModelError(
            "training diverged: a weight is not finite; lower the learning rates", code="E_MODEL", where="recipe"
        )
    model.config = changed_config(model.config, trained=True, opening=_opening(learn, start.tokenizer))
    if trainer.is_world_process_zero():
        (model.half() if half else model).save_pretrained(directory)
        start.tokenizer.write(directory)
        start.preprocessor.write(directory)
        write_mean_attention(directory, _mean_attention(directory, learn))
        _write(directory / RECORD_NAME, {**record, "log": _plain_log(log)})
        shutil.rmtree(checkpoints)
    best = int(trainer.state.best_global_step or trainer.state.global_step)
    losses = next((line for line in log if line.get("step") == best and "eval_loss" in line), {})
    return Trained(
        directory=directory,
        digest=model_digest(directory),
        steps=best,
        losses={name.removeprefix("eval_"): losses[name] for name in losses if name.endswith("loss")},
        log=log,
    )


def _mean_attention(directory: Path, learn: ExampleSet) -> NDArray[np.float32]:
    """The model's mean map over films it learnt from, with their reports."""
    preprocessor = Preprocessor.read(directory)
    scorer = ModelScorer.load(directory, device="cpu", dtype="float32", layer=-1, heads="mean", batch_size=1)
    some = range(0, len(learn), max(1, len(learn) // _MEAN_FILMS))
    scored = (
        scorer([np.divide(learn[number].pixels, 255, dtype=np.float32)], [learn[number].report])[0] for number in some
    )
    side = min(64, preprocessor.max_side // preprocessor.stride)
    return mean_attention_map(scored, rows=side, cols=side)


def _opening(learn: ExampleSet, tokenizer: ReportTokenizer) -> list[int]:
    """What the model is to begin a report with: the tokens of the heading that it learnt to begin with."""
    return tokenizer.encode(usual_opening(learn.report(number) for number in range(len(learn))))


def _first(
    start: Start, learn: ExampleSet, recipe: Recipe, checkpoints: Path, *, device: str, progress: Progress | None
) -> None:
    """The encoder's first lessons, or what they left when the run was stopped after them."""
    done = checkpoints / "first_lessons"
    if not recipe.first_steps:
        return
    if done.is_dir():
        start.model.load_state_dict(NeuralGraphModel.from_pretrained(done, device=device).state_dict())
        return
    first_lessons(
        start.model,
        _batches(learn, start, recipe, count=recipe.first_steps),
        rate=recipe.first_rate,
        clip=recipe.clip,
        weight_decay=recipe.weight_decay,
        bfloat16=wants_bfloat16(recipe, device),
        device=device,
        progress=progress,
    )
    aside = checkpoints / "first_lessons.partial"
    start.model.save_pretrained(aside)
    aside.rename(done)


def _batches(examples: ExampleSet, start: Start, recipe: Recipe, *, count: int | None) -> Batches:
    return Batches(
        examples,
        start.model.config,
        start.tokenizer,
        start.preprocessor,
        batch_size=recipe.batch_size,
        longest=recipe.longest_report,
        seed=recipe.seed,
        count=count,
        augment=recipe.augment and count is not None,
        guided=recipe.guidance_weight > 0 and count is not None,
    )


def _checkpoints(directory: Path, record: dict[str, Any]) -> Path:
    """The folder for checkpoints, which belong to this very run."""
    checkpoints = directory / CHECKPOINTS
    try:
        checkpoints.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create the folder ({error.strerror})", code="E_OUTPUT", where=str(directory)
        ) from error
    path = checkpoints / RECORD_NAME
    if path.is_file():
        if parsed_json(path.read_text(encoding="utf-8")) != json.loads(json.dumps(record)):
            raise OutputError(
                "checkpoints of a run with other data or settings are there; delete them or choose another folder",
                code="E_OUTPUT",
                where=str(checkpoints),
            )
    else:
        _write(path, record)
    return checkpoints


def _plain_log(log: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Step and losses only: seconds differ from run to run."""
    return [
        {name: round(float(value), 5) for name, value in line.items() if name == "step" or name.endswith("loss")}
        for line in log
        if "loss" in line or "eval_loss" in line
    ]


def changed_config(config: NeuralGraphConfig, **changes: Any) -> NeuralGraphConfig:
    """A configuration with some fields changed, checked like any other."""
    values = {**config.to_dict(), **changes}
    values.pop("model_type")
    return NeuralGraphConfig(**values)


def _write(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8", newline="\n")
