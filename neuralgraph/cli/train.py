"""``ngr train``: a model for one's own films, continued where the last run ended."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.conversion_choices import LayoutName
from neuralgraph.cli.convert import _resolve
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.training_progress import shown, stopped_by_signals
from neuralgraph.errors import OutputError, SourceError, missing_extra

if TYPE_CHECKING:
    from neuralgraph.compressor.model.preprocess import Preprocessor
    from neuralgraph.compressor.training.recipe import Recipe
    from neuralgraph.compressor.training.train import Start, Trained
    from neuralgraph.sources.layouts import Selection

__all__ = ["train"]

PHANTOM = "phantom"
"""The source that needs no data."""
_FRESH = "fresh"
_DATA, _NUMBERS = "Data and model", "Training"

Progress = Callable[[int, int, dict[str, float]], None]


def train(
    source: Annotated[
        str | None, typer.Argument(help="A data set's folder, a manifest, or 'phantom' for synthetic films.")
    ] = None,
    *,
    also: Annotated[
        list[str] | None, typer.Option("--source", help="A source, as SOURCE; repeatable.", rich_help_panel=_DATA)
    ] = None,
    weight: Annotated[
        list[float] | None,
        typer.Option(
            help="How often films of each source are drawn, in their order; repeatable.", rich_help_panel=_DATA
        ),
    ] = None,
    marks: Annotated[
        list[Path] | None,
        typer.Option(
            help="COCO JSON with boxes of the films (MS-CXR, with phrases); repeatable.", rich_help_panel=_DATA
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the new model.")],
    start: Annotated[
        str,
        typer.Option(
            help="What to begin with: 'demo', the folder of a model, or 'fresh' for random weights.",
            rich_help_panel=_DATA,
        ),
    ] = "demo",
    layout: Annotated[
        LayoutName, typer.Option(help="How the source is laid out.", rich_help_panel=_DATA)
    ] = LayoutName.auto,
    reports: Annotated[
        Path | None, typer.Option(help="Where reports lie, when not there.", rich_help_panel=_DATA)
    ] = None,
    tables: Annotated[
        Path | None, typer.Option(help="Where labels and splits lie, when not there.", rich_help_panel=_DATA)
    ] = None,
    patients: Annotated[
        int, typer.Option(help="With 'phantom': how many patients.", rich_help_panel=_DATA, min=2)
    ] = 500,
    steps: Annotated[int, typer.Option(help="Updates of the weights.", rich_help_panel=_NUMBERS, min=1)] = 2000,
    first_steps: Annotated[
        int,
        typer.Option(help="Updates of the encoder alone before, on films with marks.", rich_help_panel=_NUMBERS, min=0),
    ] = 0,
    frozen_parts: Annotated[
        int,
        typer.Option(
            help="Leading parts of the encoder (stem, stages) that stay as they are.", rich_help_panel=_NUMBERS, min=0
        ),
    ] = 0,
    kept_batches: Annotated[
        int,
        typer.Option(
            help="Varied batches whose frozen part is computed once and shown again; 0 varies every batch anew.",
            rich_help_panel=_NUMBERS,
            min=0,
        ),
    ] = 0,
    guidance_weight: Annotated[
        float,
        typer.Option(
            help="Weight of looking where marks are, wherever a film has some.", rich_help_panel=_NUMBERS, min=0.0
        ),
    ] = 0.3,
    contrast_weight: Annotated[
        float,
        typer.Option(
            help="Weight, within that, of looking elsewhere for another text.", rich_help_panel=_NUMBERS, min=0.0
        ),
    ] = 0.5,
    flips: Annotated[
        float,
        typer.Option(
            help="Share of the films mirrored, with sides swapped in their texts.",
            rich_help_panel=_NUMBERS,
            min=0.0,
            max=1.0,
        ),
    ] = 0.25,
    batch_size: Annotated[int, typer.Option(help="Films of a batch.", rich_help_panel=_NUMBERS, min=1)] = 16,
    accumulation: Annotated[int, typer.Option(help="Batches per update.", rich_help_panel=_NUMBERS, min=1)] = 1,
    vision_rate: Annotated[
        float,
        typer.Option(
            help="Peak learning rate of the encoder; 0 leaves it as it is.", rich_help_panel=_NUMBERS, min=0.0
        ),
    ] = 1e-4,
    bridge_rate: Annotated[
        float, typer.Option(help="Peak learning rate between them.", rich_help_panel=_NUMBERS, min=0.0)
    ] = 2e-4,
    text_rate: Annotated[
        float, typer.Option(help="Peak learning rate of the decoder.", rich_help_panel=_NUMBERS, min=0.0)
    ] = 3e-4,
    pruned_weight: Annotated[
        float,
        typer.Option(
            help="Weight of writing the same reports from the kept patches alone; 0 only ever reads whole films.",
            rich_help_panel=_NUMBERS,
            min=0.0,
        ),
    ] = 1.0,
    validate_every: Annotated[
        int, typer.Option(help="Updates between validations and checkpoints.", rich_help_panel=_NUMBERS, min=1)
    ] = 200,
    patience: Annotated[
        int, typer.Option(help="Validations without a gain before it stops.", rich_help_panel=_NUMBERS, min=1)
    ] = 10,
    precision: Annotated[str, typer.Option(help="'auto', 'float32' or 'bfloat16'.", rich_help_panel=_NUMBERS)] = "auto",
    seed: Annotated[int, typer.Option(help="Of everything random.", rich_help_panel=_NUMBERS, min=0)] = 2025,
    device: Annotated[str, typer.Option(help="'cpu' or 'cuda'.", rich_help_panel=_NUMBERS)] = "cpu",
    workers: Annotated[
        int,
        typer.Option(
            help="Processes that read films [default: one per processor].",
            show_default=False,
            rich_help_panel=_NUMBERS,
        ),
    ] = 0,
    log_to: Annotated[
        Path | None,
        typer.Option(help="A .csv file, or a folder for TensorBoard, that the log goes to.", rich_help_panel=_NUMBERS),
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Store the weights as float16.", rich_help_panel=_NUMBERS)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model on films: to write each film's report, to name its findings, to look where they are.

    Patients are split, never their films; uncertain labels count as unknown. A run that was stopped is continued by the
    same command. Films are prepared in a temporary folder, which is removed; the model holds no report and no path.

    Films with marks (boxes, masks, phrases with boxes) are looked at where these are; what is not marked is unknown.

    Example: ngr train cohort.csv -o model/ --steps 5000 --device cuda

    Example: ngr train --source marked.csv --weight 3 --source phantom --weight 1 -o model/ --first-steps 500
    """
    try:
        from transformers.utils import logging as transformers_logging

        from neuralgraph.compressor.training.recipe import Recipe
        from neuralgraph.compressor.training.train import TrainingStopped
        from neuralgraph.compressor.training.train import train as run
    except ImportError as error:
        raise missing_extra("training", extra="vlm", library=error.name or "torch") from error
    # What transformers tells its developers is nothing a user can act on.
    transformers_logging.set_verbosity_error()
    sources = [*([] if source is None else [source]), *(also or ())]
    if not sources:
        raise typer.BadParameter("name at least one source", param_hint="SOURCE")
    if weight and len(weight) != len(sources):
        raise typer.BadParameter(f"{len(weight)} weights for {len(sources)} sources", param_hint="--weight")
    recipe = Recipe(
        steps=steps,
        first_steps=first_steps,
        frozen_parts=frozen_parts,
        kept_batches=kept_batches,
        batch_size=batch_size,
        accumulation=accumulation,
        vision_rate=vision_rate,
        bridge_rate=bridge_rate,
        text_rate=text_rate,
        guidance_weight=guidance_weight,
        contrast_weight=contrast_weight,
        pruned_weight=pruned_weight,
        flips=flips,
        source_weights=tuple((_source_name(number), each) for number, each in enumerate(weight or ())),
        validate_every=validate_every,
        patience=patience,
        precision=precision,
        seed=seed,
    )
    with tempfile.TemporaryDirectory(prefix="ngr-train-") as scratch, shown() as progress, stopped_by_signals() as stop:
        folder = Path(scratch)
        read = _reader(sources, reports, tables, layout.value, patients, marks or [])
        begun, failures, examples = _prepare(read, start, out, recipe, folder, workers, progress)
        if failures:
            counted = ", ".join(f"{code} {count:,}" for code, count in failures.items())
            note(f"{sum(failures.values()):,} films or studies cannot be learnt from: {counted}")
        _announce(examples, recipe)
        try:
            trained = run(
                begun, examples, out, recipe, device=device, half=half, progress=progress, stop=stop, log_to=log_to
            )
        except TrainingStopped as stopped:
            note(f"stopped after {stopped.step:,} of {stopped.steps:,} updates; the same command goes on from there")
            raise typer.Exit(130) from None
    _tell(trained, examples, failures, json=json)


