"""The films of the benchmark, prepared once, and which fold each patient is in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.training.examples import ExampleSet, write_examples
from neuralgraph.compressor.training.manifest_films import manifest_tasks
from neuralgraph.compressor.training.nih_films import MARKED, nih_rows
from neuralgraph.compressor.training.phantom_films import PHANTOM
from neuralgraph.compressor.training.sources import nih_and_phantoms, prepare_task
from neuralgraph.sources.layouts.selection import share_of

__all__ = ["fold_of", "learnt_from", "marked_at", "marked_of", "prepared_films"]

_FOLD_SEED = 7
_VALIDATED = 16
"""Phantoms that the run validates with: no film of a person says when to stop."""


def prepared_films(folder: Path, films: Path, preprocessor: Preprocessor, phantoms: int) -> ExampleSet:
    """Films of people and phantoms, prepared into a folder, or found there."""
    return _prepared(folder, nih_and_phantoms(films, phantoms, preprocessor))


def marked_at(folder: Path, films: Path, preprocessor: Preprocessor, side: int) -> ExampleSet:
    """The marked films alone, with the first of their texts, at another longest side (pixels)."""
    marked, _ = nih_rows(films)
    return _prepared(folder, manifest_tasks(marked, dataclasses.replace(preprocessor, max_side=side), source=MARKED))


def _prepared(folder: Path, tasks: Sequence[Any]) -> ExampleSet:
    done = folder / "complete"
    if not done.is_file():
        failures = write_examples(folder, tasks, prepare_task)
        if failures:
            raise SystemExit(f"films that cannot be read: {failures}")
        done.touch()
    return ExampleSet(folder)


def fold_of(patient: str, folds: int) -> int:
    """The fold of a patient, by a keyed hash: further patients move nobody."""
    return int(share_of(patient, "cross-validation", _FOLD_SEED) * folds)


def learnt_from(examples: ExampleSet, fold: int, folds: int) -> tuple[ExampleSet, ExampleSet]:
    """What a fold learns from, and the phantoms it validates with: nobody of the fold is in either."""
    phantoms = [number for number in range(len(examples)) if examples.source(number) == PHANTOM]
    check = set(phantoms[:_VALIDATED])
    learn = [
        number
        for number in range(len(examples))
        if number not in check
        and (examples.source(number) == PHANTOM or fold_of(examples.patient(number), folds) != fold)
    ]
    return examples.part(learn), examples.part(sorted(check))


def marked_of(examples: ExampleSet, fold: int | None, folds: int) -> ExampleSet:
    """The marked films of the patients of a fold (of all, for None), each once: with the first of its texts."""
    seen: set[str] = set()
    chosen = []
    for number in range(len(examples)):
        if examples.source(number) != MARKED or fold not in (None, fold_of(examples.patient(number), folds)):
            continue
        film = examples.film(number)
        if film not in seen:
            seen.add(film)
            chosen.append(number)
    return examples.part(chosen)
