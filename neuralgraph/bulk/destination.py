"""The destination folder and what the next run needs to know of it.

    DEST/<pseudonym>.ngr                     studies, or archives of them
    DEST/studies.csv                         pseudonyms, splits, the file of each study; and whether the model learnt
                                             from its patient, where the model says whom it learnt from
    DEST/summary.json, summary.txt           the numbers (summary.py)
    DEST/failures.jsonl                      what failed in the last run
    DEST/.ngr-convert/key                    random key, where no key file is given; readable by its owner only
    DEST/.ngr-convert/settings.json          how the studies are made; a run with other settings is refused
    DEST/.ngr-convert/receipts-<shard>.jsonl what is finished (receipts.py)
    DEST/.ngr-convert/packs-<shard>.jsonl    which study goes into which archive
    DEST/.ngr-convert/parts/                 studies that wait for their archive
    DEST/.ngr-convert/lock-<shard>           held by the run, and by its workers

The state folder holds pseudonyms, keyed hashes and digests of outputs; with the random key in it, whoever has the
source can match the two. Keep it to continue, leave it behind when passing studies on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neuralgraph.bulk.run_lock import RunLock
from neuralgraph.errors import OutputError
from neuralgraph.storage.atomic import atomic_file, make_folder, partial_prefix, refuse_url
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["STATE", "Destination", "file_digest"]

STATE = ".ngr-convert"
"""The state folder."""

_LOCK_PATIENCE = 20.0


def _shard_name(shard: tuple[int, int]) -> str:
    """How files of a shard are called: "1-of-1" for the whole."""
    return f"{shard[0]}-of-{shard[1]}"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits; "" where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


class Destination:
    """The folder of a conversion, one shard of it.

    Parameters
    ----------
    folder : made when absent.
    shard : (number, of how many), counted from 1.

    Raises
    ------
    OutputError (E_OUTPUT, E_WRITE) : the folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str], shard: tuple[int, int] = (1, 1)) -> None:
        refuse_url(folder)
        self.folder = Path(folder)
        self.state = self.folder / STATE
        self.name = _shard_name(shard)
        self.sharded = shard[1] > 1
        make_folder(self.parts, where=folder)
        self._lock: RunLock | None = None

    @property
    def parts(self) -> Path:
        """Where studies wait for their archive."""
        return self.state / "parts"

    @property
    def key_path(self) -> Path:
        """The random key."""
        return self.state / "key"

    @property
    def settings_path(self) -> Path:
        """How the studies are made."""
        return self.state / "settings.json"

    @property
    def receipts_path(self) -> Path:
        """The receipts of this shard."""
        return self.state / f"receipts-{self.name}.jsonl"

    @property
    def all_receipts(self) -> list[Path]:
        """The receipts of all shards."""
        return sorted(self.state.glob("receipts-*.jsonl"))

    @property
    def packs_path(self) -> Path:
        """Which study goes into which archive of this shard."""
        return self.state / f"packs-{self.name}.jsonl"

    def named(self, name: str, suffix: str) -> Path:
        """An output file of this shard: studies.csv, or studies-2-of-4.csv."""
        return self.folder / (f"{name}-{self.name}{suffix}" if self.sharded else f"{name}{suffix}")

    def lock(self, patience: float = _LOCK_PATIENCE) -> list[int]:
        """Take the shard for this run; the descriptors to hand to workers.

        Workers of a run that was killed end within moments, and this waits for them.

        Raises
        ------
        OutputError (E_OUTPUT) : another run has it, or the folder cannot be locked.
        MissingExtraError (E_EXTRA) : on Windows, filelock is not installed.
        """
        self._lock = RunLock(self.state / f"lock-{self.name}")
        try:
            return self._lock.take(patience)
        except BlockingIOError as error:
            reason = f"another run converts shard {self.name} into this folder"
            raise OutputError(reason, code="E_OUTPUT", where=str(self.folder)) from error

    def unlock(self) -> None:
        """Let the shard go."""
        if self._lock is not None:
            self._lock.let_go()
            self._lock = None

    def agree(self, settings: dict[str, Any]) -> None:
        """Note the settings on the first run; refuse others later.

        Raises
        ------
        OutputError (E_OUTPUT) : the folder holds studies made with other settings.
        OutputError (E_WRITE) : they cannot be noted.
        """
        path = self.settings_path
        try:
            noted = parsed_json(path.read_bytes()) if path.exists() else {}
        except (OSError, ValueError) as error:
            raise OutputError(
                "the settings in the folder cannot be read; choose another folder", code="E_OUTPUT"
            ) from error
        different = sorted(name for name, value in settings.items() if name in noted and noted[name] != value)
        if different:
            raise OutputError(
                f"the folder holds studies made with another {' and another '.join(different)}; choose another folder",
                code="E_OUTPUT",
                where=str(self.folder),
            )
        if not settings.keys() <= noted.keys():
            with atomic_file(path) as stream:
                stream.write(json.dumps({**noted, **settings}, sort_keys=True, indent=1).encode())

    def sweep(self, names: Iterable[str]) -> None:
        """Delete what a killed run left half-written of files with these names, and of this shard's own lists.

        Files of other shards, which may be at work, are not ours.
        """
        folders = (self.folder, self.state, self.parts)
        left = [Path(entry) for folder in folders for entry in os.scandir(folder) if entry.name.endswith(".partial")]
        if not left:
            return
        own = {self.named("studies", ".csv").name, self.packs_path.name}
        if not self.sharded:
            own.add(self.settings_path.name)
        prefixes = tuple(partial_prefix(name) for name in own.union(names))
        for path in left:
            if path.name.startswith(prefixes):
                path.unlink()
