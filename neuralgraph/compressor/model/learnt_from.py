"""Which patients a model learnt from, as keyed hashes: enough to refuse to test on them, nothing without the key.

    MODEL/patients.json     the hashes, and which key they were made under
    MODEL/patients.key      that key, where no key file was given; readable by its owner only

A number of eight digits is found by trying all of them, by whoever has the key. Leave ``patients.key`` behind when the
model is passed on; whoever has the patients' numbers and the key that was given can tell which of them it learnt from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from neuralgraph.errors import ModelError
from neuralgraph.storage.atomic import atomic_file

__all__ = ["PATIENTS_KEY_NAME", "PATIENTS_NAME", "LearntFrom", "read_learnt_from", "write_learnt_from"]

PATIENTS_NAME = "patients.json"
PATIENTS_KEY_NAME = "patients.key"


@dataclass(frozen=True)
class LearntFrom:
    """The patients of one training."""

    key: str
    """Fingerprint of the key."""
    patients: tuple[str, ...]
    """Keyed hashes, ascending."""


def write_learnt_from(directory: Path, trainings: Iterable[LearntFrom]) -> None:
    """Note the patients of every training that went into a model; those under one key become one entry.

    Raises
    ------
    OutputError (E_OUTPUT, E_WRITE) : it cannot be written.
    """
    by_key: dict[str, set[str]] = {}
    for training in trainings:
        by_key.setdefault(training.key, set()).update(training.patients)
    rows = [asdict(LearntFrom(key, tuple(sorted(patients)))) for key, patients in sorted(by_key.items())]
    with atomic_file(directory / PATIENTS_NAME) as stream:
        stream.write(json.dumps(rows, indent=1).encode() + b"\n")


def read_learnt_from(directory: Path) -> tuple[LearntFrom, ...]:
    """What a model says of its patients; empty where it says nothing.

    Raises
    ------
    ModelError (E_MODEL) : what it says cannot be read.
    """
    path = directory / PATIENTS_NAME
    if not path.is_file():
        return ()
    try:
        rows = json.loads(path.read_bytes())
        return tuple(LearntFrom(str(row["key"]), tuple(map(str, row["patients"]))) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{PATIENTS_NAME} cannot be read; it says whom the model learnt from", code="E_MODEL", where=str(directory)
        ) from error
