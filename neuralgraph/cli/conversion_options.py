"""The options of ``ngr convert``, in groups; what words they take is in ``conversion_choices``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from neuralgraph.cli.conversion_choices import (
    BurnedInPolicy,
    CohortName,
    Engine,
    Films,
    LayoutName,
    Profile,
    Visit,
    WithoutReport,
)
from neuralgraph.cli.study_options import MakingOptions

__all__ = ["ChoiceOptions", "DryRunOptions", "RunOptions", "SourceOptions", "StudyOptions"]


@dataclass(frozen=True)
class SourceOptions:
    """Where the parts of the source lie."""

    PANEL: ClassVar[str] = "Source"

    layout: Annotated[LayoutName, typer.Option(help="How the source is laid out.")] = LayoutName.auto
    reports: Annotated[Path | None, typer.Option(help="Where reports lie, when not there.")] = None
    tables: Annotated[Path | None, typer.Option(help="Where labels, splits and metadata lie, when not there.")] = None


@dataclass(frozen=True)
class ChoiceOptions:
    """What of the source is taken."""

    PANEL: ClassVar[str] = "What is taken"

    view: Annotated[str | None, typer.Option(help="Views to take, best first: 'pa,ap', 'pa', 'any' ...")] = None
    films: Annotated[Films | None, typer.Option(help="The best film of a study, or all of them.")] = None
    without_report: Annotated[
        WithoutReport | None,
        typer.Option(help="Studies without a report: score patches by a text of the model's own, or drop."),
    ] = None
    split: Annotated[list[str] | None, typer.Option(help="Only this split of the data set; repeatable.")] = None
    one_per_patient: Annotated[Visit | None, typer.Option(help="One study per patient.")] = None
    cohort: Annotated[CohortName | None, typer.Option(help="A cohort of the paper.")] = None
    prevalence: Annotated[
        float | None, typer.Option(help="With --cohort: share of positive studies.", min=0.01, max=0.99)
    ] = None
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0


@dataclass(frozen=True)
class StudyOptions(MakingOptions):
    """How studies are made, and what of their source may be in them."""

    key_file: Annotated[Path | None, typer.Option(help="Key of the pseudonyms [default: a random key in DEST].")] = None
    keep_ids: Annotated[bool, typer.Option("--keep-ids", help="The source's study ids are pseudonyms: keep them.")] = (
        False
    )
    burned_in: Annotated[
        BurnedInPolicy,
        typer.Option(
            help="Text burned into pixels: refuse films that declare it, be strict and refuse those that do not deny "
            "it too, or, being PNG or JPEG, seem to have it; or accept all."
        ),
    ] = BurnedInPolicy.refuse
    device: Annotated[str, typer.Option(help="Where the model runs.")] = "cpu"
    memory_limit: Annotated[int, typer.Option(metavar="MIB", help="Memory that reading a film may take.", min=0)] = 2048


@dataclass(frozen=True)
class RunOptions:
    """How the run goes about it."""

    PANEL: ClassVar[str] = "The run"

    workers: Annotated[
        int, typer.Option(help="Worker processes [default: one per processor].", min=0, show_default=False)
    ] = 0
    engine: Annotated[Engine, typer.Option(help="Processes on this machine, or a Ray cluster.")] = Engine.local
    ray_address: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="With --engine ray: a running cluster, 'auto' or host:port [default: one on this machine].",
        ),
    ] = ""
    shard: Annotated[str, typer.Option(metavar="I/N", help="Only part I of N, for array jobs.")] = "1/1"
    into: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Add what is converted to this collection, in one commit; DEST may be left out."
        ),
    ] = None
    pack: Annotated[int, typer.Option(metavar="N", help="Archives of N studies instead of files.", min=0)] = 0
    profile: Annotated[Profile, typer.Option(help="With --pack: what archives are for; see ngr pack.")] = (
        Profile.compact
    )
    failures: Annotated[Path | None, typer.Option(help="The list of failures [default: DEST/failures.jsonl].")] = None
    max_errors: Annotated[int | None, typer.Option(help="Give up when more studies than this fail.", min=0)] = None
    time_limit: Annotated[float, typer.Option(help="Seconds one study may take.", min=1.0)] = 300.0
    metrics: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep numbers of the run here, in Prometheus' text format (FILE.prom)."),
    ] = None


@dataclass(frozen=True)
class DryRunOptions:
    """What is shown, and whether anything is converted."""

    PANEL: ClassVar[str] = "The run"

    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count, estimate, and write the manifest; convert nothing.")
    ] = False
    sample: Annotated[
        int,
        typer.Option(metavar="N", help="With --dry-run: estimate time and bytes from N studies; 0 does not.", min=0),
    ] = 10
    manifest: Annotated[
        Path | None,
        typer.Option(help="Write the resolved manifest here [with --dry-run: DEST.manifest.jsonl]."),
    ] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what workers write; may quote headers.")] = False
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