def _source_name(number: int) -> str:
    """What examples of a source are called: its place, since a path is nobody's business."""
    return f"source {number + 1}"


def _announce(examples: Any, recipe: Recipe) -> None:
    learn, check = examples
    parts = f"{recipe.first_steps:,} first lessons and " if recipe.first_steps else ""
    note(
        f"{len(learn):,} films to learn from, {len(learn.annotated):,} with marks, {len(check):,} to validate with; "
        f"{parts}{recipe.steps:,} updates, how long they take is told after the first ones"
    )


def _reader(
    sources: list[str], reports: Path | None, tables: Path | None, layout: str, patients: int, marks: list[Path]
) -> Callable[[Preprocessor], Any]:
    """Gives the tasks of all sources, each under its name, for a preprocessor."""
    from neuralgraph.compressor.training.manifest_films import manifest_tasks
    from neuralgraph.compressor.training.phantom_films import phantom_tasks
    from neuralgraph.compressor.training.sources import prepare_task

    resolved = {
        number: _rows(Path(one), reports, tables, layout, marks) for number, one in enumerate(sources) if one != PHANTOM
    }

    def read(preprocessor: Preprocessor) -> Any:
        tasks: list[Any] = []
        for number in range(len(sources)):
            name = _source_name(number)
            if number in resolved:
                tasks += manifest_tasks(resolved[number], preprocessor, source=name)
            else:
                tasks += phantom_tasks(patients, preprocessor, side=min(512, preprocessor.max_side), source=name)
        return tasks, prepare_task

    return read


