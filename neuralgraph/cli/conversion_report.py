"""What a conversion shows: a bar while it runs, counts when it is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuralgraph.cli.output import write_json, write_line

if TYPE_CHECKING:
    from neuralgraph.bulk.run import Outcome
    from neuralgraph.sources.layouts import Manifest

__all__ = ["progress_bar", "tell_outcome", "tell_plan"]


@contextmanager
def progress_bar(total: int) -> Iterator[Any]:
    """A bar on stderr where that is a terminal; else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task("verifying", total=total, rate="")
        failed_so_far = 0

        def advance(*, verified: int = 0, converted: int = 0, failed: int = 0) -> None:
            nonlocal failed_so_far
            failed_so_far += failed
            speed = bar.tasks[0].speed
            bar.update(
                task,
                advance=verified + converted + failed,
                description=f"converting, {failed_so_far} failed" if failed_so_far else "converting",
                rate=f"{speed:.1f}/s" if speed else "",
            )

        yield advance


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def tell_plan(resolved: Manifest, target: Path, *, json: bool) -> None:
    """What would be converted, and what not for which reasons."""
    if json:
        write_json(
            {
                "layout": resolved.layout,
                "studies": len(resolved.rows),
                "without_report": resolved.without_report,
                "dropped": resolved.counts,
                "manifest": str(target),
            }
        )
        return
    write_line(f"layout {resolved.layout}: {len(resolved.rows):,} studies to convert")
    if resolved.without_report:
        write_line(f"  {resolved.without_report:,} of them without a report: the model will write it")
    for reason, count in resolved.counts.items():
        write_line(f"  {count:,} dropped: {reason}")
    write_line(f"{target}: the manifest; it names the source, keep it to yourself")


def tell_outcome(outcome: Outcome, dest: Path, failures: Path | None, *, json: bool) -> None:
    """What a run did."""
    if json:
        record = {**asdict(outcome), "reasons": dict(outcome.reasons), "remaining": outcome.remaining}
        write_json({"output": str(dest), **record, "complete": outcome.complete})
        return
    write_line(
        f"{dest}: {outcome.converted:,} converted, {outcome.verified:,} there already, {outcome.failed:,} failed"
    )
    if outcome.converted and outcome.source_bytes:
        write_line(
            f"  {outcome.file_bytes:,} bytes, {outcome.file_bytes / outcome.source_bytes:.1%} of the source files' "
            f"{outcome.source_bytes:,}"
        )
    if outcome.reasons:
        write_line(f"  failed: {_counted(dict(outcome.reasons.most_common()))}")
        write_line(f"  {failures or dest / 'failures.jsonl'}: one line for each")
    if outcome.restored:
        write_line(f"  {outcome.restored:,} had been written before and were gone or changed: they are made again")
    if outcome.orphans:
        write_line(
            f"  {outcome.orphans:,} more are in {dest} that the source has no longer: they stay, and are listed; what "
            "must go is removed from a collection (ngr convert --into, ngr collection remove)"
        )
    if outcome.unlisted:
        write_line(f"  {outcome.unlisted:,} failures could not be listed: the disk is full")
    if outcome.dropped:
        write_line(f"  dropped: {_counted(outcome.dropped)}")
    if outcome.stopped == "max_errors":
        write_line("  given up: more failures than --max-errors")
    elif outcome.stopped == "destination":
        write_line("  given up: the destination cannot be written; make room and run the same command again")
    if outcome.remaining:
        write_line(f"  {outcome.remaining:,} remain; run the same command again to continue")
