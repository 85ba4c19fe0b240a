"""What a pull brought, and what it could not bring."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from neuralgraph.storage.atomic import atomic_file, owner_only

__all__ = ["MISSING_NAME", "Missing", "PullProgress", "Pulled", "write_missing"]

MISSING_NAME = "missing.jsonl"
"""The list of a pull, in its folder."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a pull should have brought: an object, the objects of a study, or results of a search."""

    study: str
    """Study Instance UID; "" for a search."""
    series: str
    instance: str
    """ "" where it is not one object."""
    code: str
    message: str


@dataclass
class Pulled:
    """What became of a pull."""

    studies: int = 0
    """That were wanted."""
    stored: int = 0
    repeated: int = 0
    """Lay there already."""
    corrected: int = 0
    """Lay there with other content, and were kept as its correction."""
    missing: list[Missing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is odd about the archive, and cost nothing."""

    @property
    def failed(self) -> dict[str, int]:
        """What is missing, by code."""
        return dict(sorted(Counter(one.code for one in self.missing).items()))

    @property
    def complete(self) -> bool:
        """Nothing is known to be missing, and nothing may be."""
        return not self.missing


class PullProgress(Protocol):
    """Told how far a pull is."""

    def __call__(self, done: int, total: int, objects: int) -> None:
        """So many studies of so many are done; so many objects came."""


def write_missing(folder: Path, missing: Sequence[Missing]) -> Path:
    """Write the list, one JSON line each, or remove the one of an earlier pull where nothing is missing.

    It holds UIDs of the archive and is readable by its owner only, like the objects beside it.

    Raises
    ------
    OutputError (E_OUTPUT, E_WRITE) : it cannot be written.
    """
    path = folder / MISSING_NAME
    if not missing:
        path.unlink(missing_ok=True)
        return path
    with atomic_file(path) as stream:
        owner_only(stream)
        stream.writelines(json.dumps(asdict(one)).encode() + b"\n" for one in missing)
    return path
