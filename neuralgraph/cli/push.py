"""``ngr push``: studies into an archive, beside their films."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from neuralgraph.cli.output import note, write_line
from neuralgraph.cli.remote_choices import Certificates
from neuralgraph.errors import NeuralGraphError, OutputError, SourceError, StudyError

__all__ = ["push"]


def push(
    studies: Annotated[Path, typer.Argument(help="An .ngr file, or a folder that 'ngr convert' filled.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="URL of DICOMweb, or TITLE@host:port.")],
    source: Annotated[Path | None, typer.Option(help="With a file: the film it was made from (DICOM).")] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="With a folder: what 'ngr convert --manifest' wrote; it names the films.")
    ] = None,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Also a presentation state with the kept patches.")
    ] = False,
    findings: Annotated[
        bool, typer.Option("--findings", help="Also a structured report: findings, coded, and the kept patches.")
    ] = False,
    segmentation: Annotated[
        bool, typer.Option("--segmentation", help="Also the kept patches of each film as a segmentation.")
    ] = False,
    generated: Annotated[
        bool, typer.Option("--generated", help="With --findings: also findings of reports that a model wrote.")
    ] = False,
    title: Annotated[str, typer.Option(help="Our application entity title, for C-STORE.")] = "NEURALGRAPH",
    certificates: Certificates = None,
) -> None:
    """Store STUDIES in the archive at ADDRESS as Raw Data objects of their films' patients and studies.

    The bytes of each file come back unchanged ('ngr pull --studies'). Sending the same file again stores it once. This
    joins a pseudonymised study to its patient again: inside the hospital, where the films are.

    --findings adds a structured report that any archive can search and show: findings in SNOMED CT and DICOM terms,
    present, absent or undetermined, with their sides. It is preliminary, and not for primary interpretation.
    --segmentation adds the kept patches as a mask of the film's pixels.

    Example: ngr push studies/ ORTHANC@10.0.0.7:4242 --manifest manifest.jsonl --overlay --findings
    """
    from neuralgraph.pacs.send import sender

    if (source is None) == (manifest is None):
        raise typer.BadParameter("give --source for one file, or --manifest for a folder")
    pairs = [(studies, [source])] if source else list(_pairs(studies, manifest or Path()))
    asked = _Asked(overlay=overlay, findings=findings, segmentation=segmentation, generated=generated)
    sent = failed = 0
    with sender(address, title=title, certificates=certificates) as send:
        for path, films in pairs:
            try:
                for made in _objects(path, films, asked):
                    send(made)
                    sent += 1
            except (SourceError, OutputError, StudyError) as error:
                failed += 1
                note(f"{path.name}: {error.code}: {error.message}")
    write_line(f"{sent:,} objects of {len(pairs) - failed:,} files sent, {failed:,} failed")
    if failed:
        raise typer.Exit(1)


def _pairs(folder: Path, manifest: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Each study's file with its films."""
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
        rows = [json_text.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise SourceError("the manifest cannot be read", code="E_SOURCE_READ", where=str(manifest)) from error
    for row in rows:
        if "converted_as" in row:
            path = folder / f"{row['converted_as']}.ngr"
            if path.exists():
                yield path, [Path(image) for image in row["image"]]


@dataclass(frozen=True)
class _Asked:
    """What goes along with a study."""

    overlay: bool
    findings: bool
    segmentation: bool
    generated: bool


def _objects(path: Path, films: list[Path], asked: _Asked) -> Iterator[Any]:
    from neuralgraph.pacs.findings_report import findings_object
    from neuralgraph.pacs.identity import check_film_of, read_source
    from neuralgraph.pacs.overlay import overlay_object
    from neuralgraph.pacs.raw_data import raw_data_object
    from neuralgraph.pacs.segmentation import segmentation_object
    from neuralgraph.storage.archive import load

    # Loading verifies every byte before it is sent.
    try:
        study = load(path)
        data = path.read_bytes()
    except OSError as error:
        raise SourceError("the file cannot be read", code="E_SOURCE_READ") from error
    except NeuralGraphError as error:
        raise SourceError(f"not a valid study ({error.code})", code="E_SOURCE_DAMAGED") from error
    sources = [read_source(film) for film in films]
    for view, film in enumerate(sources):
        check_film_of(study, view, film)
    yield raw_data_object(data, sources[0])
    for view, film in enumerate(sources):
        if asked.overlay:
            yield overlay_object(study, view, film)
        # A film may have kept none, where another of the study kept all.
        if asked.segmentation and (study.patches.view == view).any():
            yield segmentation_object(study, view, film)
    if asked.findings:
        yield findings_object(study, sources, generated=asked.generated)
