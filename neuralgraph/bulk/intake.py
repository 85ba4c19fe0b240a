"""A night's studies into a collection: converted in a folder beside it, then added in one commit, then swept.

What was taken in is known by receipt: the collection keeps, for every study, the keyed hash of the row, the films and
the report it was made from. So a run that is repeated converts nothing, a corrected report replaces its study, and a
study that was removed from the collection is passed over. A run that is killed is continued by the same command, at any
moment: files wait in the intake until the commit, and what the commit holds already is skipped.

    DIR/.intake/                 the destination of the conversion, in the folder of the collection
    DIR/.intake/ID.ngr           converted, not yet committed
    DIR/.intake/.ngr-convert/    key, settings and receipts of the run (destination.py)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from neuralgraph.access.places import is_url
from neuralgraph.bulk.destination import STATE, Destination, file_digest
from neuralgraph.bulk.plan import Plan, PlannedStudy
from neuralgraph.bulk.pseudonyms import Pseudonyms, destination_key
from neuralgraph.bulk.receipts import Receipt, read_receipts
from neuralgraph.bulk.run import Outcome
from neuralgraph.collection import Added, Collection, StudyReceipt, add
from neuralgraph.collection.leftovers import INTAKE
from neuralgraph.collection.places import Where
from neuralgraph.collection.receipts import read_receipts as read_study_receipts

__all__ = ["Intake", "convert_into", "intake_folder", "intake_key"]


@dataclass(frozen=True)
class Intake:
    """What of a plan is still to be converted."""

    plan: Plan
    held: int
    """Studies that the collection holds, made from the same row and files."""
    removed: int
    """Studies that were removed from the collection; they are passed over."""


def intake_folder(place: Where) -> Path | None:
    """The folder of the intake; None for a collection in a bucket, whose intake lies where the user says."""
    return None if is_url(place) else Path(place) / INTAKE


def intake_key(place: Where) -> bytes | None:
    """The key of the pseudonyms that the intake made for itself; None when there is none.

    Raises
    ------
    OutputError (E_WRITE) : it cannot be read.
    """
    folder = intake_folder(place)
    path = None if folder is None else folder / STATE / "key"
    return destination_key(path) if path is not None and path.exists() else None


def _intake_plan(collection: Collection, plan: Plan) -> Intake:
    """The plan without what the collection holds, made from the same rows, or must not hold.

    Raises
    ------
    FormatError (E_MANIFEST, E_OPEN) : the collection cannot be read.
    """
    manifest = collection.head()
    planned = {study.study_id: study for study in plan.studies}
    held: set[str] = set()
    for member in manifest.archives:
        receipts = read_study_receipts(collection.room, member)
        held |= {key for key in planned.keys() & receipts.keys() if receipts[key].given == planned[key].given}
    stones = set(manifest.removed)
    removed = {key for key in planned if stones and manifest.tombstone(key) in stones}
    left = tuple(study for study in plan.studies if study.study_id not in held | removed)
    dropped = {**plan.dropped, **({"removed_from_collection": len(removed)} if removed else {})}
    return Intake(replace(plan, studies=left, dropped=dropped), len(held - removed), len(removed))


def convert_into(
    place: Where,
    destination: Destination,
    plan: Plan,
    pseudonyms: Pseudonyms,
    convert: Callable[[Plan], Outcome],
) -> Outcome:
    """Convert what a collection does not hold, and add it.

    Parameters
    ----------
    place : of the collection.
    destination : the intake.
    plan : of the source.
    pseudonyms : under the key of the conversion.
    convert : converts a plan into the destination.

    Returns
    -------
    what was done; studies that the collection held count as verified.

    Raises
    ------
    OutputError, ModelError, MissingExtraError, StudyError : as ``neuralgraph.bulk.run.convert``.
    CollectionError (E_CONFLICT) : other writers were faster again and again; the next run tries again.
    FormatError (E_MANIFEST, E_OPEN) : the collection cannot be read.
    """
    collection = Collection(place)
    intake = _intake_plan(collection, plan)
    outcome = convert(intake.plan)
    destination.lock()
    try:
        _take_in(collection, destination, plan.studies, pseudonyms)
    finally:
        destination.unlock()
    outcome.planned += intake.held
    outcome.verified += intake.held
    return outcome


def _take_in(
    collection: Collection, destination: Destination, studies: Iterable[PlannedStudy], pseudonyms: Pseudonyms
) -> Added | None:
    """Add what is finished in the intake to the collection, and sweep the intake; None when there is nothing.

    Parameters
    ----------
    collection : which.
    destination : the intake; nobody else converts into it.
    studies : of the plan of this run; they say who the patient is, and which split.
    pseudonyms : under the key of the conversion.

    Raises
    ------
    CollectionError (E_CONFLICT) : other writers were faster again and again; the next run tries again.
    OutputError, FormatError : the collection cannot be read or written.
    """
    rows = {study.study_id: study for study in studies}
    finished: dict[str, Receipt] = {}
    for receipt in read_receipts([destination.receipts_path]):
        if isinstance(receipt, Receipt):
            finished[receipt.study] = receipt
    files: dict[str, Path] = {}
    receipts: dict[str, StudyReceipt] = {}
    for study_id, receipt in sorted(finished.items()):
        path = destination.folder / f"{study_id}.ngr"
        if file_digest(path) == receipt.sha256:
            files[study_id] = path
            receipts[study_id] = _receipt(receipt, rows.get(study_id), pseudonyms)
    done = None
    if files:
        done = add(collection, list(files.values()), replace=True, skip_removed=True, receipts=receipts)
    for path in (*files.values(), destination.receipts_path, destination.named("studies", ".csv")):
        path.unlink(missing_ok=True)
    return done


def _receipt(receipt: Receipt, study: PlannedStudy | None, pseudonyms: Pseudonyms) -> StudyReceipt:
    if study is None or study.given != receipt.given:
        return StudyReceipt(given=receipt.given)
    patient = study.row.patient_key
    return StudyReceipt(receipt.given, pseudonyms("patient", patient) if patient else "", study.row.split or "")
