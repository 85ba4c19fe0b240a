"""One training run from prepared films to a model directory."""

from __future__ import annotations

import copy
import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.trainer_utils import get_last_checkpoint, set_seed

from neuralgraph.compressor.model.backbone import WHOLE, VisionEncoder, from_pixels
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.mean_attention import mean_attention_map, write_mean_attention
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.model_scorer import ModelScorer
from neuralgraph.compressor.training.batches import Batches, BatchSettings
from neuralgraph.compressor.training.examples import ExampleSet
from neuralgraph.compressor.training.first_lessons import LessonSettings, PatchHead, first_lessons, frozen
from neuralgraph.compressor.training.in_turn import in_turn
from neuralgraph.compressor.training.judge import Judge
from neuralgraph.compressor.training.kept_batches import KeptBatches
from neuralgraph.compressor.training.lesson_state import LESSON_STATE, TrainingStopped
from neuralgraph.compressor.training.recipe import Recipe
from neuralgraph.compressor.training.report_text import usual_opening
from neuralgraph.compressor.training.runtime import Runtime
from neuralgraph.compressor.training.start import Start, changed_config, fresh_start, start_from
from neuralgraph.compressor.training.trainer import FilmTrainer, wants_bfloat16
from neuralgraph.errors import ModelError, OutputError
from neuralgraph.storage.atomic import make_folder
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["Runtime", "Start", "Trained", "TrainingStopped", "changed_config", "fresh_start", "start_from", "train"]

CHECKPOINTS = "checkpoints"
RECORD_NAME = "training.json"
_MEAN_FILMS = 300
_BEFORE, _FIRST = "before.json", "first_lessons"
_TIMES = ("runtime", "per_second")


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
    verdict: dict[str, Any]
    """The model it began with and the new one on the validation films (see ``verdict``)."""


