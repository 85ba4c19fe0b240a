"""How studies are made of films and reports: the options that one film and a whole data set have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from neuralgraph.cli.conversion_choices import MAX_SIDE_HELP, SECTIONS_HELP, Extractor, Sections
from neuralgraph.errors import StudyError
from neuralgraph.storage.lossy import embedding_forms, form_named

__all__ = ["EmbeddingForm", "MakingOptions"]


def _embedding_form(name: str) -> str:
    """The value of ``--embedding``, when it is one."""
    try:
        form_named(name)
    except StudyError as error:
        raise typer.BadParameter(error.message) from error
    return name


EmbeddingForm = Annotated[
    str,
    typer.Option(
        metavar="FORM",
        callback=_embedding_form,
        help=f"How embeddings are stored: {', '.join(embedding_forms())}, or svd:LOSS with another loss.",
    ),
]
"""The option ``--embedding``."""


@dataclass(frozen=True)
class MakingOptions:
    """How studies are made."""

    PANEL: ClassVar[str] = "How studies are made"

    model: Annotated[str, typer.Option(help="'demo', or the folder or hub id of a model.")] = "demo"
    max_side: Annotated[int | None, typer.Option(help=MAX_SIDE_HELP, min=1)] = None
    embedding: EmbeddingForm = "bfloat16"
    extractor: Annotated[
        Extractor,
        typer.Option(
            help="How the report is read; radgraph is the package, radgraph-json takes annotations that are there."
        ),
    ] = Extractor.rules
    sections: Annotated[Sections, typer.Option(help=SECTIONS_HELP)] = Sections.both
    pixels: Annotated[bool, typer.Option("--pixels", help="Store the kept patches as images too.")] = False
    store_report: Annotated[
        bool, typer.Option("--store-report", help="Store the text of the report, as far as it is read.")
    ] = False
    generated_graph: Annotated[
        bool,
        typer.Option(
            "--generated-graph", help="Without a report: keep the concepts of the model's own text, marked as such."
        ),
    ] = False
