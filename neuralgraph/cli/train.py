"""``ngr train``: a model for one's own films, continued where the last run ended."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from neuralgraph.cli.conversion_options import SourceOptions
from neuralgraph.cli.conversion_source import resolved
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.processors import processors
from neuralgraph.cli.progress import Meter, duration, meter
from neuralgraph.cli.stop_signals import asked_to_stop
from neuralgraph.errors import ModelError, OutputError, SourceError, missing_extra

if TYPE_CHECKING:
    from neuralgraph.bulk.pseudonyms import Pseudonyms
    from neuralgraph.compressor.model.preprocess import Preprocessor
    from neuralgraph.compressor.training.recipe import Recipe
    from neuralgraph.compressor.training.runtime import Progress
    from neuralgraph.compressor.training.train import Start, Trained
    from neuralgraph.sources.layouts import Selection

__all__ = ["train"]

PHANTOM = "phantom"
"""The source that needs no data."""
_FRESH = "fresh"


@dataclass(frozen=True)
class ModelOptions:
    """Data, and the model that training begins with."""

    PANEL: ClassVar[str] = "Data and model"

    start: Annotated[
        str, typer.Option(help="What to begin with: 'demo', the folder of a model, or 'fresh' for random weights.")
    ] = "demo"
    also: Annotated[list[str] | None, typer.Option("--source", help="A source, as SOURCE; repeatable.")] = None
    weight: Annotated[
        list[float] | None,
        typer.Option(help="How often films of each source are drawn, in their order; repeatable."),
    ] = None
    marks: Annotated[
        list[Path] | None,
        typer.Option(help="COCO JSON with boxes of the films (MS-CXR, with phrases); repeatable."),
    ] = None
    patients: Annotated[int, typer.Option(help="With 'phantom': how many patients.", min=2)] = 500
    workers: Annotated[
        int, typer.Option(help="Processes that read films [default: one per processor].", show_default=False)
    ] = 0
    log_to: Annotated[Path | None, typer.Option(help="A .csv file that losses and measures go to while it runs.")] = (
        None
    )
    key_file: Annotated[
        Path | None,
        typer.Option(help="Key under which the model notes whom it learnt from [default: a random key in its folder]."),
    ] = None
    half: Annotated[bool, typer.Option("--half", help="Store the weights as float16.")] = False


@dataclass(frozen=True)
class RecipeOptions:
    """The numbers of a training; each is a field of ``Recipe``."""

    PANEL: ClassVar[str] = "Training"

    steps: Annotated[int, typer.Option(help="Updates of the weights.", min=1)] = 2000
    first_steps: Annotated[
        int, typer.Option(help="Updates of the encoder alone before, on films with marks.", min=0)
    ] = 0
    frozen_parts: Annotated[
        int, typer.Option(help="Leading parts of the encoder (stem, stages) that stay as they are.", min=0)
    ] = 0
    kept_batches: Annotated[
        int,
        typer.Option(
            help="Varied batches whose frozen part is computed once and shown again; 0 varies every batch anew.", min=0
        ),
    ] = 0
    guidance_weight: Annotated[
        float, typer.Option(help="Weight of looking where marks are, wherever a film has some.", min=0.0)
    ] = 0.3
    contrast_weight: Annotated[
        float, typer.Option(help="Weight, within that, of looking elsewhere for another text.", min=0.0)
    ] = 0.5
    flips: Annotated[
        float, typer.Option(help="Share of the films mirrored, with sides swapped in their texts.", min=0.0, max=1.0)
    ] = 0.25
    batch_size: Annotated[int, typer.Option(help="Films of a batch.", min=1)] = 16
    accumulation: Annotated[int, typer.Option(help="Batches per update.", min=1)] = 1
    vision_rate: Annotated[
        float, typer.Option(help="Peak learning rate of the encoder; 0 leaves it as it is.", min=0.0)
    ] = 1e-4
    bridge_rate: Annotated[float, typer.Option(help="Peak learning rate between them.", min=0.0)] = 2e-4
    text_rate: Annotated[float, typer.Option(help="Peak learning rate of the decoder.", min=0.0)] = 3e-4
    pruned_weight: Annotated[
        float,
        typer.Option(
            help="Weight of writing the same reports from the kept patches alone; 0 only ever reads whole films.",
            min=0.0,
        ),
    ] = 1.0
    validate_every: Annotated[int, typer.Option(help="Updates between validations and checkpoints.", min=1)] = 200
    patience: Annotated[int, typer.Option(help="Validations without a gain before it stops.", min=1)] = 10
    precision: Annotated[str, typer.Option(help="'auto', 'float32' or 'bfloat16'.")] = "auto"
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 2025


@grouped
def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the new model.")],
    places: SourceOptions,
    begin: ModelOptions,
    numbers: RecipeOptions,
    source: Annotated[
        str | None, typer.Argument(help="A data set's folder, a manifest, or 'phantom' for synthetic films.")
    ] = None,
    device: Annotated[str, typer.Option(help="'cpu' or 'cuda'.")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model on films: to write each film's report, to name its findings, to look where they are.

    Patients are split, never their films; uncertain labels count as unknown. The model notes, as keyed hashes, whom it
    learnt from, and 'ngr evaluate' refuses to test on them. A run that was stopped is continued by the
    same command. Films are prepared in a temporary folder, which is removed; the model holds no report and no path.

    Films with marks (boxes, masks, phrases with boxes) are looked at where these are; what is not marked is unknown.

    Example: ngr train cohort.csv -o model/ --steps 5000 --device cuda

    Example: ngr train --source marked.csv --weight 3 --source phantom --weight 1 -o model/ --first-steps 500
    """
    try:
        from transformers.utils import logging as transformers_logging

        from neuralgraph.compressor.training.recipe import Recipe
        from neuralgraph.compressor.training.train import Runtime, TrainingStopped
        from neuralgraph.compressor.training.train import train as run
    except ImportError as error:
        raise missing_extra("training", extra="vlm", library=error.name or "torch") from error
    # What transformers tells its developers is nothing a user can act on.
    transformers_logging.set_verbosity_error()
    sources = [*([] if source is None else [source]), *(begin.also or ())]
    weights = begin.weight or ()
    if not sources:
        raise typer.BadParameter("name at least one source", param_hint="SOURCE")
    if begin.log_to is not None and begin.log_to.suffix != ".csv":
        raise typer.BadParameter("must end in .csv", param_hint="--log-to")
    if weights and len(weights) != len(sources):
        raise typer.BadParameter(f"{len(weights)} weights for {len(sources)} sources", param_hint="--weight")
    shares = tuple((_source_name(number), each) for number, each in enumerate(weights))
    try:
        recipe = Recipe(**asdict(numbers), source_weights=shares)
    except ModelError as error:
        raise typer.BadParameter(f"{error.where}: {error.message}") from error
    showing = meter("train", unit="films and steps", last=True)
    with tempfile.TemporaryDirectory(prefix="ngr-train-") as scratch, showing as show, asked_to_stop() as stop:
        read = _reader(sources, places, begin)
        begun, failures, examples = _prepare(read, begin, out, recipe, Path(scratch), show)
        if failures:
            counted = ", ".join(f"{code} {count:,}" for code, count in failures.items())
            note(f"{sum(failures.values()):,} films or studies cannot be learnt from: {counted}")
        _announce(examples, recipe)
        try:
            runtime = Runtime(
                device=device, progress=_following(show), expected=_expected, stop=stop, log_to=begin.log_to
            )
            trained = run(begun, examples, out, recipe, runtime, half=begin.half)
        except TrainingStopped as stopped:
            note(f"{stopped}; the same command goes on")
            raise typer.Exit(130) from None
        if any(one != PHANTOM for one in sources):
            _note_patients(out, begin, examples)
    _tell(trained, examples, failures, json=json)


