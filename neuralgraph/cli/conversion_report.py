"""What a conversion says: counts of what would be done, and of what was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.progress import duration

if TYPE_CHECKING:
    from neuralgraph.bulk.destination import Destination
    from neuralgraph.bulk.estimate import Estimate
    from neuralgraph.bulk.run import Outcome
    from neuralgraph.sources.layouts import Manifest, TableUse

__all__ = ["tell_outcome", "tell_plan"]


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def tell_plan(resolved: Manifest, target: Path, expected: Estimate | None, *, json: bool) -> None:
    """What would be converted, and what not for which reasons."""
    if json:
        write_json(
            {
                "layout": resolved.layout,
                "studies": len(resolved.rows),
                "without_report": resolved.without_report,
                "parts": resolved.parts,
                "dropped": resolved.counts,
                "table": None if resolved.table is None else asdict(resolved.table),
                "estimate": None if expected is None else asdict(expected),
                "manifest": str(target),
            }
        )
        return
    write_line(f"layout {resolved.layout}: {len(resolved.rows):,} studies to convert")
    if resolved.table is not None:
        _tell_table(resolved.table)
    _tell_parts(resolved)
    for reason, count in resolved.counts.items():
        write_line(f"  {count:,} dropped: {reason}")
    if expected is not None:
        _tell_estimate(expected)
    write_line(f"{target}: the manifest; it names the source, keep it to yourself")


def _tell_table(table: TableUse) -> None:
    """What each column is read as, and what is not read."""
    write_line(f"  table {table.file}: {table.form}")
    for name, column in table.columns.items():
        write_line(f"    {name}" + (f" is read as {column}" if name != column else ""))
    if table.ignored:
        named = (f"{name} (did you mean {near}?)" if near else name for name, near in table.ignored.items())
        write_line(f"    not read: {', '.join(named)}")
    if table.warning:
        note(table.warning)


def _tell_parts(resolved: Manifest) -> None:
    """How many studies have which part."""
    parts = resolved.parts
    write_line(f"  {parts['films']:,} films, {parts['several_films']:,} studies with more than one")
    write_line(f"  {parts['report']:,} with a report, {resolved.without_report:,} of them without a report")
    for name, words in (("report_graph", "a report graph"), ("view", "a known view")):
        if parts[name]:
            write_line(f"  {parts[name]:,} with {words}")
    if parts["patient"]:
        write_line(f"  {parts['patient']:,} with a patient, of {parts['patients']:,}")
    for name, words in (("split", "a split"), ("labels", "labels")):
        if parts[name]:
            write_line(f"  with {words}: {_counted(parts[name])}")


def _tell_estimate(expected: Estimate) -> None:
    """What the conversion will take."""
    if expected.reason:
        write_line(f"  time and bytes cannot be estimated here: {expected.reason}")
        return
    tried = f"from {expected.sampled} studies" + (f", {expected.failed} of which failed" if expected.failed else "")
    workers = f"{expected.workers} {'worker' if expected.workers == 1 else 'workers'}"
    least, most = max(0.0, expected.seconds - expected.seconds_error), expected.seconds + expected.seconds_error
    between = f"{duration(least)} to {duration(most)}"
    write_line(f"  about {duration(expected.seconds)} with {workers} ({between}; {tried})")
    write_line(f"  {expected.bytes_in:,} bytes of films become about {expected.bytes_out:,}")


def tell_outcome(
    outcome: Outcome,
    destination: Destination,
    failures: Path | None,
    *,
    json: bool,
    into: Mapping[str, Any] | None = None,
) -> None:
    """What a run did; ``into`` : place, studies and snapshot of the collection that it added to."""
    dest = destination.folder
    if outcome.here.unread:
        from neuralgraph.compressor.report_graph.unread import UNREAD

        for reason, count in sorted(outcome.here.unread.items()):
            note(f"{count:,} {'report' if count == 1 else 'reports'} gave no concept: {UNREAD.get(reason, reason)}")
    if json:
        record = {**asdict(outcome), "reasons": dict(outcome.reasons), "remaining": outcome.remaining}
        added = {} if into is None else {"collection": dict(into)}
        write_json({"output": str(dest), **record, "complete": outcome.complete, **added})
        return
    if into is not None:
        write_line(f"{into['place']}: {into['studies']:,} studies now, snapshot {into['snapshot']}")
    write_line(
        f"{dest}: {outcome.converted:,} converted, {outcome.verified:,} there already, {outcome.failed:,} failed"
    )
    if outcome.converted and outcome.source_bytes:
        write_line(
            f"  {outcome.file_bytes:,} bytes, {outcome.file_bytes / outcome.source_bytes:.1%} of the source files' "
            f"{outcome.source_bytes:,}"
        )
    for line in _remarks(outcome, dest, failures or destination.named("failures", ".jsonl")):
        write_line(f"  {line}")
    write_line(f"  {destination.named('summary', '.txt')}: the numbers")
    write_line(f"  reports: {_counted(outcome.here.reports)}")


_STOPPED = {
    "max_errors": "given up: more failures than --max-errors",
    "destination": "given up: the destination cannot be written; make room and run the same command again",
}


def _remarks(outcome: Outcome, dest: Path, failures: Path) -> Iterator[str]:
    """What is only said where there is something to say."""
    here = outcome.here
    for said, line in (
        (here.doubtful_films, f"{here.doubtful_films:,} films of doubtful quality: ngr info says of each why"),
        (here.films_with_text, f"{here.films_with_text:,} films with what looks like letters burned in"),
        (outcome.reasons, f"failed: {_counted(dict(outcome.reasons.most_common()))}"),
        (outcome.reasons, f"{failures}: one line for each"),
        (
            outcome.changed,
            f"{outcome.changed:,} had been made of another film, report or row: they are made again",
        ),
        (
            outcome.restored,
            f"{outcome.restored:,} had been written before and were gone or changed: they are made again",
        ),
        (
            outcome.orphans,
            f"{outcome.orphans:,} more are in {dest} that the source has no longer: they stay, and are listed; what "
            "must go is removed from a collection (ngr convert --into, ngr collection remove)",
        ),
        (outcome.unlisted, f"{outcome.unlisted:,} failures could not be listed: the disk is full"),
        (outcome.dropped, f"dropped: {_counted(outcome.dropped)}"),
        (outcome.stopped in _STOPPED, _STOPPED.get(outcome.stopped, "")),
        (outcome.remaining, f"{outcome.remaining:,} remain; run the same command again to continue"),
    ):
        if said:
            yield line
