"""What is finished, and the archives that are made of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from neuralgraph.bulk.destination import Destination, file_digest
from neuralgraph.bulk.facts import StudyFacts, Totals
from neuralgraph.bulk.packs import assign, build
from neuralgraph.bulk.plan import Plan, PlannedStudy
from neuralgraph.bulk.receipts import PackReceipt, Receipt, ReceiptFile, read_receipts
from neuralgraph.storage.atomic import atomic_file

__all__ = ["Ledger"]


class Ledger:
    """The receipts of a destination as a run uses them.

    Parameters
    ----------
    destination : locked.
    plan : of this run.
    pack : studies per archive; 0 for single files.
    profile : of the archives.

    Raises
    ------
    OutputError (E_OUTPUT, E_WRITE) : the state of the destination cannot be read or written.
    """

    def __init__(self, destination: Destination, plan: Plan, pack: int, profile: str) -> None:
        self._destination = destination
        self._profile = profile
        self._plan = plan
        self._done: dict[str, tuple[str, str]] = {}
        """(given, sha256 of the single file) by study, as receipts say."""
        self._seen: dict[str, str] = {}
        self._facts: dict[str, StudyFacts] = {}
        self._packed: dict[str, PackReceipt] = {}
        """By name of the archive."""
        self._finished: set[str] = set()
        """Studies of this run that are there, verified or converted."""
        self.restored = 0
        """Studies that had been written and whose file was gone or changed: this run makes them again."""
        self.changed = 0
        """Studies that had been written of another film, report, or row: this run makes them again."""
        self.orphans = 0
        """Studies that are there and that the source has no longer; known after ``finish``."""
        for receipt in read_receipts(destination.all_receipts):
            if isinstance(receipt, PackReceipt):
                self._packed[receipt.pack] = receipt
            else:
                self._note(receipt)
        self._packs: list[list[str]] = []
        self._pack_of: dict[str, int] = {}
        self._whole: dict[str, bool] = {}
        self._unsettled: list[int] = []
        if pack:
            planned = [study.study_id for study in plan.studies]
            self._packs = assign(destination.packs_path, planned, pack)
            self._pack_of = {study: number for number, members in enumerate(self._packs) for study in members}
            wanted = set(planned)
            self._unsettled = [sum(study in wanted for study in members) for members in self._packs]
        destination.sweep(
            [self.target(study).name for study in plan.studies] + [self._pack_path(n).name for n in self._numbers]
        )
        self._receipts = ReceiptFile(destination.receipts_path)

    def __enter__(self) -> Ledger:
        """The ledger itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the receipts."""
        self._receipts.close()

    @property
    def _numbers(self) -> range:
        return range(len(self._packs))

    def _pack_name(self, number: int) -> str:
        shard = f"{self._destination.name}-" if self._destination.sharded else ""
        return f"studies-{shard}{number:05d}"

    def _pack_path(self, number: int) -> Path:
        return self._destination.folder / f"{self._pack_name(number)}.ngr"

    def target(self, study: PlannedStudy) -> Path:
        """The file a worker writes: the study's own, or the part that waits for its archive."""
        if self._packs:
            return self._destination.parts / f"{study.study_id}.part"
        return self._destination.folder / f"{study.study_id}.ngr"

    def is_done(self, study: PlannedStudy) -> bool:
        """Whether the study is there, made of the same row and files, and its file is as it was when it was written.

        Films and reports whose sizes and times are those of the receipt are not read.
        """
        given, digest = self._done.get(study.study_id, ("", ""))
        same = bool(given) and (self._seen.get(study.study_id) == study.seen or given == study.given)
        done = same and (file_digest(self.target(study)) == digest or self._is_packed(study.study_id, digest))
        self.restored += same and not done
        self.changed += bool(given) and not same
        if done:
            self._finished.add(study.study_id)
            if self._packs:
                self._unsettled[self._pack_of[study.study_id]] -= 1
        return done

    def _is_packed(self, study_id: str, digest: str) -> bool:
        """Whether the study's archive holds it in this state, and is whole."""
        if not self._packs:
            return False
        number = self._pack_of[study_id]
        receipt = self._packed.get(self._pack_name(number))
        return receipt is not None and receipt.studies.get(study_id) == digest and self._is_whole(number)

    def _is_whole(self, number: int) -> bool:
        name = self._pack_name(number)
        if name not in self._whole:
            receipt = self._packed.get(name)
            self._whole[name] = receipt is not None and file_digest(self._pack_path(number)) == receipt.sha256
        return self._whole[name]

    def _note(self, receipt: Receipt) -> None:
        self._done[receipt.study] = (receipt.given, receipt.sha256)
        self._seen[receipt.study] = receipt.seen
        if receipt.facts is not None:
            self._facts[receipt.study] = receipt.facts

    def count(self, study: PlannedStudy, totals: Totals) -> None:
        """Add a study that is there to the sums."""
        totals.add(self._facts.get(study.study_id, StudyFacts()))

    def settle(self, study: PlannedStudy, sha256: str | None, facts: StudyFacts | None = None) -> None:
        """Record a study that was written (its digest), or that failed (None); complete its archive if it was the last.

        Raises
        ------
        OutputError (E_WRITE) : the receipt or the archive cannot be written.
        FormatError : a part is damaged.
        """
        if sha256 is not None:
            receipt = Receipt(study.study_id, study.given, sha256, facts, study.seen)
            self._receipts.add(receipt)
            self._note(receipt)
            self._finished.add(study.study_id)
        if self._packs:
            number = self._pack_of[study.study_id]
            self._unsettled[number] -= 1
            if self._unsettled[number] == 0:
                self._complete(number)

    def _complete(self, number: int) -> None:
        """Write an archive of everything of it that is there, unless it is there already in this state."""
        earlier = self._packed.get(self._pack_name(number))
        held = earlier.studies if earlier is not None and self._is_whole(number) else {}
        members: dict[str, tuple[str, Path]] = {}
        for study_id in self._packs[number]:
            digest = self._done.get(study_id, ("", ""))[1]
            part = self._destination.parts / f"{study_id}.part"
            if digest and held.get(study_id) == digest:
                members[study_id] = (digest, self._pack_path(number))
            elif digest and study_id in self._finished:
                members[study_id] = (digest, part)
        if not members:
            return
        digests = {study_id: digest for study_id, (digest, _) in members.items()}
        if digests != held:
            built = [(study_id, path) for study_id, (_, path) in members.items()]
            build(self._pack_path(number), built, profile=self._profile)
            receipt = PackReceipt(self._pack_name(number), file_digest(self._pack_path(number)), digests)
            self._receipts.add(receipt)
            self._packed[receipt.pack] = receipt
            self._whole[receipt.pack] = True
        for study_id in digests:
            (self._destination.parts / f"{study_id}.part").unlink(missing_ok=True)

    def finish(self) -> None:
        """Write the archives that a killed run left to be written, and the list of studies.

        Raises
        ------
        OutputError (E_WRITE) : a file cannot be written.
        FormatError : a part is damaged.
        """
        for number in self._numbers:
            if self._unsettled[number] == 0:
                self._complete(number)
        self._list()

    def _list(self) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        # Only where the model says whom it learnt from.
        learnt = {study.study_id: study.learnt for study in self._plan.studies if study.learnt}
        writer.writerow(["study_id", "split", "file", *(["learnt"] if learnt else [])])
        rows = {}
        for study in self._plan.studies:
            if study.study_id in self._finished:
                name = self._pack_name(self._pack_of[study.study_id]) if self._packs else study.study_id
                rows[study.study_id] = [study.row.split, f"{name}.ngr"]
        planned = {study.study_id for study in self._plan.studies}
        path = self._destination.named("studies", ".csv")
        splits = _splits(path)
        for study_id, name in self._held():
            if study_id not in rows:
                rows[study_id] = [splits.get(study_id, ""), name]
                self.orphans += study_id not in planned
        for study_id in sorted(rows):
            writer.writerow([study_id, *rows[study_id], *([learnt.get(study_id, "")] if learnt else [])])
        with atomic_file(path) as stream:
            stream.write(text.getvalue().encode())

    def _held(self) -> Iterator[tuple[str, str]]:
        """Id and file of every study that this shard has ever written and that is there."""
        if self._packs:
            for number in self._numbers:
                packed = self._packed.get(self._pack_name(number))
                if packed is not None and self._pack_path(number).is_file():
                    yield from ((study_id, f"{packed.pack}.ngr") for study_id in packed.studies)
            return
        for receipt in read_receipts([self._destination.receipts_path]):
            if isinstance(receipt, Receipt) and (self._destination.folder / f"{receipt.study}.ngr").is_file():
                yield receipt.study, f"{receipt.study}.ngr"


def _splits(path: Path) -> dict[str, str]:
    """What an earlier list says of the split of each study; nothing where there is none that can be read."""
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return {row["study_id"]: row["split"] for row in csv.DictReader(stream) if row.get("split")}
    except (OSError, UnicodeDecodeError, KeyError, csv.Error):
        return {}