def _source_name(number: int) -> str:
    """What examples of a source are called: its place, since a path is nobody's business."""
    return f"source {number + 1}"


def _announce(examples: Any, recipe: Recipe) -> None:
    learn, check = examples
    parts = f"{recipe.first_steps:,} first lessons and " if recipe.first_steps else ""
    note(
        f"{len(learn):,} films to learn from, {len(learn.annotated):,} with marks, {len(check):,} to validate with; "
        f"{parts}{recipe.steps:,} updates"
    )


def _expected(seconds: float) -> None:
    if os.environ.get("RANK", "0") == "0":
        note(f"about {duration(seconds)} for what is to be learnt, validations not counted")


def _reader(sources: list[str], places: SourceOptions, begin: ModelOptions) -> Callable[[Preprocessor], Any]:
    """Gives the tasks of all sources, each under its name, for a preprocessor."""
    from neuralgraph.compressor.training.manifest_films import manifest_tasks
    from neuralgraph.compressor.training.phantom_films import phantom_tasks
    from neuralgraph.compressor.training.sources import prepare_task

    rows = {number: _rows(Path(one), places, begin) for number, one in enumerate(sources) if one != PHANTOM}

    def read(preprocessor: Preprocessor) -> Any:
        tasks: list[Any] = []
        for number in range(len(sources)):
            name = _source_name(number)
            if number in rows:
                tasks += manifest_tasks(rows[number], preprocessor, source=name)
            else:
                tasks += phantom_tasks(begin.patients, preprocessor, side=min(512, preprocessor.max_side), source=name)
        return tasks, prepare_task

    return read


