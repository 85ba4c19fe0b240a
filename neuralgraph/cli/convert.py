"""``ngr convert``: a whole data set, continued where the last run ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.compress import EmbeddingForm, _policy
from neuralgraph.cli.conversion_choices import (
    BurnedInPolicy,
    CohortName,
    Engine,
    Films,
    LayoutName,
    Sections,
    Visit,
    WithoutReport,
)
from neuralgraph.cli.conversion_report import progress_bar, tell_outcome, tell_plan
from neuralgraph.cli.model_notice import tell_model
from neuralgraph.cli.output import note
from neuralgraph.errors import NeuralGraphError, OutputError

if TYPE_CHECKING:
    from neuralgraph.bulk.run import Outcome
    from neuralgraph.sources.layouts import Manifest, Selection

__all__ = ["convert"]


_SOURCE, _CHOICE, _STUDY, _RUN = "Source", "What is taken", "How studies are made", "The run"


def convert(
    source: Annotated[Path, typer.Argument(help="A data set's folder, or a manifest (.csv, .jsonl, .parquet).")],
    dest: Annotated[Path, typer.Argument(help="The folder to fill; made when absent. A second run continues.")],
    layout: Annotated[
        LayoutName, typer.Option(help="How the source is laid out.", rich_help_panel=_SOURCE)
    ] = LayoutName.auto,
    reports: Annotated[
        Path | None, typer.Option(help="Where reports lie, when not there.", rich_help_panel=_SOURCE)
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option(help="Where labels, splits and metadata lie, when not there.", rich_help_panel=_SOURCE),
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(help="Views to take, best first: 'pa,ap', 'pa', 'any' ...", rich_help_panel=_CHOICE),
    ] = None,
    films: Annotated[
        Films | None, typer.Option(help="The best film of a study, or all of them.", rich_help_panel=_CHOICE)
    ] = None,
    without_report: Annotated[
        WithoutReport | None,
        typer.Option(help="Studies without a report: have the model write one, or drop.", rich_help_panel=_CHOICE),
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="Only this split of the data set; repeatable.", rich_help_panel=_CHOICE)
    ] = None,
    one_per_patient: Annotated[
        Visit | None, typer.Option(help="One study per patient.", rich_help_panel=_CHOICE)
    ] = None,
    cohort: Annotated[CohortName | None, typer.Option(help="A cohort of the paper.", rich_help_panel=_CHOICE)] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(help="With --cohort: share of positive studies.", rich_help_panel=_CHOICE, min=0.01, max=0.99),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.", rich_help_panel=_CHOICE)] = 0,
    model: Annotated[str, typer.Option(help="'demo', or the folder of a model.", rich_help_panel=_STUDY)] = "demo",
    retain: Annotated[
        float | None, typer.Option(help="Share of the patches to keep [default: 0.023].", rich_help_panel=_STUDY)
    ] = None,
    top_k: Annotated[int | None, typer.Option(help="Number of patches to keep.", rich_help_panel=_STUDY)] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Keep patches that score above this.", rich_help_panel=_STUDY)
    ] = None,
    mass: Annotated[
        float | None,
        typer.Option(help="Keep the fewest patches that hold this share of attention.", rich_help_panel=_STUDY),
    ] = None,
    embedding: EmbeddingForm = "bfloat16",
    extractor: Annotated[
        str,
        typer.Option(
            help="How the report is read: 'rules', 'radgraph' (the package), 'none', or 'radgraph-json': the graphs "
            "that come with the source.",
            rich_help_panel=_STUDY,
        ),
    ] = "rules",
    sections: Annotated[
        Sections, typer.Option(help="Which part of the report counts.", rich_help_panel=_STUDY)
    ] = Sections.impression,
    pixels: Annotated[
        bool, typer.Option("--pixels", help="Store the kept patches as images too.", rich_help_panel=_STUDY)
    ] = False,
    store_report: Annotated[
        bool, typer.Option("--store-report", help="Store that part of the report.", rich_help_panel=_STUDY)
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option(help="Key of the pseudonyms [default: a random key in DEST].", rich_help_panel=_STUDY),
    ] = None,
    keep_ids: Annotated[
        bool,
        typer.Option("--keep-ids", help="The source's study ids are pseudonyms: keep them.", rich_help_panel=_STUDY),
    ] = False,
    burned_in: Annotated[
        BurnedInPolicy,
        typer.Option(
            help="Text burned into pixels: refuse films that declare it, be strict and refuse those that do not deny "
            "it too, or accept all.",
            rich_help_panel=_STUDY,
        ),
    ] = BurnedInPolicy.refuse,
    device: Annotated[str, typer.Option(help="Where the model runs.", rich_help_panel=_STUDY)] = "cpu",
    workers: Annotated[
        int,
        typer.Option(
            help="Worker processes [default: one per processor].", min=0, show_default=False, rich_help_panel=_RUN
        ),
    ] = 0,
    engine: Annotated[
        Engine, typer.Option(help="Processes on this machine, or a Ray cluster.", rich_help_panel=_RUN)
    ] = Engine.local,
    ray_address: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="With --engine ray: a running cluster, 'auto' or host:port [default: one on this machine].",
            rich_help_panel=_RUN,
        ),
    ] = "",
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Only part I of N, for array jobs.", rich_help_panel=_RUN)
    ] = "1/1",
    pack: Annotated[
        int, typer.Option(metavar="N", help="Archives of N studies instead of files.", min=0, rich_help_panel=_RUN)
    ] = 0,
    profile: Annotated[
        str,
        typer.Option(help="With --pack: compact or train; see ngr pack.", rich_help_panel=_RUN),
    ] = "compact",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count, and write the manifest; convert nothing.", rich_help_panel=_RUN)
    ] = False,
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="Write the resolved manifest here [with --dry-run: DEST.manifest.jsonl].", rich_help_panel=_RUN
        ),
    ] = None,
    failures: Annotated[
        Path | None, typer.Option(help="The list of failures [default: DEST/failures.jsonl].", rich_help_panel=_RUN)
    ] = None,
    max_errors: Annotated[
        int | None, typer.Option(help="Give up when more studies than this fail.", min=0, rich_help_panel=_RUN)
    ] = None,
    time_limit: Annotated[
        float, typer.Option(help="Seconds one study may take.", min=1.0, rich_help_panel=_RUN)
    ] = 300.0,
    memory_limit: Annotated[
        int, typer.Option(metavar="MIB", help="Memory that reading a film may take.", min=0, rich_help_panel=_RUN)
    ] = 2048,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show what workers write; may quote headers.", rich_help_panel=_RUN)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=_RUN)] = False,
) -> None:
    """Convert SOURCE, study by study, into the folder DEST.

    Studies get pseudonyms; nothing in DEST names the source. A run that was stopped, or killed, is continued by the
    same command: what is there is verified, what is missing is converted. Originals are only read.

    Example: ngr convert mimic-cxr-jpg/ studies/ --reports mimic-cxr/ --key-file site.key --workers 8
    """
    from neuralgraph.bulk.given_graph import GIVEN
    from neuralgraph.bulk.settings import ConversionSettings, policy_of

    policy = _policy(retain=retain, top_k=top_k, threshold=threshold, mass=mass).record
    settings = ConversionSettings(
        model=model,
        policy=policy["policy"],
        amount=policy["value"],
        extractor=extractor,
        sections=sections.value,
        embedding=embedding,
        store_report=store_report,
        store_pixels=pixels,
        device=device,
        burned_in=burned_in.value,
        memory_mib=memory_limit,
    )
    policy_of(settings)
    part = _shard(shard)
    resolved = _resolve(
        source,
        reports,
        tables,
        layout.value,
        extractor == GIVEN,
        verbose,
        lambda selection: _selection(
            selection,
            view=view,
            films=films,
            without_report=without_report,
            split=split,
            one_per_patient=one_per_patient,
            cohort=cohort,
            prevalence=prevalence,
            seed=seed,
        ),
    )
    if dry_run:
        target = manifest or dest.with_name(f"{dest.name}.manifest.jsonl")
        resolved.write(target)
        tell_plan(resolved, target, json=json)
        return
    outcome = _run(
        resolved,
        dest,
        settings,
        key_file=key_file,
        keep_ids=keep_ids,
        part=part,
        manifest=manifest,
        options={
            "workers": workers or len(os.sched_getaffinity(0)),
            "pack": pack,
            "profile": profile,
            "max_errors": max_errors,
            "time_limit": time_limit,
            "failures": failures,
            "verbose": verbose,
            "engine": engine.value,
            "ray_address": ray_address,
        },
    )
    tell_outcome(outcome, dest, failures, json=json)
    if outcome.converted:
        _tell_model(model)
    if not outcome.complete:
        raise typer.Exit(1)


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


def _selection(
    selection: Selection,
    *,
    view: str | None,
    films: Films | None,
    without_report: WithoutReport | None,
    split: list[str] | None,
    one_per_patient: Visit | None,
    cohort: CohortName | None,
    prevalence: float | None,
    seed: int,
) -> Selection:
    from neuralgraph.sources.layouts import COHORTS, FRONTAL
    from neuralgraph.sources.layouts.manifest import VIEWS

    changes: dict[str, Any] = {"seed": seed}
    if cohort is not None:
        changes.update({"views": FRONTAL, "one_film": True, **COHORTS[cohort.value]})
    if prevalence is not None:
        if cohort is None:
            raise typer.BadParameter("needs --cohort", param_hint="--prevalence")
        changes["prevalence"] = prevalence
    if view is not None:
        views = tuple(word.strip().upper() for word in view.split(","))
        if views != ("ANY",) and not set(views) <= set(VIEWS):
            raise typer.BadParameter(f"use 'any', or some of {', '.join(VIEWS)}", param_hint="--view")
        changes["views"] = None if views == ("ANY",) else views
    if films is not None:
        changes["one_film"] = films is Films.one
    if without_report is not None:
        changes["generate_reports"] = without_report is WithoutReport.generate
    if split:
        changes["splits"] = tuple(split)
    if one_per_patient is not None:
        changes["one_per_patient"] = one_per_patient.value
    return replace(selection, **changes)


def _resolve(
    source: Path,
    reports: Path | None,
    tables: Path | None,
    layout: str,
    report_graphs: bool,
    verbose: bool,
    changed: Callable[[Selection], Selection],
) -> Manifest:
    from neuralgraph.sources.layouts import Roots, default_selection, detect_layout, resolve_manifest

    try:
        name = detect_layout(source) if layout == "auto" else layout
        selection = changed(default_selection(name))
        return resolve_manifest(Roots(source, reports, tables, report_graphs), name, selection)
    except NeuralGraphError as error:
        # Folders and tables of an archive are named after patients, days and numbers.
        where = f"{source}: {error.where}" if error.where else str(source)
        error.where = where if verbose else "SOURCE; --verbose says where"
        raise


def _run(
    resolved: Manifest,
    dest: Path,
    settings: Any,
    *,
    key_file: Path | None,
    keep_ids: bool,
    part: tuple[int, int],
    manifest: Path | None,
    options: dict[str, Any],
) -> Outcome:
    from neuralgraph.bulk.destination import Destination
    from neuralgraph.bulk.plan import make_plan, study_ids
    from neuralgraph.bulk.pseudonyms import Pseudonyms, destination_key, read_key
    from neuralgraph.bulk.run import RunOptions
    from neuralgraph.bulk.run import convert as convert_plan

    destination = Destination(dest, part)
    try:
        key = read_key(key_file) if key_file is not None else destination_key(destination.key_path)
    except NeuralGraphError as error:
        error.where = error.where or str(key_file or dest)
        raise
    pseudonyms = Pseudonyms(key)
    destination.agree({"key": pseudonyms.fingerprint, "keep_ids": keep_ids})
    plan = make_plan(resolved, pseudonyms, shard=part, keep_ids=keep_ids)
    if manifest is not None:
        resolved.write(manifest, study_ids(resolved, pseudonyms, keep_ids=keep_ids))
    if not plan.studies and not plan.faults:
        raise OutputError("nothing of the source is left to convert; see --dry-run", code="E_OUTPUT", where=str(dest))
    with _stop_on_signals() as stop, progress_bar(len(plan.studies) + len(plan.faults)) as progress:
        return convert_plan(plan, destination, settings, RunOptions(**options), progress=progress, stop=stop)


@contextmanager
def _stop_on_signals() -> Iterator[Callable[[], bool]]:
    """The first SIGINT or SIGTERM asks for an end after the studies in hand; a second SIGINT ends at once."""
    asked = False

    def ask(number: int, _: Any) -> None:
        nonlocal asked
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not asked and sys.stderr.isatty():
            note("finishing the studies in hand; run the same command again to continue")
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
