"""The summary of a conversion: one file for programs and one for people, beside the studies.

    DEST/summary.json, DEST/summary.txt      of a shard: summary-2-of-4.json ...

It counts everything of the plan that is there now, whichever run made it; times are those of the last run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from neuralgraph.bulk.task import FAILURES
from neuralgraph.compressor.report_graph.unread import UNREAD
from neuralgraph.errors import CODES
from neuralgraph.sources.layouts import REASONS
from neuralgraph.storage.atomic import atomic_file

if TYPE_CHECKING:
    from neuralgraph.bulk.destination import Destination
    from neuralgraph.bulk.outcome import Outcome

__all__ = ["summary_of", "summary_text", "write_summary"]


def summary_of(outcome: Outcome) -> dict[str, Any]:
    """The summary as plain data."""
    here, seconds = outcome.here, {stage: round(value, 3) for stage, value in outcome.stages.items()}
    converted = outcome.converted
    return {
        "studies": {
            "planned": outcome.planned,
            "there": here.studies,
            "converted": converted,
            "verified": outcome.verified,
            "failed": outcome.failed,
            "remaining": outcome.remaining,
            "stopped": outcome.stopped,
        },
        "films": {"there": here.films, "doubtful": here.doubtful_films, "with_text": here.films_with_text},
        "reports": dict(here.reports),
        "without_concepts": here.without_concepts,
        "unread": dict(sorted(here.unread.items())),
        "refused": dict(outcome.reasons.most_common()),
        "left_out": dict(outcome.dropped),
        "bytes": {"in": here.source_bytes, "out": here.file_bytes},
        "run": {
            "seconds": round(outcome.seconds, 3),
            "studies_per_second": round(converted / outcome.seconds, 3) if outcome.seconds else 0.0,
            "stage_seconds": seconds,
        },
    }


def _rows(summary: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(what, number, remark) of each line; a line without a number is a heading."""
    studies, films, reports, run = (summary[name] for name in ("studies", "films", "reports", "run"))
    yield "studies there", f"{studies['there']:,}", f"of {studies['planned']:,} planned"
    yield "  converted by this run", f"{studies['converted']:,}", ""
    yield "  there before", f"{studies['verified']:,}", ""
    yield "refused", f"{studies['failed']:,}", ""
    for reason, count in summary["refused"].items():
        yield f"  {reason}", f"{count:,}", _meaning(reason)
    yield "left out by choice", f"{sum(summary['left_out'].values()):,}", ""
    for reason, count in summary["left_out"].items():
        yield f"  {reason}", f"{count:,}", _meaning(reason)
    if studies["remaining"]:
        yield "remaining", f"{studies['remaining']:,}", f"ended by {studies['stopped']}" if studies["stopped"] else ""
    yield "films", f"{films['there']:,}", ""
    yield "  of doubtful quality", f"{films['doubtful']:,}", "ngr info says of each why"
    yield "  with what looks like letters", f"{films['with_text']:,}", ""
    yield "reports given", f"{reports['given']:,}", ""
    yield "  generated", f"{reports['generated']:,}", "the model's own text scored the patches"
    yield "  absent", f"{reports['absent']:,}", ""
    yield "studies without concepts", f"{summary['without_concepts']:,}", ""
    for reason, count in summary["unread"].items():
        yield f"  {reason}", f"{count:,}", UNREAD.get(reason, "")
    size = summary["bytes"]
    yield "bytes of the films", f"{size['in']:,}", ""
    share = f"{size['out'] / size['in']:.2%} of the films'" if size["in"] else ""
    yield "bytes of the studies", f"{size['out']:,}", share
    yield "seconds of this run", f"{run['seconds']:,.1f}", f"{run['studies_per_second']:,.2f} studies per second"
    for stage, seconds in run["stage_seconds"].items():
        yield f"  {stage}", f"{seconds:,.1f}", "summed over the workers"


def _meaning(reason: str) -> str:
    return REASONS.get(reason) or FAILURES.get(reason) or CODES.get(reason, "")


def summary_text(summary: dict[str, Any]) -> str:
    """The summary as a table."""
    rows = list(_rows(summary))
    name = max(len(row[0]) for row in rows)
    number = max(len(row[1]) for row in rows)
    return "".join(f"{what:{name}}  {count:>{number}}  {remark}".rstrip() + "\n" for what, count, remark in rows)


def write_summary(destination: Destination, outcome: Outcome) -> None:
    """Write both forms.

    Raises
    ------
    OutputError (E_WRITE) : a file cannot be written.
    """
    summary = summary_of(outcome)
    for suffix, text in ((".json", json.dumps(summary, indent=1) + "\n"), (".txt", summary_text(summary))):
        with atomic_file(destination.named("summary", suffix)) as stream:
            stream.write(text.encode())
