"""``ngr recover``: whole studies out of a damaged file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.errors import OutputError
from neuralgraph.storage.recover import Recovered, Recovery
from neuralgraph.storage.recover import recover as recover_file

__all__ = ["recover"]


def recover(
    damaged: Annotated[Path, typer.Argument(help="A truncated or damaged file; it is not changed.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The new file.")],
    methods_from: Annotated[
        list[Path] | None,
        typer.Option(help="A whole file of the same conversion, for lost methods; repeatable."),
    ] = None,
    without_method: Annotated[
        bool, typer.Option("--without-method", help="Recover studies whose method is lost; they get new digests.")
    ] = False,
    search: Annotated[
        bool, typer.Option("--search", help="Take what searching finds, although it may be content of a lost study.")
    ] = False,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Copy every study that is still whole to a new file, and list what was lost.

    A truncated file has lost the table of contents, and with it how its studies were made: name a file of the same
    conversion with --methods-from, or do without with --without-method.

    Exit code 0 when every study was recovered unchanged, 1 when something was lost, 3 when nothing could be recovered.

    Example: ngr recover damaged.ngr -o recovered.ngr
    """
    if output.exists() and damaged.exists() and output.samefile(damaged):
        raise OutputError(
            "the new file would replace the damaged one; give it another name", code="E_OUTPUT", where=str(output)
        )
    check_output(output, force=force)
    recovery = recover_file(
        damaged, output, methods_from=methods_from or (), without_method=without_method, search=search
    )
    if json:
        write_json(_as_json(recovery))
    else:
        _write_text(recovery, output)
    if not recovery.recovered:
        _advise(recovery)
        raise typer.Exit(3)
    if not recovery.whole:
        raise typer.Exit(1)


def _as_json(recovery: Recovery) -> dict[str, Any]:
    return {
        "whole": recovery.whole,
        "complete": recovery.complete,
        "recovered": [study._asdict() for study in recovery.recovered],
        "lost": [{**loss._asdict(), "problem": loss.problem._asdict()} for loss in recovery.lost],
        "suspects": [study._asdict() for study in recovery.suspects],
        "damage": [problem._asdict() for problem in recovery.damage],
    }


def _write_text(recovery: Recovery, output: Path) -> None:
    count = len(recovery.recovered)
    if count:
        size = output.stat().st_size
        write_line(f"{output}: {count} {'study' if count == 1 else 'studies'} recovered, {size:,} bytes")
    for study in recovery.recovered:
        write_line(f"  recovered {study.study_id}{_remarks(study)}")
    for loss in recovery.lost:
        name = f" {loss.study_id}" if loss.study_id else ""
        stop = loss.offset + loss.length
        write_line(f"  lost{name}: bytes {loss.offset} to {stop}: {loss.problem.code}: {loss.problem.message}")
    for study in recovery.suspects:
        write_line(f"  not taken {study.study_id}: found at byte {study.offset} by searching; --search takes it")
    for problem in recovery.damage:
        write_line(f"  damaged {problem.where}: {problem.code}: {problem.message}")
    if not recovery.complete:
        write_line("  whether the file held more studies is not known")


def _remarks(study: Recovered) -> str:
    remarks = []
    if study.without_method:
        remarks.append("without its method, with a new digest")
    if study.searched:
        remarks.append("found by searching")
    return f" ({'; '.join(remarks)})" if remarks else ""


def _advise(recovery: Recovery) -> None:
    if any(loss.problem.code == "E_METHOD" for loss in recovery.lost):
        note("nothing was recovered: the methods are lost; try --methods-from FILE, or --without-method")
    else:
        note("nothing could be recovered, no file was written")
