"""The manifest of a collection: which of the archives in a folder or a bucket count.

    DIR/collection.json                says that this is a collection; never changes
    DIR/manifests/000000000012.json    what counts since commit 12; never changes, the highest number wins
    DIR/archives/NAME.ngr              archives; never change
    DIR/receipts/NAME.json             of an archive: from which row a study was made, its patient, its split
    DIR/catalogue/NAME.*.parquet       of an archive: the tables that are searched

A commit creates the next manifest, which must not exist: by a hard link in a folder, by a conditional put in a bucket.
So two writers cannot both be number 12, and whoever opens the collection sees one whole state. Nothing here writes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neuralgraph.access.file_system import LONGEST
from neuralgraph.errors import FormatError

__all__ = [
    "ARCHIVES",
    "MANIFESTS",
    "MARKER",
    "Commit",
    "Manifest",
    "Member",
    "collection_files",
    "is_collection",
    "manifest_name",
    "newest_in_folder",
    "newest_manifest",
    "read_manifest",
    "write_manifest",
]

MARKER = "collection.json"
"""The file that makes a folder a collection."""
MANIFESTS = "manifests"
"""The folder of manifests."""
ARCHIVES = "archives"
"""The folder of archives: those that count, and those that no longer do until they are deleted."""
FORMAT = "neuralgraph collection 1"
OPERATIONS: tuple[str, ...] = ("create", "add", "replace", "remove", "compact")
"""What a commit may have done."""

_MOST_ARCHIVES = 2**20
_MOST_STUDIES = 2**53
_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_VERSION = re.compile(r"[0-9A-Za-z.+-]{0,40}", re.ASCII)
_FILE = re.compile(r"(\d{12})\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class Member:
    """One archive of a collection."""

    name: str
    """32 hex digits, made at random: they tell nothing of what is inside."""
    studies: int
    bytes: int
    """Of the archive."""
    root: str
    """Root digest of the archive, 64 hex digits."""
    receipts: int = 0
    """Bytes of its receipts; 0 when it has none."""
    catalogue: int = 0
    """Bytes of its tables; 0 when it has none."""

    @property
    def path(self) -> str:
        """Where the archive lies in the collection."""
        return f"{ARCHIVES}/{self.name}.ngr"

    @property
    def receipts_path(self) -> str:
        """Where its receipts lie."""
        return f"receipts/{self.name}.json"

    def table_path(self, table: str) -> str:
        """Where one of its tables lies."""
        return f"catalogue/{self.name}.{table}.parquet"


@dataclass(frozen=True, slots=True)
class Commit:
    """One line of the log: what was done, not to whom."""

    snapshot: int
    time: str
    """UTC, "2026-11-29T09:45:34Z"."""
    operation: str
    """One of ``OPERATIONS``."""
    added: int
    removed: int
    """Studies."""
    studies: int
    """In the collection afterwards."""
    program: str = ""
    """Version of this package that made it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One state of a collection."""

    collection: str
    """32 hex digits, made at random when the collection was created."""
    snapshot: int
    """Counted from 1."""
    salt: str
    """32 hex digits; key of the tombstones."""
    catalogue: bool
    """Whether tables are kept for every archive."""
    archive_studies: int
    """Studies an archive is made for."""
    archives: tuple[Member, ...] = ()
    """In the order in which their studies are counted."""
    removed: tuple[str, ...] = ()
    """Tombstones of studies that must not come back, ascending; see ``tombstone``."""
    history: tuple[Commit, ...] = ()
    """The log up to this state, oldest first."""

    @property
    def studies(self) -> int:
        """Studies in all archives."""
        return sum(member.studies for member in self.archives)

    @property
    def bytes(self) -> int:
        """Of all archives."""
        return sum(member.bytes for member in self.archives)

    def tombstone(self, study_id: str) -> str:
        """What is kept of a removed study so that it is not added again: a keyed hash of its id, 32 hex digits.

        Whoever holds both the collection and an id can ask whether it was removed; from the hash alone, nobody can tell
        the id of a study that has a pseudonym of 128 bits.
        """
        return hmac.digest(bytes.fromhex(self.salt), b"study\0" + study_id.encode(), hashlib.sha256)[:16].hex()


def manifest_name(snapshot: int) -> str:
    """Where a manifest lies in the collection."""
    return f"{MANIFESTS}/{snapshot:012d}.json"


def write_manifest(manifest: Manifest) -> bytes:
    """A manifest as canonical JSON, its SHA-256 inside."""
    record = {"format": FORMAT, **asdict(manifest)}
    return _canonical({**record, "sha256": hashlib.sha256(_canonical(record)).hexdigest()}) + b"\n"


def _canonical(record: dict[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def read_manifest(data: bytes, *, where: str = "manifest") -> Manifest:
    """The manifest of some bytes; nothing that is not exactly what ``write_manifest`` gives is accepted.

    Raises
    ------
    FormatError (E_MANIFEST) : damaged, of another version, or contradicting itself.
    """
    try:
        if len(data) > LONGEST:
            raise ValueError("it is larger than any manifest")
        record = json.loads(data)
        _check(isinstance(record, dict), "it is no map")
        _check(record.get("format") == FORMAT, "it is not of a version this program knows")
        stated = record.pop("sha256", None)
        _check(stated == hashlib.sha256(_canonical(record)).hexdigest(), "its checksum does not match")
        del record["format"]
        manifest = Manifest(
            **{
                **record,
                "archives": tuple(Member(**row) for row in record["archives"]),
                "removed": tuple(record["removed"]),
                "history": tuple(Commit(**row) for row in record["history"]),
            }
        )
        _check_manifest(manifest)
        _check(write_manifest(manifest) == data, "it is not in the canonical form")
        return manifest
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) and type(error) is ValueError else "it is not well-formed"
        raise FormatError(f"the manifest cannot be used: {reason}", code="E_MANIFEST", where=where) from error


def _check(holds: bool, reason: str) -> None:  # noqa: FBT001  a condition, not a flag
    if not holds:
        raise ValueError(reason)


def _whole(value: Any, lowest: int, highest: int = _MOST_STUDIES) -> bool:
    return type(value) is int and lowest <= value <= highest


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _check_manifest(manifest: Manifest) -> None:
    _check(_matches(_NAME, manifest.collection) and _matches(_NAME, manifest.salt), "a name is not 32 hex digits")
    _check(_whole(manifest.snapshot, 1) and _whole(manifest.archive_studies, 1), "a number is out of its range")
    _check(type(manifest.catalogue) is bool, "a flag is neither true nor false")
    _check(len(manifest.archives) <= _MOST_ARCHIVES, "it has more archives than are read")
    for member in manifest.archives:
        _check(_matches(_NAME, member.name) and _matches(_DIGEST, member.root), "an archive has no name or no root")
        held, tables = (member.studies, member.bytes), (member.receipts, member.catalogue)
        in_range = all(_whole(number, 1) for number in held) and all(_whole(number, 0) for number in tables)
        _check(in_range, "a number of an archive is out of its range")
        _check(manifest.catalogue or not member.catalogue, "an archive has tables in a collection without")
    _check(len({member.name for member in manifest.archives}) == len(manifest.archives), "an archive stands twice")
    _check(all(_matches(_NAME, stone) for stone in manifest.removed), "a tombstone is not 32 hex digits")
    _check(list(manifest.removed) == sorted(set(manifest.removed)), "tombstones are not in ascending order")
    followed = [commit.snapshot for commit in manifest.history]
    _check(bool(followed) and all(_whole(number, 1) for number in followed), "the log is empty or not numbered")
    _check(followed == sorted(set(followed)) and followed[-1] == manifest.snapshot, "the log does not end here")
    for commit in manifest.history:
        _check(commit.operation in OPERATIONS and _matches(_TIME, commit.time), "a line of the log is not known")
        _check(_matches(_VERSION, commit.program), "a version of the program is none")
        _check(all(_whole(n, 0) for n in (commit.added, commit.removed, commit.studies)), "a count is out of range")
    _check(manifest.history[-1].studies == manifest.studies, "the log and the archives count different studies")


def newest_manifest(names: Iterable[str], read: Callable[[str], bytes], *, where: str) -> Manifest:
    """The manifest of the highest number.

    Parameters
    ----------
    names : of the files in the folder of manifests.
    read : gives the bytes of one, by its name in the collection.
    where : names the collection in errors.

    Raises
    ------
    FormatError (E_MANIFEST) : there is none, it is damaged, or its name is not its number.
    """
    numbers = [int(found[1]) for name in names if (found := _FILE.fullmatch(name))]
    if not numbers:
        raise FormatError("the collection has no manifest", code="E_MANIFEST", where=where)
    newest = manifest_name(max(numbers))
    manifest = read_manifest(read(newest), where=f"{where}/{newest}")
    if manifest.snapshot != max(numbers):
        raise FormatError("the manifest has another number than its file", code="E_MANIFEST", where=f"{where}/{newest}")
    return manifest


def is_collection(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is a collection."""
    return os.path.isfile(os.path.join(folder, MARKER))


def newest_in_folder(folder: Path) -> Manifest:
    """The newest manifest of a collection in a folder.

    Raises
    ------
    FormatError (E_MANIFEST) : it is damaged or missing.
    FormatError (E_OPEN) : it cannot be read.
    """
    try:
        names = os.listdir(folder / MANIFESTS)
        return newest_manifest(names, lambda name: (folder / name).read_bytes(), where=str(folder))
    except OSError as error:
        reason = f"the manifest cannot be read ({error.strerror})"
        raise FormatError(reason, code="E_OPEN", where=str(folder)) from error


def collection_files(folder: Path) -> list[Path]:
    """The archives that count now, in their order; errors as ``newest_in_folder``."""
    return [folder / member.path for member in newest_in_folder(folder).archives]
