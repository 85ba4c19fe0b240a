"""What a collection knows of a study that is not in its record: the row it was made from, its patient, its split.

Receipts are the reason that a night's run may be repeated, that all studies of a patient can be removed at once, and
that a split does not tear a patient apart. They hold pseudonyms and keyed hashes, and go when their study goes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from neuralgraph.collection.places import Room
from neuralgraph.errors import FormatError
from neuralgraph.storage.manifest import Member

__all__ = ["StudyReceipt", "read_receipts", "write_receipts"]


@dataclass(frozen=True, slots=True)
class StudyReceipt:
    """Of one study; "" for what is not known."""

    given: str = ""
    """Keyed hash of the row it was made from (``neuralgraph.bulk.plan``)."""
    patient: str = ""
    """Pseudonym of the patient."""
    split: str = ""
    """Which split of its data set it belongs to."""

    @property
    def empty(self) -> bool:
        """Whether nothing is known."""
        return not (self.given or self.patient or self.split)


def write_receipts(room: Room, name: str, receipts: Mapping[str, StudyReceipt]) -> int:
    """Write the receipts of an archive, by study id; how many bytes, 0 when there is nothing to write."""
    known = {study_id: asdict(receipt) for study_id, receipt in receipts.items() if not receipt.empty}
    if not known:
        return 0
    data = json.dumps(known, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with room.writing(f"receipts/{name}.json") as stream:
        stream.write(data)
    return len(data)


def read_receipts(room: Room, member: Member) -> dict[str, StudyReceipt]:
    """The receipts of an archive, by study id; empty when it has none.

    Raises
    ------
    FormatError (E_MANIFEST) : they are damaged.
    """
    if not member.receipts:
        return {}
    data = room.read(member.receipts_path)
    try:
        if len(data) != member.receipts:
            raise ValueError("another length than the manifest says")
        found = {study_id: StudyReceipt(**row) for study_id, row in json.loads(data).items()}
        if not all(isinstance(value, str) for row in found.values() for value in asdict(row).values()):
            raise ValueError("not a text")
    except (ValueError, TypeError, AttributeError) as error:
        raise FormatError("the receipts are damaged", code="E_MANIFEST", where=member.receipts_path) from error
    return found