def _rows(source: Path, places: SourceOptions, begin: ModelOptions) -> Any:
    from neuralgraph.sources.layouts.marked_rows import with_marks
    from neuralgraph.sources.layouts.marks import coco_marks

    def with_report(chosen: Selection) -> Selection:
        return replace(chosen, generate_reports=False)

    rows = list(resolved(source, places, with_report, verbose=True).rows)
    if not rows:
        raise SourceError("the source holds no study with film and report", code="E_SOURCE_EMPTY", where=str(source))
    for path in begin.marks or ():
        rows, count = with_marks(rows, coco_marks(path))
        note(f"{path.name}: marks of {count:,} films")
    return rows


def _prepare(
    read: Callable[[Preprocessor], Any],
    begin: ModelOptions,
    out: Path,
    recipe: Recipe,
    folder: Path,
    show: Meter,
) -> tuple[Start, dict[str, int], Any]:
    """What training begins with, what could not be read, and the examples of both parts."""
    from neuralgraph.compressor.model.preprocess import Preprocessor
    from neuralgraph.compressor.model.tokenizer import ReportTokenizer
    from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY
    from neuralgraph.compressor.training.build_demo import DEMO_CONFIG, DEMO_PREPROCESSOR
    from neuralgraph.compressor.training.examples import ExampleSet, split_by_patient, write_examples
    from neuralgraph.compressor.training.train import changed_config, fresh_start, start_from

    if out.exists() and not out.is_dir():
        raise OutputError("a file is in the way of the model's folder", code="E_OUTPUT", where=str(out))
    directory = DEMO_DIRECTORY if begin.start in (DEMO, _FRESH) else Path(begin.start)
    preprocessor = DEMO_PREPROCESSOR if begin.start == _FRESH else Preprocessor.read(directory)
    tasks, prepare = read(preprocessor)
    failures = write_examples(
        folder,
        tasks,
        prepare,
        workers=min(len(tasks), begin.workers or processors()),
        progress=lambda done, total: show.at(done, total, "preparing films"),
    )
    everything = ExampleSet(folder)
    examples = split_by_patient(everything, share=recipe.validation_share, seed=recipe.seed)
    name, labels = out.resolve().name, everything.label_names
    # The name "demo" says what the bundled model learnt from.
    name = name if name != DEMO else f"{name}-own"
    if begin.start == _FRESH:
        config = changed_config(DEMO_CONFIG, name=name, **({"labels": list(labels)} if labels else {}))
        tokenizer = ReportTokenizer.read(DEMO_DIRECTORY)
        return fresh_start(config, tokenizer, preprocessor, seed=recipe.seed), failures, examples
    return start_from(directory, name=name, labels=labels, seed=recipe.seed), failures, examples


def _note_patients(out: Path, begin: ModelOptions, examples: Any) -> None:
    """Keep, as keyed hashes, which patients the model and those before it learnt from: nobody must test on them."""
    from neuralgraph.bulk.learnt import hashed_patients
    from neuralgraph.compressor.model.learnt_from import read_learnt_from, write_learnt_from

    # Validation decides when training stops: these films are learnt from too.
    patients = frozenset[str]().union(*(part.patients for part in examples))
    write_learnt_from(out, [*read_learnt_from(Path(begin.start)), hashed_patients(patients, _patients_key(out, begin))])


def _patients_key(out: Path, begin: ModelOptions) -> Pseudonyms:
    """The key that was given; else the one in the folder of the model, taken over from the model it began with."""
    from neuralgraph.bulk.pseudonyms import Pseudonyms, destination_key, read_key
    from neuralgraph.compressor.model.learnt_from import PATIENTS_KEY_NAME
    from neuralgraph.storage.atomic import atomic_file, owner_only

    if begin.key_file is not None:
        return Pseudonyms(read_key(begin.key_file))
    own, earlier = out / PATIENTS_KEY_NAME, Path(begin.start) / PATIENTS_KEY_NAME
    if not own.exists() and earlier.is_file():
        with atomic_file(own) as stream:
            owner_only(stream)
            stream.write(earlier.read_bytes())
    return Pseudonyms(destination_key(own))


def _tell(trained: Trained, examples: Any, failures: dict[str, int], *, json: bool) -> None:
    from neuralgraph.compressor.training.verdict import verdict_lines

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
    for line in verdict_lines(trained.verdict):
        write_line(f"  {line}")


def _following(show: Meter) -> Progress:
    """Shows steps, and what is known of the losses."""

    def advance(done: int, total: int, losses: dict[str, float]) -> None:
        names = {name: name.removeprefix("eval_").replace("_", " ") for name in losses}
        show.at(done, total, " ".join(f"{names[name]} {value:.3f}" for name, value in losses.items()))

    return advance
