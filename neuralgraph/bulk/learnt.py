"""Whether the model that makes studies learnt from their patients: such studies must never test it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from neuralgraph.bulk.pseudonyms import Pseudonyms, read_key
from neuralgraph.compressor.model.learnt_from import PATIENTS_KEY_NAME, LearntFrom
from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts import ManifestRow
from neuralgraph.sources.layouts.selection import patient_of

__all__ = ["LEARNT", "Learnt", "hashed_patients", "model_key"]

LEARNT: tuple[str, ...] = ("yes", "no", "unknown", "")
"""What is said of a study: the model learnt from its patient, or not, or under a key that is not at hand; "" where the
model says nothing of its patients."""

_KIND = "learnt from"


def hashed_patients(patients: Iterable[str], pseudonyms: Pseudonyms) -> LearntFrom:
    """The patients of a training under a key.

    Parameters
    ----------
    patients : as ``selection.patient_of`` names them.
    pseudonyms : under the key.
    """
    hashes = {pseudonyms(_KIND, patient) for patient in patients}
    return LearntFrom(pseudonyms.fingerprint, tuple(sorted(hashes)))


def model_key(directory: Path) -> Pseudonyms | None:
    """The key that a model brings along; None where it brings none."""
    try:
        return Pseudonyms(read_key(directory / PATIENTS_KEY_NAME))
    except SourceError:
        return None


class Learnt:
    """Asks a model's record of its patients.

    Parameters
    ----------
    trainings : what the model says.
    keys : those at hand.
    """

    def __init__(self, trainings: Sequence[LearntFrom], keys: Iterable[Pseudonyms]) -> None:
        known = {key.fingerprint: key for key in keys}
        self._readable = [(known[one.key], frozenset(one.patients)) for one in trainings if one.key in known]
        self.unreadable = sum(len(one.patients) for one in trainings if one.key not in known)
        """Patients under keys that are not at hand."""
        self._silent = not trainings

    def __call__(self, row: ManifestRow) -> str:
        """One of ``LEARNT``."""
        patient = patient_of(row)
        if any(key(_KIND, patient) in patients for key, patients in self._readable):
            return "yes"
        return "" if self._silent else "unknown" if self.unreadable else "no"
