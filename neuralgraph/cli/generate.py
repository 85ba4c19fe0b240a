"""``ngr generate``: a report from the patches a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.model_notice import tell_model
from neuralgraph.cli.output import write_json, write_line
from neuralgraph.storage.opening import open_archive

__all__ = ["generate"]


def generate(
    file: Annotated[Path, typer.Argument(help="An .ngr file, an archive or a folder.")],
    model: Annotated[str, typer.Option(help="'demo', or the folder or hub id of the model that made it.")] = "demo",
    study: Annotated[str | None, typer.Option(help="Id of the study, where FILE holds several.")] = None,
    beams: Annotated[int, typer.Option(min=1, max=64, help="Width of the beam search; 1 is greedy.")] = 4,
    any_model: Annotated[bool, typer.Option("--any-model", help="Read embeddings of another model too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write the report of a study from its stored patches alone.

    Example: ngr generate film.ngr
    """
    with open_archive(file) as archive:
        if study is None and len(archive) > 1:
            raise typer.BadParameter(f"the file holds {len(archive)} studies, name one", param_hint="--study")
        found = archive[0] if study is None else archive[study]
    from neuralgraph.compressor.scorer import require_model_libraries

    require_model_libraries()
    from neuralgraph.compressor.generation import ReportWriter

    writer = ReportWriter.from_pretrained(model)
    report = writer(found, beams=beams, any_model=any_model)
    if json:
        write_json(
            {
                "study": found.study_id,
                "report": report,
                "patches": len(found.patches),
                "cells": found.n_cells,
                "model": writer.digest,
                "model_trained": writer.trained,
            }
        )
    else:
        for line in report.splitlines():
            write_line(line)
    tell_model(writer.name, trained=writer.trained)
