"""Convert a plan: what is missing is converted, what is there is verified, what fails is listed.

The order of writes is what makes a crash harmless: file (whole or absent), then receipt, then, for archives, archive,
its receipt, and only then the parts are deleted. Every state in between is one the next run continues from.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from neuralgraph.bulk.converter import MakerOf, default_maker
from neuralgraph.bulk.destination import Destination
from neuralgraph.bulk.ledger import Ledger
from neuralgraph.bulk.local_pool import WORKER, WorkerPool
from neuralgraph.bulk.outcome import Outcome
from neuralgraph.bulk.plan import Failure, Plan, PlannedStudy
from neuralgraph.bulk.pool import Pool
from neuralgraph.bulk.ray_pool import RayPool
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.summary import write_summary
from neuralgraph.bulk.task import Answer
from neuralgraph.errors import FormatError, OutputError, StudyError
from neuralgraph.storage.atomic import check_writable
from neuralgraph.storage.save import check_profile

__all__ = ["Observer", "Outcome", "Progress", "RunOptions", "convert"]

# A full disk fails every study that follows: after this many in a row the run stops instead of listing them all.
_FAILED_WRITES = 3
_OUTPUT_CODES = ("E_WRITE", "E_OUTPUT")


class Progress(Protocol):
    """Told about every study; the command line draws a bar."""

    def __call__(self, *, verified: int = 0, converted: int = 0, failed: int = 0) -> None:
        """So many more studies were verified, converted, or failed."""


class Observer(Protocol):
    """Shown what was done."""

    def __call__(self, outcome: Outcome, *, running: bool) -> None:
        """``running`` is False for the last time."""


@dataclass(frozen=True)
class RunOptions:
    """How a run goes about it; nothing here changes a study."""

    workers: int = 1
    """Processes."""
    pack: int = 0
    """Studies per archive; 0 writes one file per study."""
    profile: str = "compact"
    """Of the archives: "compact" or "train" (see ``neuralgraph.pack``)."""
    max_errors: int | None = None
    """Give up once more studies than this have failed; None goes on."""
    time_limit: float = 300.0
    """Seconds per study."""
    failures: Path | None = None
    """Where failures are listed; in the destination when None."""
    verbose: bool = False
    """Let through what workers write to stderr."""
    engine: Literal["local", "ray"] = "local"
    """"local" for processes on this machine, "ray" for actors."""
    ray_address: str = ""
    """Of a running cluster; "" starts one on this machine."""
    command: Sequence[str] = WORKER
    """Starts a worker."""
    make: MakerOf = default_maker
    """What an actor makes its studies with, as the command says it for a worker."""


def convert(
    plan: Plan,
    destination: Destination,
    settings: ConversionSettings,
    options: RunOptions | None = None,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    observe: Observer | None = None,
) -> Outcome:
    """Convert what is missing.

    Parameters
    ----------
    plan : what belongs into the destination.
    destination : with its lock not yet taken.
    settings : how studies are made.
    options : workers and the like.
    progress : told about every study.
    stop : asked between studies; once it says so, studies in hand are finished and the run ends.
    observe : shown what was done, again and again, and once more at the end.

    Returns
    -------
    Outcome

    Raises
    ------
    OutputError : the destination is in use, holds studies of other settings, or its state cannot be read.
    ModelError, MissingExtraError : the model cannot be loaded.
    StudyError (E_IDX) : unknown profile, or one for archives without ``pack``.
    """
    options = options or RunOptions()
    check_profile(options.profile)
    if options.profile != "compact" and not options.pack:
        reason = f"the profile {options.profile} is for archives; say how many studies one has (pack)"
        raise StudyError(reason, code="E_IDX", where="profile")
    lock = destination.lock()
    try:
        destination.agree({**settings.record, "pack": options.pack, "profile": options.profile})
        with _failures(options.failures or destination.named("failures", ".jsonl")) as failures:
            run = _Run(plan, destination, settings, options, failures, progress, stop, observe)
            outcome = run(lock)
            outcome.unlisted = failures.lost
            return outcome
    finally:
        destination.unlock()


class _Run:
    """One run over one shard."""

    def __init__(
        self,
        plan: Plan,
        destination: Destination,
        settings: ConversionSettings,
        options: RunOptions,
        failures: FailureList,
        progress: Progress | None,
        stop: Callable[[], bool],
        observe: Observer | None,
    ) -> None:
        self._plan = plan
        self._destination = destination
        self._settings = settings
        self._options = options
        self._failures = failures
        self._progress = progress
        self._stop = stop
        self._observe = observe
        self._began = time.monotonic()
        self._failed_writes = 0
        self._outcome = Outcome(planned=len(plan.studies) + len(plan.faults), dropped=dict(plan.dropped))

    def __call__(self, lock: Sequence[int]) -> Outcome:
        destination, outcome = self._destination, self._outcome
        with Ledger(destination, self._plan, self._options.pack, self._options.profile) as ledger:
            for failure in self._plan.faults:
                self._fail(failure)
            missing = self._missing(ledger)
            first = next(missing, None)
            if first is not None:
                self._convert(first, missing, ledger, lock)
            self._look()
            if outcome.stopped != "destination":
                try:
                    ledger.finish()
                    outcome.restored, outcome.orphans = ledger.restored, ledger.orphans
                    outcome.changed = ledger.changed
                    write_summary(destination, outcome)
                except OutputError as error:
                    self._fail_output(error)
                except FormatError as error:
                    self._fail(Failure("", error.code, error.message))
        if self._observe is not None:
            self._observe(outcome, running=False)
        return outcome

    def _look(self) -> None:
        """Show what was done by now."""
        self._outcome.seconds = time.monotonic() - self._began
        if self._observe is not None:
            self._observe(self._outcome, running=True)

    def _missing(self, ledger: Ledger) -> Iterator[PlannedStudy]:
        """The studies to convert; those that are there are verified on the way."""
        for study in self._plan.studies:
            if self._ended():
                return
            if ledger.is_done(study):
                self._outcome.verified += 1
                ledger.count(study, self._outcome.here)
                self._tell(verified=1)
            else:
                yield study

    def _convert(self, first: PlannedStudy, rest: Iterator[PlannedStudy], ledger: Ledger, lock: Sequence[int]) -> None:
        waiting: PlannedStudy | None = first
        agreed = False
        given: dict[str, PlannedStudy] = {}
        with self._pool(lock) as pool:
            while given or (waiting is not None and not self._ended()):
                while waiting is not None and pool.idle and not self._ended():
                    if not agreed:
                        self._destination.agree({"method": pool.method})
                        agreed = True
                    given[waiting.study_id] = waiting
                    # Before they are converted: a file that changes meanwhile is another one for the next run.
                    waiting.seen, waiting.given  # noqa: B018
                    pool.give(waiting.task(str(ledger.target(waiting))))
                    waiting = next(rest, None)
                for answer in pool.answers():
                    self._take(given.pop(answer.study_id), answer, ledger)
                self._look()

    def _pool(self, lock: Sequence[int]) -> Pool:
        options = self._options
        if options.engine == "ray":
            return RayPool(
                self._settings,
                options.workers,
                address=options.ray_address,
                make=options.make,
                time_limit=options.time_limit,
                verbose=options.verbose,
            )
        return WorkerPool(
            self._settings,
            options.workers,
            command=options.command,
            time_limit=options.time_limit,
            inherited=lock,
            verbose=options.verbose,
        )

    def _take(self, study: PlannedStudy, answer: Answer, ledger: Ledger) -> None:
        self._outcome.took(answer)
        if answer.reason:
            self._fail(Failure(study.study_id, answer.reason, answer.message))
            self._failed_writes = self._failed_writes + 1 if answer.reason in _OUTPUT_CODES else 0
            if self._failed_writes >= _FAILED_WRITES:
                self._outcome.stopped = "destination"
            settled = None
        else:
            self._failed_writes = 0
            settled = answer.sha256
        try:
            ledger.settle(study, settled, answer.facts)
        except (OutputError, FormatError) as error:
            self._fail(Failure(study.study_id, error.code, error.message))
            # A finished study that was damaged while it waited for its archive is made anew by the next run.
            self._outcome.stopped = self._outcome.stopped if isinstance(error, FormatError) else "destination"
            return
        if settled is not None:
            self._outcome.wrote(answer)
            ledger.count(study, self._outcome.here)
            self._tell(converted=1)

    def _ended(self) -> bool:
        """Whether no further study is begun."""
        most = self._options.max_errors
        if not self._outcome.stopped:
            if self._stop():
                self._outcome.stopped = "signal"
            elif most is not None and self._outcome.failed > most:
                self._outcome.stopped = "max_errors"
        return bool(self._outcome.stopped)

    def _fail(self, failure: Failure) -> None:
        self._outcome.failed += 1
        self._outcome.reasons[failure.reason] += 1
        self._failures.add(failure)
        self._tell(failed=1)

    def _fail_output(self, error: OutputError) -> None:
        self._outcome.reasons[error.code] += 1
        self._outcome.stopped = "destination"
        self._failures.add(Failure("", error.code, error.message))

    def _tell(self, *, verified: int = 0, converted: int = 0, failed: int = 0) -> None:
        if self._progress is not None:
            self._progress(verified=verified, converted=converted, failed=failed)


class FailureList:
    """The list of failures of a run, JSON lines; there is no file while there is nothing to list.

    Parameters
    ----------
    path : replaced by this run's list.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO | None = None
        self.lost = 0
        """Lines that could not be written, because the disk is full too."""
        path.unlink(missing_ok=True)

    def add(self, failure: Failure) -> None:
        """Write one line."""
        try:
            if self._stream is None:
                self._stream = open(self._path, "wb", buffering=0)  # noqa: SIM115  closed with the list
            self._stream.write(json.dumps(asdict(failure)).encode() + b"\n")
        except OSError:
            self.lost += 1

    def __enter__(self) -> FailureList:
        """The list itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Flush the list to disk and close it."""
        if self._stream is not None:
            os.fsync(self._stream.fileno())
            self._stream.close()


def _failures(path: Path) -> FailureList:
    check_writable(path)
    try:
        return FailureList(path)
    except OSError as error:
        raise OutputError(
            f"the list of failures cannot be replaced ({error.strerror})", code="E_OUTPUT", where=str(path)
        ) from error
