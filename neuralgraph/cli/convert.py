"""``ngr convert``: a whole data set, continued where the last run ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.conversion_choices import Extractor, Profile
from neuralgraph.cli.conversion_options import ChoiceOptions, DryRunOptions, RunOptions, SourceOptions, StudyOptions
from neuralgraph.cli.conversion_report import tell_outcome, tell_plan
from neuralgraph.cli.conversion_source import chosen, resolved
from neuralgraph.cli.model_notice import tell_model
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.output import note
from neuralgraph.cli.processors import processors
from neuralgraph.cli.progress import meter
from neuralgraph.cli.pruning_options import PruningOptions, policy_of_options
from neuralgraph.cli.stop_signals import asked_to_stop
from neuralgraph.errors import NeuralGraphError, OutputError

if TYPE_CHECKING:
    from neuralgraph.bulk import run as bulk_run
    from neuralgraph.bulk.destination import Destination
    from neuralgraph.bulk.estimate import Estimate
    from neuralgraph.bulk.learnt import Learnt
    from neuralgraph.bulk.plan import Plan
    from neuralgraph.bulk.pseudonyms import Pseudonyms
    from neuralgraph.bulk.run import Outcome
    from neuralgraph.bulk.settings import ConversionSettings
    from neuralgraph.sources.layouts import Manifest

__all__ = ["convert"]


@grouped
def convert(
    source: Annotated[Path, typer.Argument(help="A data set's folder, or a manifest (.csv, .jsonl, .parquet).")],
    dest: Annotated[
        Path | None,
        typer.Argument(
            help="The folder to fill; made when absent. A second run continues. With --into it is a folder to work in.",
            show_default=False,
        ),
    ] = None,
    *,
    places: SourceOptions,
    choice: ChoiceOptions,
    pruning: PruningOptions,
    study: StudyOptions,
    run: RunOptions,
    shown: DryRunOptions,
) -> None:
    """Convert SOURCE, study by study, into the folder DEST.

    Studies get pseudonyms; nothing in DEST names the source. A run that was stopped, or killed, is continued by the
    same command: what is there is verified, what is missing is converted. Originals are only read.

    Columns of a manifest: image, study_id, patient_id, view, report, report_path, findings, impression, split, order,
    labeler, radgraph, boxes, mask, marked, label.NAME. Only image must be there; docs/ingestion.md says what each is
    and how else it may be called, --dry-run how those of SOURCE are read.

    Example: ngr convert mimic-cxr-jpg/ studies/ --reports mimic-cxr/ --key-file site.key --workers 8
    """
    settings = _settings(study, pruning)
    dest = _destination(dest, run)
    part = _shard(run.shard)
    if run.profile is not Profile.compact and not run.pack:
        raise typer.BadParameter("is for archives: say with --pack how many studies one has", param_hint="--profile")
    manifest = resolved(
        source,
        places,
        lambda selection: chosen(selection, choice),
        report_graphs=study.extractor is Extractor.radgraph_json,
        verbose=shown.verbose,
    )
    if shown.dry_run:
        target = shown.manifest or dest.with_name(f"{dest.name}.manifest.jsonl")
        manifest.write(target)
        tell_plan(manifest, target, _estimated(manifest, settings, run, shown), json=shown.json)
        return
    _tell_near_misses(manifest)
    destination, plan, pseudonyms = _planned(manifest, dest, part, study, shown.manifest)
    if run.into is None:
        outcome = _run(plan, destination, settings, run, verbose=shown.verbose)
    else:
        from neuralgraph.bulk.intake import convert_into

        outcome = convert_into(
            run.into,
            destination,
            plan,
            pseudonyms,
            lambda left: _run(left, destination, settings, run, verbose=shown.verbose),
        )
    tell_outcome(outcome, destination, run.failures, json=shown.json, into=_state_of(run.into))
    if outcome.converted:
        _tell_model(study.model)
    if not outcome.complete:
        raise typer.Exit(1)


def _state_of(place: str | None) -> dict[str, Any] | None:
    """The collection that was added to, and what it holds now."""
    if place is None:
        return None
    from neuralgraph.collection import Collection

    head = Collection(place).head()
    return {"place": place, "studies": head.studies, "snapshot": head.snapshot}


def _destination(dest: Path | None, run: RunOptions) -> Path:
    """Where files are written: DEST, or the intake of the collection."""
    from neuralgraph.bulk.intake import intake_folder
    from neuralgraph.storage.manifest import is_collection

    if run.into is None:
        if dest is None:
            raise typer.BadParameter("name the folder to fill, or a collection with --into", param_hint="DEST")
        if is_collection(dest):
            raise OutputError(
                "this is a collection; add to it with: ngr convert SOURCE --into", code="E_OUTPUT", where=str(dest)
            )
        return dest
    if run.pack:
        raise typer.BadParameter("a collection makes its own archives; leave out --pack", param_hint="--pack")
    found = dest or intake_folder(run.into)
    if found is None:
        raise typer.BadParameter("for a collection behind a URL name a folder to work in", param_hint="DEST")
    return found


def _tell_near_misses(manifest: Manifest) -> None:
    """What is not read of a table though it may have been meant to be."""
    if manifest.table is not None:
        for name, near in manifest.table.meant.items():
            note(f"the column {name!r} is not read; did you mean {near!r}?")
        if manifest.table.warning:
            note(manifest.table.warning)


def _settings(study: StudyOptions, pruning: PruningOptions) -> ConversionSettings:
    from neuralgraph.bulk.settings import ConversionSettings, policy_of

    policy = policy_of_options(pruning).record
    settings = ConversionSettings(
        model=study.model,
        policy=policy["policy"],
        amount=policy["value"],
        extractor=study.extractor.value,
        sections=study.sections.value,
        embedding=study.embedding,
        store_report=study.store_report,
        store_pixels=study.pixels,
        generated_graph=study.generated_graph,
        max_side=study.max_side or 0,
        device=study.device,
        burned_in=study.burned_in.value,
        memory_mib=study.memory_limit,
    )
    policy_of(settings)
    return settings


def _tell_model(source: str) -> None:
    """Workers have loaded the model; what must be said of it stands in its folder too."""
    from neuralgraph.compressor.model.files import model_name
    from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY

    directory = DEMO_DIRECTORY if source == DEMO else Path(source)
    if directory.is_dir():
        name, trained = model_name(directory)
        tell_model(name, trained=trained)


def _shard(text: str) -> tuple[int, int]:
    first, separator, second = text.partition("/")
    if not (separator and first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
        raise typer.BadParameter(f"a shard is I/N with 1 <= I <= N, got {text!r}", param_hint="--shard")
    return int(first), int(second)


def _planned(
    manifest: Manifest, dest: Path, part: tuple[int, int], study: StudyOptions, written: Path | None
) -> tuple[Destination, Plan, Pseudonyms]:
    """The destination, what of the manifest belongs into it, and the pseudonyms."""
    from neuralgraph.bulk.destination import Destination
    from neuralgraph.bulk.plan import make_plan, study_ids
    from neuralgraph.bulk.pseudonyms import Pseudonyms, destination_key, read_key

    destination = Destination(dest, part)
    try:
        key = read_key(study.key_file) if study.key_file is not None else destination_key(destination.key_path)
    except NeuralGraphError as error:
        error.where = error.where or str(study.key_file or dest)
        raise
    pseudonyms = Pseudonyms(key)
    destination.agree({"key": pseudonyms.fingerprint, "keep_ids": study.keep_ids})
    learnt = _learnt(study.model, pseudonyms)
    plan = make_plan(manifest, pseudonyms, shard=part, keep_ids=study.keep_ids, learnt=learnt)
    if written is not None:
        manifest.write(written, study_ids(manifest, pseudonyms, keep_ids=study.keep_ids))
    if not plan.studies and not plan.faults:
        raise OutputError("nothing of the source is left to convert; see --dry-run", code="E_OUTPUT", where=str(dest))
    return destination, plan, pseudonyms


def _learnt(model: str, pseudonyms: Pseudonyms) -> Learnt:
    """Whom the model learnt from, as far as the keys at hand tell."""
    from neuralgraph.bulk.learnt import Learnt, model_key
    from neuralgraph.compressor.model.learnt_from import read_learnt_from

    directory = Path(model)
    brought = model_key(directory)
    learnt = Learnt(read_learnt_from(directory), [pseudonyms] if brought is None else [pseudonyms, brought])
    if learnt.unreadable:
        note(
            f"the model learnt from {learnt.unreadable:,} patients under a key that is not at hand: whether they are "
            "in SOURCE cannot be told; give the --key-file of its training"
        )
    return learnt


def _options(run: RunOptions, *, verbose: bool) -> bulk_run.RunOptions:
    from neuralgraph.bulk import run as bulk_run

    return bulk_run.RunOptions(
        workers=run.workers or processors(),
        pack=run.pack,
        profile=run.profile.value,
        max_errors=run.max_errors,
        time_limit=run.time_limit,
        failures=run.failures,
        verbose=verbose,
        engine=run.engine.value,
        ray_address=run.ray_address,
    )


def _estimated(
    manifest: Manifest, settings: ConversionSettings, run: RunOptions, shown: DryRunOptions
) -> Estimate | None:
    """What the conversion will take; None where nobody wants to know."""
    from neuralgraph.bulk.estimate import estimate

    if not shown.sample or not manifest.rows:
        return None
    with meter("estimate", min(shown.sample, len(manifest.rows))) as show:
        options = _options(run, verbose=shown.verbose)
        return estimate(manifest.rows, settings, options, sample=shown.sample, told=show.at)


def _run(
    plan: Plan, destination: Destination, settings: ConversionSettings, run: RunOptions, *, verbose: bool
) -> Outcome:
    from neuralgraph.bulk import run as bulk_run
    from neuralgraph.bulk.textfile import MetricsFile

    options = _options(run, verbose=verbose)
    watched = None if run.metrics is None else MetricsFile(run.metrics)
    asked = asked_to_stop("the studies in hand; the same command goes on from there")
    with asked as stop, meter("convert", len(plan.studies) + len(plan.faults)) as progress:

        def told(*, verified: int = 0, converted: int = 0, failed: int = 0) -> None:
            progress(verified + converted + failed, failed=failed)

        return bulk_run.convert(plan, destination, settings, options, progress=told, stop=stop, observe=watched)
