"""``ngr find``: which studies answer a question."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.access.places import is_url
from neuralgraph.cli.output import note, printable, write_document, write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.storage.atomic import atomic_file

if TYPE_CHECKING:
    from neuralgraph.catalogue import Catalogue

__all__ = ["find"]


def find(
    path: Annotated[str, typer.Argument(help="A collection, or a catalog.parquet of ngr catalog.")],
    question: Annotated[
        str | None, typer.Argument(help='Findings with commas between: "right effusion present, no tube".')
    ] = None,
    sql: Annotated[
        str | None, typer.Option(help="Ask in SQL instead: the tables are studies, concepts and triples.")
    ] = None,
    generated: Annotated[
        bool, typer.Option("--generated", help="Count what a model wrote as findings too; given reports count alone.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the ids here, one a line, for --split and --ids.")
    ] = None,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the ids of the studies that answer QUESTION: all its terms must hold.

    A term is a finding with, if wanted, present, absent or uncertain, a side, and "in" with a place; "no" before it
    asks for studies without it. Without a polarity present is meant.

    Examples: ngr find hospital "right effusion, no tube" -o ids.txt;
    ngr find catalog.parquet --sql "SELECT name, count(*) FROM concepts WHERE report = 'given' GROUP BY name"
    """
    if (question is None) == (sql is None):
        raise typer.BadParameter("give a question in words, or --sql")
    if output is not None:
        check_output(output, force=force)
    with _catalogue(path) as catalogue:
        if sql is not None:
            _tell_rows(catalogue.sql(sql), output, json=json)
            return
        ids = catalogue.find(question or "", generated=generated)
    if output is not None:
        with atomic_file(output) as stream:
            stream.writelines(f"{study_id}\n".encode() for study_id in ids)
    if json:
        write_json({"question": question, "count": len(ids), "ids": ids})
    elif output is not None:
        write_line(f"{output}: {len(ids):,} {'study' if len(ids) == 1 else 'studies'}")
    else:
        for study_id in ids:
            write_line(study_id)
        note(f"{len(ids):,} {'study' if len(ids) == 1 else 'studies'}")


@contextmanager
def _catalogue(path: str) -> Iterator[Catalogue]:
    if is_url(path):
        from neuralgraph.collection import Collection, catalogue_of

        with catalogue_of(Collection(path)) as found:
            yield found
    else:
        # Without what changes collections, which takes longer to import than most questions to answer.
        from neuralgraph.catalogue import Catalogue

        with Catalogue(path) as found:
            yield found


def _tell_rows(table: Any, output: Path | None, *, json: bool) -> None:
    rows = table.to_pylist()
    names = table.column_names
    if output is not None:
        with atomic_file(output) as stream:
            stream.writelines("\t".join(_text(row[name]) for name in names).encode() + b"\n" for row in rows)
    if json:
        write_json(json_module.loads(json_module.dumps(rows, default=str)))
    elif output is not None:
        write_line(f"{output}: {len(rows):,} rows of {', '.join(names)}")
    else:
        write_document("\t".join(map(printable, names)))
        for row in rows:
            write_document("\t".join(printable(_text(row[name])) for name in names))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
