"""What a worker is asked, and what it answers: plain data, one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from neuralgraph.bulk.facts import StudyFacts, read_facts

__all__ = ["FAILURES", "Answer", "Task", "answer_line", "read_answer", "read_task", "task_line"]

FAILURES: dict[str, str] = {
    "worker_died": "the worker process ended on this study; the file may need more memory than there is",
    "time_limit": "the study took longer than the limit and was given up",
    "id_unusable": "the id to be kept is no file name (letters, digits, '.', '_', '-'), or is another study's too",
}
"""Reasons for failures that are no error codes: what happens to a worker from outside."""


@dataclass(frozen=True)
class Task:
    """One study to convert, with everything a worker needs of it."""

    study_id: str
    """The pseudonym."""
    images: list[tuple[str, str]]
    """(path, view) of each image, view as in a manifest."""
    target: str
    """The file to write."""
    report: str | None = None
    report_path: str | None = None
    labels: dict[str, float] = field(default_factory=dict)
    labeler: str = ""
    report_graphs: list[str] = field(default_factory=list)
    """RadGraph entries as JSON."""


@dataclass(frozen=True)
class Answer:
    """What became of a study."""

    study_id: str
    reason: str = ""
    """"" for a study that was written; else an error code or a key of ``FAILURES``."""
    message: str = ""
    """What was wrong, one line that quotes nothing of the source."""
    sha256: str = ""
    """Of the file written, 64 hex digits."""
    facts: StudyFacts | None = None
    """What is counted of a study that was written."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Spent on each of ``facts.STAGES``; of a study that failed, on those it reached."""


def task_line(task: Task) -> bytes:
    """A task as a line."""
    return json.dumps(asdict(task)).encode() + b"\n"


def read_task(line: bytes) -> Task:
    """The task of a line."""
    record: dict[str, Any] = json.loads(line)
    return Task(**{**record, "images": [(path, view) for path, view in record["images"]]})


def answer_line(answer: Answer) -> bytes:
    """An answer as a line."""
    return json.dumps(asdict(answer)).encode() + b"\n"


def read_answer(line: bytes) -> Answer:
    """The answer of a line."""
    record: dict[str, Any] = json.loads(line)
    return Answer(**{**record, "facts": read_facts(record["facts"])})
