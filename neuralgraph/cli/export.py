"""``ngr export``: a study in a format that other tools read."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import typer

from neuralgraph.access.places import place_name
from neuralgraph.cli.output import write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.cli.remote_choices import Timeout
from neuralgraph.errors import FormatError, OutputError
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import load
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.opening import open_archive

__all__ = ["Format", "export"]


class Format(StrEnum):
    """Formats to export to; each but ``sr`` and ``seg`` is written by ``to_<format>`` of the adapter of that name."""

    safetensors = "safetensors"
    npz = "npz"
    graphml = "graphml"
    json = "json"
    radgraph = "radgraph"
    sr = "sr"
    seg = "seg"


def export(
    file: Annotated[str, typer.Argument(help="An .ngr file, an archive, a folder or a URL.")],
    to: Annotated[Format, typer.Option("--to", help="The format.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    study: Annotated[str | None, typer.Option("--study", help="Id of the study, where FILE holds several.")] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option("--source", help="With sr and seg: the film of the study (DICOM); with sr once for each."),
    ] = None,
    view: Annotated[int, typer.Option(min=0, help="With seg: which film, in a study of several.")] = 0,
    generated: Annotated[
        bool, typer.Option("--generated", help="With sr: also findings of a report that a model wrote.")
    ] = False,
    force: Force = False,
    timeout: Timeout = None,
) -> None:
    """Write the study of FILE for other tools.

    safetensors, npz and json hold all of it, graphml what can be drawn, radgraph the graph of the report. sr is a
    DICOM Structured Report with the findings in SNOMED CT and DICOM terms and the kept patches, for the patient and
    the study that the film of --source names; it is preliminary, and not for primary interpretation. seg is a DICOM
    Segmentation: the kept patches of one film as a mask of its pixels.

    Examples: ngr export study.ngr --to npz -o study.npz; ngr export study.ngr --to sr --source film.dcm -o sr.dcm
    """
    if (to in (Format.sr, Format.seg)) != bool(source):
        raise typer.BadParameter("goes with --to sr and --to seg, which need it", param_hint="--source")
    if to is Format.seg and source and len(source) > 1:
        raise typer.BadParameter("a segmentation is of one film; say which with --view", param_hint="--source")
    # A source must never be replaced by its export; the input may also be a folder of .ngr files.
    if output.suffix == ".ngr" or (output.exists() and os.path.exists(file) and output.samefile(file)):
        raise OutputError(
            "an export does not replace an .ngr file; give it another name", code="E_OUTPUT", where=str(output)
        )
    check_output(output, force=force)
    if source:
        convert = _mask_of(source[0], view) if to is Format.seg else _report_of(source, generated=generated)
    else:
        convert = _converter(to)
    content = convert(_chosen(file, study, timeout))
    with atomic_file(output) as stream:
        stream.write(content)
    write_line(f"{output}: {len(content):,} bytes")


def _converter(to: Format) -> Callable[[Study], bytes]:
    # Imported only now: an adapter needs its library, this verb does not.
    converter: Callable[[Study], bytes] = getattr(import_module(f"neuralgraph.adapters.{to}"), f"to_{to}")
    return converter


def _report_of(films: list[Path], *, generated: bool) -> Callable[[Study], bytes]:
    def convert(study: Study) -> bytes:
        from neuralgraph.pacs.findings_report import findings_object
        from neuralgraph.pacs.identity import read_source

        return _dicom_file(findings_object(study, [read_source(film) for film in films], generated=generated))

    return convert


def _mask_of(film: Path, view: int) -> Callable[[Study], bytes]:
    def convert(study: Study) -> bytes:
        from neuralgraph.pacs.identity import read_source
        from neuralgraph.pacs.segmentation import segmentation_object

        return _dicom_file(segmentation_object(study, view, read_source(film)))

    return convert


def _dicom_file(made: Any) -> bytes:
    stream = BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _chosen(file: str, study_id: str | None, timeout: float | None) -> Study:
    with open_archive(file, timeout=timeout) as archive:
        if study_id is not None:
            return archive[study_id]
        if len(archive) != 1:
            reason = f"the file holds {len(archive)} studies; name one with --study, or use ngr unpack first"
            raise FormatError(reason, code="E_OPEN", where=place_name(file))
    return load(file, timeout=timeout)
