"""Prepared films on disk: reading or rendering a film costs far more than a training step on it, and is done once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.sources.layouts.selection import share_of

__all__ = ["Example", "ExampleSet", "Prepared", "prepared", "split_by_patient", "write_examples"]

_Task = TypeVar("_Task")
_PLANES, _ROWS = "films.bin", "examples.jsonl"
_FULL = 65535


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """One film as a worker hands it over; or, with ``failure`` set, why there is none."""

    pixels: NDArray[np.uint16] | None = None
    """uint16 [height, width], the model's input before normalisation, padded to whole patches; 65535 is 1.0. Eight bits
    would lose what a detector of 12 to 16 bits shows in the mediastinum."""
    masks: NDArray[np.uint8] | None = None
    """uint8 [planes, height, width], where something is marked: bit k of a pixel in plane p says that structure
    8 p + k is there."""
    structures: tuple[str, ...] = ()
    """Name of structure k; "" for the place of a phrase alone, or for a bit without a meaning."""
    known: tuple[str, ...] = ()
    """Structures that are marked wherever they are, ``places.EVERYTHING`` for all: the rest of the film is bare of
    them. Of others it is unknown where else they are."""
    report: str = ""
    phrases: tuple[tuple[int, str], ...] = ()
    """(k, words): words of the report that say that structure k of the masks is there, as the report has them."""
    labels: dict[str, float] = dataclasses.field(default_factory=dict)
    """1 present, 0 absent; what is uncertain or not mentioned is no entry."""
    patient: str = ""
    """Equal for films of one patient."""
    split: str = ""
    """train, validate, test, or "" where the source does not say."""
    source: str = ""
    """Which of the sources of a run it is from."""
    failure: str = ""
    """An error code; "" for a film."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    """One film with its report, as it is learnt from."""

    pixels: NDArray[np.uint16]
    """uint16 [height, width], read from disk when it is used."""
    masks: NDArray[np.uint8] | None
    """This and the rest as in ``Prepared``."""
    structures: tuple[str, ...]
    known: tuple[str, ...]
    report: str
    phrases: tuple[tuple[int, str], ...]
    labels: dict[str, float]
    patient: str
    split: str
    source: str


def prepared(film: NDArray[Any], preprocessor: Preprocessor, **rest: Any) -> Prepared:
    """A film in the form it is kept in.

    Parameters
    ----------
    film : float32 [H, W], 0 to 1.
    preprocessor : of the model; decides size and padding. Its normalisation is undone: exposure is varied first.
    rest : the other fields of ``Prepared``.
    """
    grey = preprocessor(film)[0] * preprocessor.std + preprocessor.mean
    return Prepared(pixels=(grey.clamp(0, 1) * _FULL).round().numpy().astype(np.uint16), **rest)


class ExampleSet(Sequence[Example]):
    """The examples that ``write_examples`` left in a folder; pixels stay on disk until an example is used.

    Parameters
    ----------
    folder : where they lie.
    chosen : numbers of the examples that belong to this set; None takes all.
    """

    def __init__(self, folder: Path, chosen: Sequence[int] | None = None) -> None:
        self._folder = folder
        self._rows: list[dict[str, Any]] = [
            json.loads(line) for line in (folder / _ROWS).read_text(encoding="utf-8").splitlines()
        ]
        self._chosen = list(range(len(self._rows))) if chosen is None else list(chosen)
        self._films = np.memmap(folder / _PLANES, np.uint8, mode="r") if self._rows else np.empty(0, np.uint8)

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]  # slices are not needed
        row = self._rows[self._chosen[index]]
        (height, width), start = row["shape"], row["start"]
        # A film takes two bytes a pixel, a plane of masks one.
        middle = start + 2 * height * width
        masks = self._films[middle : middle + row["planes"] * height * width].reshape(-1, height, width)
        return Example(
            pixels=np.asarray(self._films[start:middle]).view("<u2").reshape(height, width),
            masks=np.asarray(masks) if row["planes"] else None,
            structures=tuple(row["structures"]),
            known=tuple(row["known"]),
            report=row["report"],
            phrases=tuple((int(bit), str(words)) for bit, words in row["phrases"]),
            labels=row["labels"],
            patient=row["patient"],
            split=row["split"],
            source=row["source"],
        )

    def shape(self, index: int) -> tuple[int, int]:
        """Height and width of one film, without reading it."""
        height, width = self._rows[self._chosen[index]]["shape"]
        return height, width

    def report(self, index: int) -> str:
        """The report of one example, without its film."""
        return str(self._rows[self._chosen[index]]["report"])

    def part(self, chosen: Sequence[int]) -> ExampleSet:
        """Some of the examples, by their numbers in this set."""
        return ExampleSet(self._folder, [self._chosen[number] for number in chosen])

    def source(self, index: int) -> str:
        """The source of one example, without its film."""
        return str(self._rows[self._chosen[index]]["source"])

    def patient(self, index: int) -> str:
        """The patient of one example, without its film."""
        return str(self._rows[self._chosen[index]]["patient"])

    def film(self, index: int) -> str:
        """A name for the film of one example, equal for the same film with another text."""
        row = self._rows[self._chosen[index]]
        (height, width), start = row["shape"], row["start"]
        return hashlib.sha256(self._films[start : start + 2 * height * width].tobytes()).hexdigest()

    @property
    def labels(self) -> list[dict[str, float]]:
        """The labels of every example."""
        return [self._rows[number]["labels"] for number in self._chosen]

    @property
    def structure_names(self) -> tuple[str, ...]:
        """Every structure that is marked, or known to be bare, on any film, in alphabetical order."""
        return tuple(sorted({name for number in self._chosen for name in self._rows[number]["structures"] if name}))

    @property
    def annotated(self) -> list[int]:
        """Numbers of the examples on which something is marked."""
        return [place for place, number in enumerate(self._chosen) if self._rows[number]["planes"]]

    @property
    def label_names(self) -> tuple[str, ...]:
        """Every label that any example has, in alphabetical order."""
        return tuple(sorted({name for number in self._chosen for name in self._rows[number]["labels"]}))

    @property
    def patients(self) -> frozenset[str]:
        """Every patient that an example is of."""
        return frozenset(str(self._rows[number]["patient"]) for number in self._chosen)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of rows and numbers, to tell whether a run continues on the data it began with."""
        rows = [self._rows[number] for number in self._chosen]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def write_examples(
    folder: Path,
    tasks: Sequence[_Task],
    prepare: Callable[[_Task], list[Prepared]],
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Prepare films, in parallel, and keep them; the same files whatever the number of workers.

    The folder holds reports and pixels of the source and is readable by its owner only.

    Parameters
    ----------
    folder : created when absent; older examples in it are replaced.
    tasks : what to prepare.
    prepare : a module's function; runs in other processes when there is more than one worker.
    workers : processes.
    progress : called with tasks done and tasks in all.

    Returns
    -------
    Failures by code, in alphabetical order.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    failures: dict[str, int] = {}
    start = 0
    with _private(folder / _PLANES) as films, _private(folder / _ROWS) as rows:
        for done, results in enumerate(_in_order(tasks, prepare, workers), 1):
            for result in results:
                if result.pixels is None:
                    failures[result.failure] = failures.get(result.failure, 0) + 1
                    continue
                planes = () if result.masks is None else tuple(result.masks)
                films.write(result.pixels.astype("<u2").tobytes())
                for plane in planes:
                    films.write(plane.tobytes())
                row = {
                    "start": start,
                    "shape": list(result.pixels.shape),
                    "planes": len(planes),
                    "structures": result.structures,
                    "known": result.known,
                    "report": result.report,
                    "phrases": result.phrases,
                    "labels": result.labels,
                    "patient": result.patient,
                    "split": result.split,
                    "source": result.source,
                }
                rows.write(json.dumps(row).encode() + b"\n")
                start += (2 + len(planes)) * result.pixels.size
            if progress is not None:
                progress(done, len(tasks))
    return dict(sorted(failures.items()))


def split_by_patient(examples: ExampleSet, *, share: float, seed: int) -> tuple[ExampleSet, ExampleSet]:
    """Training and validation examples; no patient is in both.

    A source that marks examples "validate" has made its own split, which is kept; its test part is left out. Else every
    patient falls by a keyed hash, so that further patients move nobody.

    Parameters
    ----------
    share : of the patients, for validation.
    seed : of the hash.
    """
    rows = [examples[number] for number in range(len(examples))]
    if any(row.split == "validate" for row in rows):
        held_out = {row.patient for row in rows if row.split in ("validate", "test")}
        train = [number for number, row in enumerate(rows) if row.patient not in held_out]
        validate = [number for number, row in enumerate(rows) if row.split == "validate"]
    else:
        usable = [number for number, row in enumerate(rows) if row.split != "test"]
        chosen = {number for number in usable if share_of(rows[number].patient, "validation", seed) < share}
        train = [number for number in usable if number not in chosen]
        validate = sorted(chosen)
    return examples.part(train), examples.part(validate)


def _in_order(
    tasks: Sequence[_Task], prepare: Callable[[_Task], list[Prepared]], workers: int
) -> Iterator[list[Prepared]]:
    if workers <= 1:
        yield from map(prepare, tasks)
        return
    # Spawned, not forked: libraries that hold threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        results: Iterable[list[Prepared]] = pool.imap(prepare, tasks, chunksize=8)
        yield from results


def _private(path: Path) -> Any:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "wb", buffering=1 << 20)