def train(
    start: Start,
    examples: tuple[ExampleSet, ExampleSet],
    directory: Path,
    recipe: Recipe,
    runtime: Runtime | None = None,
    *,
    half: bool = False,
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
    runtime : where it computes, and who follows.
    half : store the weights as float16.

    Raises
    ------
    TrainingStopped : ``runtime.stop`` said so.
    OutputError (E_OUTPUT) : the directory holds checkpoints of another run, or cannot be written.
    ModelError (E_MODEL) : there is nothing to learn from, the recipe asks for batches to be kept where they cannot be,
        or a weight is not finite at the end.
    """
    learn, check = examples
    _check(start, learn, check, recipe)
    run = _Run(start=start, learn=learn, check=check, directory=directory, recipe=recipe, runtime=runtime or Runtime())
    set_seed(recipe.seed)
    in_turn(run.begin, run.checkpoints / RECORD_NAME)
    judge = Judge(start.tokenizer, start.preprocessor, learn, check)
    before = run.judged_before(judge)
    start.model.label_weights = _label_weights(learn, start.model.config.labels)
    if run.runtime.expected is not None:
        run.runtime.expected(run.expected_seconds(judge))
        set_seed(recipe.seed)
    # Before the Trainer, which freezes the encoder where the recipe has no rate for it.
    head = run.first_lessons()
    # A run that was stopped and goes on here draws what an undisturbed one draws.
    set_seed(recipe.seed)
    trainer = run.learnt(judge)
    log = [dict(line) for line in trainer.state.log_history]
    model = trainer.accelerator.unwrap_model(trainer.model).cpu()
    if not all(bool(torch.isfinite(weight).all()) for weight in model.parameters()):
        raise ModelError(
            "training diverged: a weight is not finite; lower the learning rates", code="E_MODEL", where="recipe"
        )
    model.config = changed_config(model.config, trained=True, opening=_opening(learn, start.tokenizer))
    best = int(trainer.state.best_global_step or trainer.state.global_step)
    losses = next((line for line in log if line.get("step") == best and "eval_loss" in line), {})
    chosen_by = _chosen_by(judge).removeprefix("eval_")
    verdict = {"before": before, "after": judge.judged(model.eval()), "steps": best, "chosen_by": chosen_by}
    if trainer.is_world_process_zero():
        run.finish(model.half() if half else model, head, {"verdict": verdict, "log": _plain_log(log)})
    trainer.accelerator.wait_for_everyone()
    return Trained(
        directory=directory,
        digest=model_digest(directory),
        steps=best,
        losses={name.removeprefix("eval_"): losses[name] for name in losses if name.endswith("loss")},
        log=log,
        verdict=verdict,
    )


def _check(start: Start, learn: ExampleSet, check: ExampleSet, recipe: Recipe) -> None:
    """Refuse examples that a recipe cannot learn from, and a recipe that asks an encoder for what it cannot."""
    if not len(learn) or not len(check):
        raise ModelError(
            f"{len(learn)} films to learn from and {len(check)} to validate with; each needs at least one patient",
            code="E_MODEL",
            where="source",
        )
    if recipe.first_steps and not learn.annotated:
        raise ModelError(
            "first lessons need films with marks, and no film has any", code="E_MODEL", where="recipe: first_steps"
        )
    if recipe.kept_batches and not isinstance(start.model.vision, VisionEncoder):
        raise ModelError(
            "batches are kept behind the frozen parts of another backbone than Swin; give 0",
            code="E_MODEL",
            where="recipe: kept_batches",
        )
    if recipe.kept_batches and recipe.vision_rate and not recipe.frozen_parts:
        raise ModelError(
            "batches are kept behind what is frozen, and nothing is; freeze leading parts, or give the encoder no rate",
            code="E_MODEL",
            where="recipe: kept_batches",
        )


def _chosen_by(judge: Judge) -> str:
    """The measure of the validation films that says which step is the best."""
    return "eval_area_kept" if judge.sees else "eval_loss"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Run:
    """What a run begins with, what it learns from, how, and where it leaves what; each method is a part of it."""

    start: Start
    learn: ExampleSet
    check: ExampleSet
    directory: Path
    recipe: Recipe
    runtime: Runtime

    @property
    def checkpoints(self) -> Path:
        """The folder of what a run that was stopped goes on from."""
        return self.directory / CHECKPOINTS

    @property
    def structures(self) -> tuple[str, ...]:
        """Names of what is marked on films of either kind."""
        return tuple(sorted({*self.learn.structure_names, *self.check.structure_names}))

    @property
    def record(self) -> dict[str, Any]:
        """What the run is told apart from others by."""
        learn, check = self.learn, self.check
        return {
            "begun_with": self.start.source,
            "recipe": json.loads(json.dumps(self.recipe.record)),
            "films": {"train": len(learn), "validate": len(check)},
            "marked_films": {"train": len(learn.annotated), "validate": len(check.annotated)},
            "data": {"train": learn.fingerprint, "validate": check.fingerprint},
        }

    def begin(self) -> None:
        """Make the folder for checkpoints, or prove that those that are there belong to this very run."""
        make_folder(self.checkpoints, where=self.directory)
        path, record = self.checkpoints / RECORD_NAME, self.record
        if not path.is_file():
            _write(path, record)
        elif parsed_json(path.read_text(encoding="utf-8")) != json.loads(json.dumps(record)):
            raise OutputError(
                "checkpoints of a run with other data or settings are there; delete them or choose another folder",
                code="E_OUTPUT",
                where=str(self.checkpoints),
            )

    def judged_before(self, judge: Judge) -> dict[str, float]:
        """What the model it begins with is worth, kept so that a run that is continued still knows."""
        path, model = self.checkpoints / _BEFORE, self.start.model
        if not path.is_file():
            in_turn(lambda: _write(path, judge.judged(model.to(self.runtime.device).eval())), path)
        values: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
        return values

    def expected_seconds(self, judge: Judge) -> float:
        """How long lessons and updates that are not done yet take, without validations: a copy tries two of each."""
        recipe, checkpoint = self.recipe, get_last_checkpoint(str(self.checkpoints))
        first = 0 if checkpoint or (self.checkpoints / _FIRST).is_dir() else recipe.first_steps
        updates = recipe.steps - (int(checkpoint.rpartition("-")[2]) if checkpoint else 0)
        stamps: list[float] = []

        def taken(count: int) -> float:
            """Of so many, and of the batches that are kept for them, by when the last two of both were done."""
            *before, earlier, later = stamps
            kept = min(count, recipe.kept_batches) * (before[-1] - before[0]) if before else 0.0
            stamps.clear()
            return count * (later - earlier) + kept

        trial = dataclasses.replace(
            self,
            start=dataclasses.replace(self.start, model=copy.deepcopy(self.start.model)),
            recipe=dataclasses.replace(
                recipe, first_steps=2, steps=2, accumulation=1, kept_batches=min(recipe.kept_batches, 2)
            ),
            runtime=Runtime(device=self.runtime.device, progress=lambda *_: stamps.append(perf_counter())),
        )
        seconds = 0.0
        if first:
            trial._lessons(None)
            seconds += taken(first)
        with trial._trainer(judge) as trainer:
            trainer.try_out()
        return seconds + taken(updates * recipe.accumulation)

    def first_lessons(self) -> PatchHead | None:
        """The encoder's first lessons, or what they left when the run was stopped after them."""
        done = self.checkpoints / _FIRST
        if not self.recipe.first_steps:
            return None
        if not done.is_dir():
            in_turn(lambda: self._teach_first(done), done)
        stored = NeuralGraphModel.from_pretrained(done, device=self.runtime.device)
        self.start.model.load_state_dict(stored.state_dict())
        return PatchHead.read(done)

    def _teach_first(self, done: Path) -> None:
        head = self._lessons(done.with_name(LESSON_STATE))
        aside = done.with_suffix(".partial")
        self.start.model.save_pretrained(aside)
        head.write(aside)
        aside.rename(done)
        done.with_name(LESSON_STATE).unlink(missing_ok=True)

    def _lessons(self, kept: Path | None) -> PatchHead:
        """First lessons, going on from a file of those that were stopped."""
        model, recipe = self.start.model, self.recipe
        films, given = self._films(recipe.first_steps, recipe.frozen_parts)
        settings = LessonSettings(
            rate=recipe.first_rate,
            clip=recipe.clip,
            weight_decay=recipe.weight_decay,
            bfloat16=wants_bfloat16(recipe, self.runtime.device),
            frozen_parts=recipe.frozen_parts,
        )
        with from_pixels(model.vision, given):
            return first_lessons(model, films, settings, self.runtime, kept=kept)[0]

    def learnt(self, judge: Judge) -> FilmTrainer:
        """Everything after the first lessons, up to the last step, or to the end that was asked for."""
        with self._trainer(judge) as trainer:
            trainer.train(resume_from_checkpoint=get_last_checkpoint(str(self.checkpoints)))
        if self.runtime.stopped and trainer.state.global_step < self.recipe.steps:
            raise TrainingStopped(trainer.state.global_step, self.recipe.steps)
        return trainer

    @contextmanager
    def _trainer(self, judge: Judge) -> Iterator[FilmTrainer]:
        """What teaches everything after the first lessons, while the encoder is frozen as the recipe says."""
        model, recipe = self.start.model, self.recipe
        parts = recipe.frozen_parts if recipe.vision_rate else WHOLE
        films, given = self._films(recipe.steps * recipe.accumulation, parts)
        with frozen(model.vision, recipe.frozen_parts), from_pixels(model.vision, given):
            yield FilmTrainer(
                model,
                recipe,
                self.checkpoints,
                train=films,
                validate=self.batches(self.check, count=None),
                runtime=self.runtime,
                watch=lambda: judge.seen(model),
                chosen_by=_chosen_by(judge),
            )

    def finish(self, model: Any, head: PatchHead | None, said: dict[str, Any]) -> None:
        """Write the directory, and remove what the run would have gone on from."""
        model.save_pretrained(self.directory)
        self.start.tokenizer.write(self.directory)
        self.start.preprocessor.write(self.directory)
        write_mean_attention(self.directory, _mean_attention(self.directory, self.learn))
        if head is not None:
            head.write(self.directory)
        _write(self.directory / RECORD_NAME, {**self.record, **said})
        shutil.rmtree(self.checkpoints)

    def _films(self, count: int, parts: int) -> tuple[Batches | KeptBatches, int | None]:
        """The batches of a part of the run, and what the encoder is given of them (``VisionEncoder.given``)."""
        vision, recipe, runtime = self.start.model.vision, self.recipe, self.runtime
        if not recipe.kept_batches or not parts or not isinstance(vision, VisionEncoder):
            return self.batches(self.learn, count=count), None
        self.start.model.to(runtime.device).eval()
        batches = self.batches(self.learn, count=min(count, recipe.kept_batches))
        return KeptBatches(batches, vision, parts, count=count, seed=recipe.seed, runtime=runtime), parts

    def batches(self, examples: ExampleSet, *, count: int | None) -> Batches:
        """So many varied batches of examples; without a count one pass over them as they are."""
        recipe, start = self.recipe, self.start
        settings = BatchSettings(
            batch_size=recipe.batch_size,
            longest=recipe.longest_report,
            seed=recipe.seed,
            augment=recipe.augment and count is not None,
            guided=recipe.guidance_weight > 0 and count is not None,
            flips=recipe.flips,
            weights=dict(recipe.source_weights),
            sides=recipe.sides,
            structures=self.structures,
        )
        return Batches(examples, start.model.config, start.tokenizer, start.preprocessor, settings, count=count)


def _label_weights(learn: ExampleSet, names: tuple[str, ...]) -> torch.Tensor:
    """Weight of a present finding over an absent one: the root of how much rarer it is, between 1 and 10."""
    labels = learn.labels
    counts = [[sum(row.get(name) == value for row in labels) for value in (0.0, 1.0)] for name in names]
    return torch.tensor([max(1.0, (absent / max(1, present)) ** 0.5) for absent, present in counts]).clamp(max=10)


def _mean_attention(directory: Path, learn: ExampleSet) -> NDArray[np.float32]:
    """The model's mean map over films it learnt from, with their reports."""
    preprocessor = Preprocessor.read(directory)
    scorer = ModelScorer.load(directory)
    some = range(0, len(learn), max(1, len(learn) // _MEAN_FILMS))
    scored = (
        scorer([np.divide(learn[number].pixels, 65535, dtype=np.float32)], [learn[number].report])[0] for number in some
    )
    side = min(64, preprocessor.max_side // preprocessor.stride)
    return mean_attention_map(scored, rows=side, cols=side)


def _opening(learn: ExampleSet, tokenizer: ReportTokenizer) -> list[int]:
    """What the model is to begin a report with: the tokens of the heading that it learnt to begin with."""
    return tokenizer.encode(usual_opening(learn.report(number) for number in range(len(learn))))


def _plain_log(log: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Step and losses only: seconds differ from run to run."""
    return [
        {
            name: round(float(value), 5)
            for name, value in line.items()
            if name == "step" or name.endswith("loss") or (name.startswith("eval_") and not name.endswith(_TIMES))
        }
        for line in log
        if "loss" in line or "eval_loss" in line
    ]


def _write(path: Path, record: dict[str, Any]) -> None:
    aside = path.with_suffix(".partial")
    aside.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8", newline="\n")
    aside.replace(path)
