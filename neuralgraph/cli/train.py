"""``ngr train``: a model for one's own films, continued where the last run ended."""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.conversion_choices import LayoutName
from neuralgraph.cli.convert import _resolve
from neuralgraph.cli.output import note, write_json, write_line
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
    source: Annotated[str, typer.Argument(help="A data set's folder, a manifest, or 'phantom' for synthetic films.")],
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
        int, typer.Option(help="With 'phantom': updates of the encoder alone before.", rich_help_panel=_NUMBERS, min=0)
    ] = 0,
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
    half: Annotated[
        bool, typer.Option("--half", help="Store the weights as float16.", rich_help_panel=_NUMBERS)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model on SOURCE: to write each film's report and to name its findings.

    Patients are split, never their films; uncertain labels count as unknown. A run that was stopped is continued by the
    same command. Films are prepared in a temporary folder, which is removed; the model holds no report and no path.

    Example: ngr train cohort.csv -o model/ --steps 5000 --device cuda
    """
    try:
        from transformers.utils import logging as transformers_logging

        from neuralgraph.compressor.training.recipe import Recipe
        from neuralgraph.compressor.training.train import train as run
    except ImportError as error:
        raise missing_extra("training", extra="vlm", library=error.name or "torch") from error
    # What transformers tells its developers is nothing a user can act on.
    transformers_logging.set_verbosity_error()
    recipe = Recipe(
        steps=steps,
        first_steps=first_steps,
        batch_size=batch_size,
        accumulation=accumulation,
        vision_rate=vision_rate,
        bridge_rate=bridge_rate,
        text_rate=text_rate,
        pruned_weight=pruned_weight,
        validate_every=validate_every,
        patience=patience,
        precision=precision,
        seed=seed,
    )
    if first_steps and source != PHANTOM:
        raise typer.BadParameter("only phantoms have the masks it needs", param_hint="--first-steps")
    with tempfile.TemporaryDirectory(prefix="ngr-train-") as scratch, _bar() as progress:
        folder = Path(scratch)
        read = _phantoms(patients) if source == PHANTOM else _manifest(Path(source), reports, tables, layout.value)
        begun, failures, examples = _prepare(read, start, out, recipe, folder, workers, progress)
        if failures:
            counted = ", ".join(f"{code} {count:,}" for code, count in failures.items())
            note(f"{sum(failures.values()):,} films or studies cannot be learnt from: {counted}")
        trained = run(begun, examples, out, recipe, device=device, half=half, progress=progress)
    _tell(trained, examples, failures, json=json)


def _manifest(source: Path, reports: Path | None, tables: Path | None, layout: str) -> Callable[[Preprocessor], Any]:
    from neuralgraph.compressor.training.manifest_films import manifest_tasks, prepare_row

    def with_report(chosen: Selection) -> Selection:
        return dataclasses.replace(chosen, generate_reports=False)

    resolved = _resolve(source, reports, tables, layout, False, True, with_report)
    if not resolved.rows:
        raise SourceError("the source holds no study with film and report", code="E_SOURCE_EMPTY", where=str(source))
    return lambda preprocessor: (manifest_tasks(resolved.rows, preprocessor), prepare_row)


def _phantoms(patients: int) -> Callable[[Preprocessor], Any]:
    from neuralgraph.compressor.training.phantom_films import phantom_tasks, prepare_phantom

    return lambda preprocessor: (
        phantom_tasks(patients, preprocessor, side=min(512, preprocessor.max_side)),
        prepare_phantom,
    )


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
            }
        )
        return
    losses = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in trained.losses.items())
    write_line(f"{trained.directory}: model {trained.digest[:12]}, of step {trained.steps:,}")
    write_line(f"  learnt from {len(learn):,} films, validated with {len(check):,}: {losses}")


@contextmanager
def _bar() -> Iterator[Progress | None]:
    """A bar on stderr where that is a terminal; else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("preparing", total=None)

        def advance(done: int, total: int, losses: dict[str, float]) -> None:
            known = " ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in losses.items())
            bar.update(task, completed=done, total=total, description=known or "preparing")

        yield advance
