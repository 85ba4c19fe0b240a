"""``ngr train``: a model for one's own films, continued where the last run ended."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from neuralgraph.cli.conversion_options import SourceOptions
from neuralgraph.cli.conversion_source import resolved
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.processors import processors
from neuralgraph.cli.progress import meter
from neuralgraph.errors import ModelError, OutputError, SourceError, missing_extra

if TYPE_CHECKING:
    from neuralgraph.bulk.pseudonyms import Pseudonyms
    from neuralgraph.compressor.model.preprocess import Preprocessor
    from neuralgraph.compressor.training.recipe import Recipe
    from neuralgraph.compressor.training.train import Start, Trained
    from neuralgraph.sources.layouts import Selection

__all__ = ["train"]

PHANTOM = "phantom"
"""The source that needs no data."""
_FRESH = "fresh"

Progress = Callable[[int, int, dict[str, float]], None]


@dataclass(frozen=True)
class ModelOptions:
    """Data, and the model that training begins with."""

    PANEL: ClassVar[str] = "Data and model"

    start: Annotated[
        str, typer.Option(help="What to begin with: 'demo', the folder of a model, or 'fresh' for random weights.")
    ] = "demo"
    patients: Annotated[int, typer.Option(help="With 'phantom': how many patients.", min=2)] = 500
    workers: Annotated[
        int, typer.Option(help="Processes that read films [default: one per processor].", show_default=False)
    ] = 0
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
    first_steps: Annotated[int, typer.Option(help="With 'phantom': updates of the encoder alone before.", min=0)] = 0
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
    source: Annotated[str, typer.Argument(help="A data set's folder, a manifest, or 'phantom' for synthetic films.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the new model.")],
    places: SourceOptions,
    begin: ModelOptions,
    numbers: RecipeOptions,
    device: Annotated[str, typer.Option(help="'cpu' or 'cuda'.")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model on SOURCE: to write each film's report and to name its findings.

    Patients are split, never their films; uncertain labels count as unknown. The model notes, as keyed hashes, whom it
    learnt from, and 'ngr evaluate' refuses to test on them. A run that was stopped is continued by the
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
    try:
        recipe = Recipe(**asdict(numbers))
    except ModelError as error:
        raise typer.BadParameter(f"{error.where}: {error.message}") from error
    if numbers.first_steps and source != PHANTOM:
        raise typer.BadParameter("only phantoms have the masks it needs", param_hint="--first-steps")
    with tempfile.TemporaryDirectory(prefix="ngr-train-") as scratch, _telling() as progress:
        read = _phantoms(begin.patients) if source == PHANTOM else _manifest(Path(source), places)
        begun, failures, examples = _prepare(read, begin, out, recipe, Path(scratch), progress)
        if failures:
            counted = ", ".join(f"{code} {count:,}" for code, count in failures.items())
            note(f"{sum(failures.values()):,} films or studies cannot be learnt from: {counted}")
        trained = run(begun, examples, out, recipe, device=device, half=begin.half, progress=progress)
        if source != PHANTOM:
            _note_patients(out, begin, examples)
    _tell(trained, examples, failures, json=json)


def _manifest(source: Path, places: SourceOptions) -> Callable[[Preprocessor], Any]:
    from neuralgraph.compressor.training.manifest_films import manifest_tasks, prepare_row

    def with_report(chosen: Selection) -> Selection:
        return replace(chosen, generate_reports=False)

    rows = resolved(source, places, with_report, verbose=True).rows
    if not rows:
        raise SourceError("the source holds no study with film and report", code="E_SOURCE_EMPTY", where=str(source))
    return lambda preprocessor: (manifest_tasks(rows, preprocessor), prepare_row)


def _phantoms(patients: int) -> Callable[[Preprocessor], Any]:
    from neuralgraph.compressor.training.phantom_films import phantom_tasks, prepare_phantom

    return lambda preprocessor: (
        phantom_tasks(patients, preprocessor, side=min(512, preprocessor.max_side)),
        prepare_phantom,
    )


def _prepare(
    read: Callable[[Preprocessor], Any],
    begin: ModelOptions,
    out: Path,
    recipe: Recipe,
    folder: Path,
    progress: Progress,
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
        progress=lambda done, total: progress(done, total, {}),
    )
    everything = ExampleSet(folder)
    examples = split_by_patient(everything, share=recipe.validation_share, seed=recipe.seed)
    name, labels = out.resolve().name, everything.label_names
    # The name "demo" says that a model learnt from synthetic films only.
    name = name if name != DEMO else f"{name}-own"
    if begin.start == _FRESH:
        config = changed_config(DEMO_CONFIG, name=name, **({"labels": list(labels)} if labels else {}))
        tokenizer = ReportTokenizer.read(DEMO_DIRECTORY)
        return fresh_start(config, tokenizer, preprocessor, seed=recipe.seed), failures, examples
    return start_from(directory, name=name, labels=labels), failures, examples


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
    from neuralgraph.storage.atomic import atomic_file
    from neuralgraph.storage.private import owner_only

    if begin.key_file is not None:
        return Pseudonyms(read_key(begin.key_file))
    own, earlier = out / PATIENTS_KEY_NAME, Path(begin.start) / PATIENTS_KEY_NAME
    if not own.exists() and earlier.is_file():
        with atomic_file(own) as stream:
            owner_only(stream)
            stream.write(earlier.read_bytes())
    return Pseudonyms(destination_key(own))


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
def _telling() -> Iterator[Progress]:
    """Shows films while they are prepared, and then steps."""
    with meter("train", unit="films and steps") as show:

        def advance(done: int, total: int, losses: dict[str, float]) -> None:
            known = " ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in losses.items())
            show.at(done, total, known or "preparing films")

        yield advance
