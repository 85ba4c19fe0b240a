"""``ngr audit``: does anything of the source show in the outputs?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.progress import meter
from neuralgraph.errors import SourceError

if TYPE_CHECKING:
    from neuralgraph.bulk.identifiers import Identifier

__all__ = ["audit"]


def audit(
    files: Annotated[list[Path], typer.Argument(help="Outputs, receipts, logs: files and folders.")],
    source: Annotated[
        list[Path] | None,
        typer.Option(help="Whose identifiers must not show: a DICOM file, a folder of them, a manifest; repeatable."),
    ] = None,
    identifiers: Annotated[Path | None, typer.Option(help="A text file with one identifier per line.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search FILES for identifiers known from the source: in plain, in hex, in base64, hashed, and inside studies.

    Prints where each was found and which it was, never its value. Finding nothing does not make outputs anonymous.

    Example: ngr audit studies/ run.log --source films/ --identifiers names.txt
    """
    from neuralgraph.bulk import audit as search

    with meter("audit", unit="files") as show:
        known = _known(source or [], identifiers, show)
        findings = list(search.audit(files, known, told=show.at))
    if json:
        write_json({"identifiers": len(known), "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            write_line(f"{finding.path}: {finding.place}: {finding.identifier} as {finding.form}")
        note(f"{len(known)} identifiers looked for, {len(findings)} findings")
    if findings:
        raise typer.Exit(1)


def _known(sources: list[Path], identifiers: Path | None, told: Callable[[], object]) -> list[Identifier]:
    """The identifiers of everything that was named."""
    from neuralgraph.bulk import identifiers as known_of
    from neuralgraph.sources.layouts.own_table import TABLE_SUFFIXES

    known: list[Identifier] = [] if identifiers is None else known_of.identifiers_of_list(identifiers)
    for path in sources:
        try:
            if path.is_dir():
                known += known_of.identifiers_of_folder(path, told)
            elif path.name.lower().endswith(TABLE_SUFFIXES):
                known += known_of.identifiers_of_manifest(path)
            else:
                known += known_of.identifiers_of_dicom(path)
        except SourceError as error:
            error.where = error.where or str(path)
            raise
    if not known:
        raise typer.BadParameter("no identifiers to look for; give --source or --identifiers")
    return known
