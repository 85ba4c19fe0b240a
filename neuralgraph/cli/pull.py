"""``ngr pull``: films out of an archive, over DICOMweb."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.progress import meter
from neuralgraph.cli.remote_choices import Certificates
from neuralgraph.errors import SourceError

if TYPE_CHECKING:
    from neuralgraph.pacs.pulling import Pulled

__all__ = ["pull"]


def pull(
    url: Annotated[str, typer.Argument(metavar="URL", help="Root of the DICOMweb service.")],
    spool: Annotated[Path, typer.Argument(help="The folder to fill; made when absent, readable by its owner only.")],
    date: Annotated[
        str | None, typer.Option(metavar="YYYYMMDD[-YYYYMMDD]", help="Only studies of this day, or these.")
    ] = None,
    accession: Annotated[str | None, typer.Option(help="Only the study of this accession number.")] = None,
    modality: Annotated[list[str] | None, typer.Option(help="Only these modalities [default: CR, DX].")] = None,
    studies: Annotated[
        bool, typer.Option("--studies", help="Instead of films: the .ngr files that were pushed.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Fetch what is there too, and keep what has changed as its correction.")
    ] = False,
    patience: Annotated[float, typer.Option(help="Seconds of silence after which an answer is given up.", min=1)] = 60,
    certificates: Certificates = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fetch films, and structured reports beside them, from the archive at URL into the folder SPOOL.

    SPOOL then holds originals under real names; 'ngr convert SPOOL DEST --layout dicom' converts them. What lies there
    already is not fetched again, so a pull that was stopped is continued by the same command. What the archive lists
    and does not give, or may not have listed, stands in SPOOL/missing.jsonl, and the exit code is 1.
    NGR_DICOMWEB_USER and NGR_DICOMWEB_PASSWORD, or NGR_DICOMWEB_TOKEN, log in.

    Example: ngr pull https://pacs.example.org/dicom-web spool/ --date 20240101-20240107
    """
    from neuralgraph.pacs.pulling import write_missing
    from neuralgraph.pacs.spool import Spool
    from neuralgraph.pacs.web import MODALITIES, WebArchive

    filters = {
        keyword: value for keyword, value in (("StudyDate", date), ("AccessionNumber", accession)) if value is not None
    }
    try:
        archive = WebArchive(url, certificates=certificates, patience=patience)
    except SourceError as error:
        raise typer.BadParameter(error.message, param_hint="URL") from error
    place = Spool(spool)
    try:
        with meter("pull") as show:
            result = (
                archive.pull_studies(place.folder, filters)
                if studies
                else archive.pull(
                    place,
                    filters,
                    modalities=modality or MODALITIES,
                    again=again,
                    progress=lambda done, total, objects: show.at(done, total, f"{objects:,} objects fetched"),
                )
            )
    except SourceError as error:
        error.where = error.where or url
        raise
    finally:
        archive.close()
    missing = write_missing(place.folder, result.missing)
    _tell(result, missing, json=json)
    if not result.complete:
        raise typer.Exit(1)


def _tell(result: Pulled, missing: Path, *, json: bool) -> None:
    if json:
        write_json(
            {
                "complete": result.complete,
                "studies": result.studies,
                "stored": result.stored,
                "repeated": result.repeated,
                "corrected": result.corrected,
                "failed": result.failed,
                "notes": result.notes,
                "missing": [asdict(one) for one in result.missing],
            }
        )
        return
    corrected = f"{result.corrected:,} corrected, " if result.corrected else ""
    write_line(
        f"{result.stored:,} fetched, {result.repeated:,} there already, {corrected}{len(result.missing):,} failed"
    )
    for message in (*result.notes, *(one.message for one in result.missing if not one.study)):
        note(message)
    if result.missing:
        counted = ", ".join(f"{code} {count:,}" for code, count in result.failed.items())
        write_line(f"  INCOMPLETE: {counted}")
        write_line(f"  {missing}: one line for each")
