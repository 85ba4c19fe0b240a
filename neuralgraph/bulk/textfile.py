"""A conversion watched from outside: a file in Prometheus' text format, for the textfile collector of node_exporter or
whatever else reads it. It is written aside and renamed, so that no reader ever sees half of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from neuralgraph.bulk.outcome import Outcome
from neuralgraph.errors import OutputError
from neuralgraph.storage.atomic import atomic_file, check_writable

__all__ = ["METRICS", "Metric", "MetricsFile"]

_EVERY = 5.0


@dataclass(frozen=True)
class Metric:
    """One metric; the file has one sample of each."""

    name: str
    kind: str
    """ "counter" or "gauge"."""
    meaning: str
    value: Callable[[Outcome], float]


def _stage(name: str) -> Callable[[Outcome], float]:
    return lambda outcome: round(outcome.stages[name], 3)


def _report(name: str) -> Callable[[Outcome], float]:
    return lambda outcome: outcome.here.reports[name]


METRICS: tuple[Metric, ...] = (
    Metric("ngr_convert_planned_studies", "gauge", "studies of the plan", lambda o: o.planned),
    Metric("ngr_convert_remaining_studies", "gauge", "studies neither done nor failed", lambda o: o.remaining),
    Metric("ngr_convert_converted_studies_total", "counter", "studies this run converted", lambda o: o.converted),
    Metric("ngr_convert_verified_studies_total", "counter", "studies that were there, whole", lambda o: o.verified),
    Metric("ngr_convert_failed_studies_total", "counter", "studies that failed", lambda o: o.failed),
    Metric("ngr_convert_films", "gauge", "films of the studies that are there", lambda o: o.here.films),
    Metric(
        "ngr_convert_doubtful_films", "gauge", "of them, films of doubtful quality", lambda o: o.here.doubtful_films
    ),
    Metric("ngr_convert_reports_given", "gauge", "studies there with a report", _report("given")),
    Metric("ngr_convert_reports_generated", "gauge", "studies scored by the model's own text", _report("generated")),
    Metric("ngr_convert_reports_absent", "gauge", "studies there without any text", _report("absent")),
    Metric("ngr_convert_source_bytes_total", "counter", "bytes of the films converted", lambda o: o.source_bytes),
    Metric("ngr_convert_file_bytes_total", "counter", "bytes of the studies converted", lambda o: o.file_bytes),
    Metric("ngr_convert_read_seconds_total", "counter", "reading films and reports, all workers", _stage("read")),
    Metric("ngr_convert_model_seconds_total", "counter", "scoring and joining, all workers", _stage("model")),
    Metric("ngr_convert_encode_seconds_total", "counter", "encoding, all workers", _stage("encode")),
    Metric("ngr_convert_write_seconds_total", "counter", "writing, all workers", _stage("write")),
    Metric("ngr_convert_run_seconds", "gauge", "the run has taken", lambda o: round(o.seconds, 3)),
)
"""Every metric that an outcome gives, in the order of the file; the file adds ``ngr_convert_running`` (1 while the run
goes on) and ``ngr_convert_updated_timestamp_seconds`` (when it was written)."""


class MetricsFile:
    """The file, written anew every few seconds.

    Parameters
    ----------
    path : the file; a textfile collector wants a name that ends in ``.prom``.

    Raises
    ------
    OutputError (E_OUTPUT) : it cannot be written there.
    """

    def __init__(self, path: str | os.PathLike[str], *, every: float = _EVERY) -> None:
        check_writable(path)
        self._path, self._every = path, every
        self._next = 0.0

    def __call__(self, outcome: Outcome, *, running: bool = True) -> None:
        """Write the file if it is time, and in any case when the run ends."""
        now = time.monotonic()
        if running and now < self._next:
            return
        self._next = now + self._every
        # A disk that is full ends the run where studies are written, not where they are counted.
        with suppress(OutputError), atomic_file(self._path) as stream:
            stream.write(metrics_text(outcome, running=running, moment=time.time()).encode())


def metrics_text(outcome: Outcome, *, running: bool, moment: float) -> str:
    """The content of the file."""
    found = [(metric.name, metric.kind, metric.meaning, metric.value(outcome)) for metric in METRICS]
    found.append(("ngr_convert_running", "gauge", "1 while the run goes on, 0 when it has ended", int(running)))
    found.append(("ngr_convert_updated_timestamp_seconds", "gauge", "when this was written", round(moment, 3)))
    return "".join(
        f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n{name} {value}\n" for name, kind, meaning, value in found
    )
