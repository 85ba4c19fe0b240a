"""Which films ``ngr bench`` measures, and measuring them one by one."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuralgraph.cli.progress import meter
from neuralgraph.cli.stop_signals import asked_to_stop
from neuralgraph.errors import MissingExtraError, NeuralGraphError, SourceError

if TYPE_CHECKING:
    from neuralgraph.sizes import FilmSizes

__all__ = ["Chosen", "Measured", "chosen_films", "measure_films"]

_SEED = 0
"""The same folder gives the same sample."""
_EVERY = 10.0
"""Seconds between lines on progress; a film takes several."""
_LAST = "this film, with what was measured"


@dataclass(frozen=True)
class Chosen:
    """The films to measure."""

    paths: tuple[Path, ...]
    found: int
    """Films there are, those left out included."""
    refused: tuple[dict[str, str], ...] = ()
    """Folders that cannot be listed or hold no film: file, code, message."""


@dataclass
class Measured:
    """What became of the films."""

    films: list[tuple[Path, FilmSizes, float]] = field(default_factory=list)
    """Path, sizes, and the seconds it took to make and measure them."""
    failures: list[dict[str, str]] = field(default_factory=list)
    """file, code, message."""
    stopped_before: int = 0
    """Films that a signal left unmeasured."""

    @property
    def sizes(self) -> list[FilmSizes]:
        """Of the films that were measured."""
        return [sizes for _, sizes, _ in self.films]


def chosen_films(given: Sequence[Path], *, most: int | None) -> Chosen:
    """Files as they are given, and of folders all films or a sample of them.

    Parameters
    ----------
    given : films, and folders with films at any depth.
    most : films to take of the folders, drawn at random but always the same ones; None for all.
    """
    from neuralgraph.sources.layouts.folder import films_below

    files = [path for path in given if not path.is_dir()]
    below: list[Path] = []
    refused = []
    for folder in (path for path in given if path.is_dir()):
        unlisted: list[str] = []
        try:
            here = [folder / name for name in films_below(folder, unlisted.append)]
            if not here and not unlisted:
                raise SourceError("no film in this folder: DICOM, PNG or JPEG", code="E_SOURCE_READ")
        except SourceError as error:
            refused.append(_failure(folder, error))
            continue
        below.extend(here)
        for name in unlisted:
            refused.append(_failure(folder / name, SourceError("the folder cannot be listed", code="E_SOURCE_READ")))
    below = [path for path in dict.fromkeys(below) if path not in set(files)]
    files = list(dict.fromkeys(files))
    sample = below if most is None or len(below) <= most else sorted(random.Random(_SEED).sample(below, most))
    return Chosen((*files, *sample), len(files) + len(below), tuple(refused))


def measure_films(paths: Sequence[Path], compressor: Any, *, reports: bool) -> Measured:
    """Every film in every coding; what fails is kept with its reason, and a signal to stop keeps what was measured.

    Parameters
    ----------
    paths : of the films.
    compressor : makes the studies.
    reports : read the report of ``film.dcm`` from ``film.txt``.

    Raises
    ------
    MissingExtraError (E_EXTRA) : no film could be measured, and one of them for want of an extra.
    """
    result = Measured()
    missing: MissingExtraError | None = None
    with meter("bench", len(paths), unit="films", every=_EVERY) as told, asked_to_stop(_LAST) as stop:
        for number, path in enumerate(paths):
            if stop():
                result.stopped_before = len(paths) - number
                break
            began = time.perf_counter()
            try:
                sizes = _measured(path, compressor, reports=reports)
            except NeuralGraphError as error:
                missing = error if isinstance(error, MissingExtraError) else missing
                result.failures.append(_failure(path, error))
                told(failed=1)
                continue
            result.films.append((path, sizes, time.perf_counter() - began))
            told()
    if missing is not None and not result.films:
        raise missing
    return result


def _failure(path: Path, error: NeuralGraphError) -> dict[str, str]:
    return {"file": str(path), "code": error.code, "message": error.message}


def _measured(path: Path, compressor: Any, *, reports: bool) -> FilmSizes:
    from neuralgraph.sizes import measure_film
    from neuralgraph.sources import read_report
    from neuralgraph.sources.films.samples import read_samples

    samples = read_samples(path)
    beside = path.with_suffix(".txt")
    report = read_report(beside) if reports and beside.is_file() else None
    return measure_film(samples, compressor(samples.film, report))
