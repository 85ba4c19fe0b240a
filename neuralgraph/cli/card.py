"""``ngr card``: a data set card and its metadata."""

from __future__ import annotations

import json as json_module
import re
from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.storage.atomic import atomic_file

__all__ = ["card"]


def card(
    place: Annotated[str, typer.Argument(metavar="DIR", help="The folder of a collection, or its URL.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The card to write, README.md.")],
    name: Annotated[str, typer.Option(help="How the data set is called.")] = "Medical studies as graphs",
    license: Annotated[str, typer.Option(help="Its licence, as Hugging Face or SPDX name it.")] = "",
    url: Annotated[str, typer.Option(help="Where it will be found.")] = "",
    date: Annotated[str, typer.Option(help="When it is published, 2026-11-29.")] = "",
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a data set card in Hugging Face's form, and beside it the tables and croissant.json.

    Counted are sizes, labels, findings, models, shares of given and generated reports, and loss. What only you know
    (licence, consent, whom to ask) is an option or is marked as to be filled in. Pseudonyms of patients are left out of
    the tables; ids of studies are in them.

    Example: ngr card hospital -o public/README.md --license cc-by-4.0
    """
    from neuralgraph.catalogue import catalogue_paths
    from neuralgraph.catalogue.tables import merge
    from neuralgraph.collection import Collection
    from neuralgraph.collection.card import CardOptions, croissant, dataset_card
    from neuralgraph.collection.catalogued import table_files
    from neuralgraph.collection.overview import collection_overview
    from neuralgraph.rows.columns import arrow

    arrow()
    from pyarrow import parquet

    if date and not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise typer.BadParameter("a date is year-month-day, 2026-11-29", param_hint="--date")
    options = CardOptions(name, license, url, date)
    metadata = output.with_name("croissant.json")
    files = catalogue_paths(output.with_name("catalog.parquet"))
    for path in (output, metadata, *files.values()):
        check_output(path, force=force)
    found = Collection(place)
    overview = collection_overview(found)
    with table_files(found) as parts:
        merge(parts, files["studies"], without=("patient",))
    schemas = {
        table: [(field.name, str(field.type)) for field in parquet.read_schema(path)] for table, path in files.items()
    }
    with atomic_file(output) as stream:
        stream.write(dataset_card(overview, options).encode())
    with atomic_file(metadata) as stream:
        stream.write(json_module.dumps(croissant(files, schemas, options), indent=1).encode() + b"\n")
    if json:
        write_json({"output": str(output), "croissant": str(metadata), "tables": [str(p) for p in files.values()]})
        return
    write_line(f"{output}: the card of {overview['studies']:,} studies; read it and fill in what only you know")
    write_line(f"{metadata}: Croissant metadata of {', '.join(path.name for path in files.values())}")
