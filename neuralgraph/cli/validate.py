"""``ngr validate``: the verdict on files, for people and for CI."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from neuralgraph.access.files import is_folder
from neuralgraph.access.places import is_url
from neuralgraph.cli.output import note, write_document, write_json, write_line
from neuralgraph.cli.progress import meter
from neuralgraph.cli.remote_choices import Timeout
from neuralgraph.cli.verdicts import junit, sarif
from neuralgraph.errors import Problem
from neuralgraph.storage.archive import ngr_files
from neuralgraph.storage.validate import Depth, ValidationResult
from neuralgraph.storage.validate import validate as validate_file

__all__ = ["validate"]


class Format(StrEnum):
    """How the verdict is printed."""

    text = "text"
    json = "json"
    junit = "junit"
    sarif = "sarif"


class Level(StrEnum):
    """How far files are checked; each includes those before it (``neuralgraph.storage.validate.Depth``)."""

    framing = "framing"
    header = "header"
    streams = "streams"
    digest = "digest"
    meaning = "meaning"


def validate(
    paths: Annotated[list[str], typer.Argument(help="Files, URLs, or folders that are searched for .ngr files.")],
    format: Annotated[Format, typer.Option(help="How to print the verdict.")] = Format.text,
    level: Annotated[
        Level,
        typer.Option(help="How far to check: the layout; record headers; streams; digests; the graph, which is all."),
    ] = Level.meaning,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print problems only.")] = False,
    timeout: Timeout = None,
) -> None:
    """Check files: framing, checksums, digests, sizes and the rules of the graph. All problems are listed.

    Exit code 0 when everything is valid, 1 when anything is not, or could not be read: the verdict tells the two apart.

    Example: ngr validate archive/ --format junit > verdict.xml
    """
    reports = _verdicts(paths, level.value, timeout)
    if format is Format.text:
        _write_text(reports, quiet=quiet)
    elif format is Format.json:
        write_json([_as_json(report) for report in reports])
    elif format is Format.junit:
        write_document(junit(reports))
    else:
        write_json(sarif(reports))
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


def _verdicts(paths: list[str], level: Depth, timeout: float | None) -> list[ValidationResult]:
    """One for every file, and for every folder without files."""
    files = [file for path in paths for file in _files(path)]
    sizes = [_size(file) for file in files]
    reports: list[ValidationResult] = []
    with meter("validate", unit="bytes") as show:
        before = came = 0

        def told(length: int) -> None:
            nonlocal came
            came += length
            # What is read twice is not more.
            show.at(before + min(came, size), total, f"{len(reports):,} of {len(files):,} files")

        total = sum(sizes)
        for file, size in zip(files, sizes, strict=True):
            came = 0
            if isinstance(file, _Empty):
                problem = Problem("E_OPEN", file.path, "the folder holds no .ngr file")
                reports.append(ValidationResult(file.path, (problem,), 0, level))
            else:
                reports.append(validate_file(file, level=level, told=told, timeout=timeout))
            before += size
    return reports


class _Empty(NamedTuple):
    """A folder without files."""

    path: str


def _files(path: str) -> list[str | Path | _Empty]:
    if is_url(path) or not is_folder(path):
        return [path]
    return [*ngr_files(Path(path))] or [_Empty(path)]


def _size(file: str | Path | _Empty) -> int:
    """Bytes of a file; 0 where only its server knows."""
    if isinstance(file, _Empty) or is_url(file):
        return 0
    try:
        return os.stat(file).st_size
    except (OSError, ValueError):
        return 0


def _as_json(report: ValidationResult) -> dict[str, object]:
    problems = [problem._asdict() for problem in report.problems]
    return {
        "path": report.path,
        "ok": report.ok,
        **({} if report.was_read else {"read": False}),
        "n_studies": report.n_studies,
        "level": report.level,
        "problems": problems,
    }


def _write_text(reports: list[ValidationResult], *, quiet: bool) -> None:
    for report in reports:
        if report.ok and not quiet:
            write_line(f"{report.path}: valid, {report.n_studies} {'study' if report.n_studies == 1 else 'studies'}")
        for problem in report.problems:
            place = f" [{problem.where}]" if problem.where else ""
            write_line(f"{report.path}: {problem.code}{place}: {problem.message}")
    unread = sum(not report.was_read for report in reports)
    invalid = sum(not report.ok for report in reports) - unread
    if invalid:
        note(f"{invalid} of {len(reports)} files are not valid")
    if unread:
        note(f"{unread} of {len(reports)} files could not be read: that is no verdict on them")
