"""From what was typed to the manifest of a source: for ``ngr convert`` and ``ngr train``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from neuralgraph.cli.conversion_choices import Films, WithoutReport
from neuralgraph.cli.conversion_options import ChoiceOptions, SourceOptions
from neuralgraph.cli.progress import meter
from neuralgraph.errors import NeuralGraphError

if TYPE_CHECKING:
    from neuralgraph.sources.layouts import Manifest, Selection

__all__ = ["chosen", "resolved"]


def resolved(
    source: Path,
    places: SourceOptions,
    changed: Callable[[Selection], Selection],
    *,
    report_graphs: bool = False,
    verbose: bool = False,
) -> Manifest:
    """The manifest of a source.

    Parameters
    ----------
    source, places : what was typed.
    changed : gives the selection that is wanted from the layout's own.
    report_graphs : also read the report graphs that come with the data set.
    verbose : let errors say where inside the source something is wrong.

    Raises
    ------
    SourceError, MissingExtraError : the source cannot be read.
    """
    from neuralgraph.sources.layouts import Roots, default_selection, detect_layout, resolve_manifest

    try:
        name = detect_layout(source) if places.layout.value == "auto" else places.layout.value
        selection = changed(default_selection(name))
        with meter("reading the source", unit="files and rows") as show:
            roots = Roots(source, places.reports, places.tables, report_graphs, told=show)
            return resolve_manifest(roots, name, selection)
    except NeuralGraphError as error:
        # The path was typed by the reader of this line. What lies inside is named after patients, days and numbers.
        inside = error.where and error.where not in (str(source), source.name)
        error.where = f"{source}: {error.where if verbose else '--verbose says where'}" if inside else str(source)
        raise


def chosen(selection: Selection, options: ChoiceOptions) -> Selection:
    """The selection as the options change it.

    Raises
    ------
    typer.BadParameter : options that do not go together, or name no view.
    """
    from neuralgraph.sources.layouts import COHORTS, FRONTAL

    changes: dict[str, Any] = {"seed": options.seed}
    if options.cohort is not None:
        changes.update({"views": FRONTAL, "one_film": True, **COHORTS[options.cohort.value]})
    if options.prevalence is not None:
        if options.cohort is None:
            raise typer.BadParameter("needs --cohort", param_hint="--prevalence")
        changes["prevalence"] = options.prevalence
    if options.view is not None:
        changes["views"] = _views(options.view)
    if options.films is not None:
        changes["one_film"] = options.films is Films.one
    if options.without_report is not None:
        changes["generate_reports"] = options.without_report is WithoutReport.generate
    if options.split:
        changes["splits"] = tuple(options.split)
    if options.one_per_patient is not None:
        changes["one_per_patient"] = options.one_per_patient.value
    return replace(selection, **changes)


def _views(text: str) -> tuple[str, ...] | None:
    """The views of ``--view``; None takes any."""
    from neuralgraph.sources.layouts.manifest import VIEWS

    views = tuple(word.strip().upper() for word in text.split(","))
    if views != ("ANY",) and not set(views) <= set(VIEWS):
        raise typer.BadParameter(f"use 'any', or some of {', '.join(VIEWS)}", param_hint="--view")
    return None if views == ("ANY",) else views
