"""``ngr pull``: films out of an archive, over DICOMweb."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_json, write_line

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
    certificates: Annotated[Path | None, typer.Option(help="Certificate authorities to trust.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fetch films, and structured reports beside them, from the archive at URL into the folder SPOOL.

    SPOOL then holds originals under real names; 'ngr convert SPOOL DEST --layout dicom' converts them. What lies there
    already is not fetched again. NGR_DICOMWEB_USER and NGR_DICOMWEB_PASSWORD, or NGR_DICOMWEB_TOKEN, log in.

    Example: ngr pull https://pacs.example.org/dicom-web spool/ --date 20240101-20240107
    """
    from neuralgraph.pacs.spool import Spool
    from neuralgraph.pacs.web import MODALITIES, WebArchive

    filters = {
        keyword: value for keyword, value in (("StudyDate", date), ("AccessionNumber", accession)) if value is not None
    }
    archive = WebArchive(url, certificates=certificates)
    counts: Counter[str] = Counter()
    place = Spool(spool)
    if studies:
        counts.update(archive.pull_studies(place.folder, filters))
    else:
        archive.pull(place, filters, modalities=modality or MODALITIES, told=lambda code: counts.update([code]))
    failed = {code: number for code, number in counts.items() if code not in ("stored", "repeated")}
    if json:
        write_json({"stored": counts["stored"], "repeated": counts["repeated"], "failed": failed})
    else:
        write_line(
            f"{counts['stored']:,} fetched, {counts['repeated']:,} there already, {sum(failed.values()):,} failed"
        )
    if failed:
        raise typer.Exit(1)