def _rows(source: Path, reports: Path | None, tables: Path | None, layout: str, marks: list[Path]) -> Any:
    from neuralgraph.sources.layouts.marked_rows import with_marks
    from neuralgraph.sources.layouts.marks import coco_marks

    def with_report(chosen: Selection) -> Selection:
        return dataclasses.replace(chosen, generate_reports=False)

    resolved = _resolve(source, reports, tables, layout, False, True, with_report)
    if not resolved.rows:
        raise SourceError("the source holds no study with film and report", code="E_SOURCE_EMPTY", where=str(source))
    rows = list(resolved.rows)
    for path in marks:
        rows, count = with_marks(rows, coco_marks(path))
        note(f"{path.name}: marks of {count:,} films")
    return rows


def _prepare(
    read: Callable[[Preprocessor], Any],
    start: str,
    out: Path,
    recipe: Recipe,
    folder: Path,
    workers: int,
    progress: Progress | None,
) -> tuple[Start, dict[str, int], Any]:
    """What training begins with, what could not be read, and the examples of both parts."""
    from neuralgraph.compressor.model.preprocess import Preprocessor
    from neuralgraph.compressor.model.tokenizer import ReportTokenizer
    from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY
    from neuralgraph.compressor.training.build_demo import DEMO_CONFIG, DEMO_PREPROCESSOR
    from neuralgraph.compressor.training.examples import ExampleSet, split_by_patient, write_examples
    from neuralgraph.compressor.training.train import changed_config, fresh_start, start_from

    if out.exists() and not out.is_dir():
        raise OutputError("a file is in the way of the model's folder", where=str(out))
    directory = DEMO_DIRECTORY if start in (DEMO, _FRESH) else Path(start)
    preprocessor = DEMO_PREPROCESSOR if start == _FRESH else Preprocessor.read(directory)
    tasks, prepare = read(preprocessor)
    failures = write_examples(
        folder,
        tasks,
        prepare,
        workers=min(len(tasks), workers or len(os.sched_getaffinity(0))),
        progress=None if progress is None else lambda done, total: progress(done, total, {}),
    )
    everything = ExampleSet(folder)
    examples = split_by_patient(everything, share=recipe.validation_share, seed=recipe.seed)
    name, labels = out.resolve().name, everything.label_names
    # The name "demo" says that a model learnt from synthetic films only.
    name = name if name != DEMO else f"{name}-own"
    if start == _FRESH:
        config = changed_config(DEMO_CONFIG, name=name, **({"labels": list(labels)} if labels else {}))
        tokenizer = ReportTokenizer.read(DEMO_DIRECTORY)
        return fresh_start(config, tokenizer, preprocessor, seed=recipe.seed), failures, examples
    return start_from(directory, name=name, labels=labels), failures, examples


def _tell(trained: Trained, examples: Any, failures: dict[str, int], *, json: bool) -> None:
    if os.environ.get("RANK", "0") != "0":
        # One process of several speaks for all.
        return
    learn, check = examples
    if json:
        write_json(
            {
                "output": str(trained.directory),
                "digest": trained.digest,
                "films": {"train": len(learn), "validate": len(check)},
                "failures": failures,
                "steps": trained.steps,
                "validation": trained.losses,
                "verdict": trained.verdict,
            }
        )
        return
    losses = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in trained.losses.items())
    write_line(f"{trained.directory}: model {trained.digest[:12]}, of step {trained.steps:,}")
    write_line(f"  learnt from {len(learn):,} films, validated with {len(check):,}: {losses}")
    from neuralgraph.compressor.training.verdict import verdict_lines

    for line in verdict_lines(trained.verdict):
        write_line(f"  {line}")
