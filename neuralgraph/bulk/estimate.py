"""What a conversion will take, from a sample of its studies that is converted into a temporary folder."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from neuralgraph.bulk.local_pool import WorkerPool
from neuralgraph.bulk.plan import PlannedStudy
from neuralgraph.bulk.pseudonyms import KEY_BYTES, Pseudonyms
from neuralgraph.bulk.run import RunOptions
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.task import Answer
from neuralgraph.errors import MissingExtraError, ModelError
from neuralgraph.sources.layouts import ManifestRow
from neuralgraph.sources.layouts.selection import share_of

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True)
class Estimate:
    """What a conversion will take."""

    studies: int
    """To be converted."""
    workers: int
    sampled: int = 0
    """Studies that were tried."""
    failed: int = 0
    """Of them, those that cannot be converted."""
    seconds: float = 0.0
    """For all, with these workers; loading the model not counted."""
    seconds_error: float = 0.0
    """Twice the standard error of that."""
    bytes_in: int = 0
    """Of all films, as they lie there."""
    bytes_out: int = 0
    """Of all studies."""
    reason: str = ""
    """Why there is no estimate."""


def estimate(
    rows: Sequence[ManifestRow],
    settings: ConversionSettings,
    options: RunOptions,
    *,
    sample: int = 10,
    told: Callable[[int, int], None] | None = None,
) -> Estimate:
    """Convert a few studies, and say what all of them will take.

    The sample is always the same for the same source. Nothing of it is kept.

    Parameters
    ----------
    rows : of the manifest.
    settings, options : as of the conversion; the sample runs in one worker of this machine.
    sample : studies to try.
    told : called with studies tried and studies to try.
    """
    blank = Estimate(studies=len(rows), workers=options.workers)
    chosen = sorted(rows, key=lambda row: share_of(row.study_key, "estimate", 0))[:sample]
    if not chosen:
        return blank
    try:
        answers = _tried(chosen, settings, options, told)
    except (MissingExtraError, ModelError) as error:
        return Estimate(studies=len(rows), workers=options.workers, reason=f"{error.code}: {error.message}")
    seconds = [sum(answer.seconds.values()) for answer in answers]
    written = [answer.facts for answer in answers if answer.facts is not None]
    mean = sum(seconds) / len(seconds)
    variance = sum((value - mean) ** 2 for value in seconds) / max(1, len(seconds) - 1)
    share = len(rows) / max(1, options.workers)
    return Estimate(
        studies=len(rows),
        workers=options.workers,
        sampled=len(answers),
        failed=len(answers) - len(written),
        seconds=mean * share,
        seconds_error=2 * math.sqrt(variance / len(seconds)) * share,
        bytes_in=sum(_size(image.path) for row in rows for image in row.images),
        bytes_out=round(sum(facts.file_bytes for facts in written) / max(1, len(answers)) * len(rows)),
    )


def _tried(
    rows: Sequence[ManifestRow],
    settings: ConversionSettings,
    options: RunOptions,
    told: Callable[[int, int], None] | None,
) -> list[Answer]:
    """The answers for the sample, in the order they came."""
    answers: list[Answer] = []
    with tempfile.TemporaryDirectory(prefix="ngr-estimate-") as folder:
        waiting = [
            PlannedStudy(f"sample-{number:03d}", row, Pseudonyms(bytes(KEY_BYTES))).task(
                str(Path(folder, f"{number}.ngr"))
            )
            for number, row in enumerate(rows)
        ]
        with WorkerPool(
            settings, 1, command=options.command, time_limit=options.time_limit, verbose=options.verbose
        ) as pool:
            while len(answers) < len(rows):
                while waiting and pool.idle:
                    pool.give(waiting.pop(0))
                for answer in pool.answers():
                    answers.append(answer)
                    if told is not None:
                        told(len(answers), len(rows))
    return answers


def _size(path: str) -> int:
    with suppress(OSError):
        return Path(path).stat().st_size
    return 0
