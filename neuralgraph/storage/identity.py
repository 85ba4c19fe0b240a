"""Whether what is opened again is what was opened before."""

from __future__ import annotations

import hashlib
import platform
from typing import Any, NamedTuple

from neuralgraph.errors import FormatError
from neuralgraph.storage.archive import Archive

__all__ = ["ArchiveIdentity", "check_same", "content_digest", "identity_of"]


class ArchiveIdentity(NamedTuple):
    """What tells the files of an archive from others at the same places."""

    machine: str
    """Where it was taken: another machine has other numbers for the same files, or copies of its own."""
    files: tuple[tuple[str, bytes, Any], ...]
    """Name, root digest, and what system or server say of each file."""


def identity_of(archive: Archive) -> ArchiveIdentity:
    """The identity of an open archive; plain data that a worker may be given."""
    files = tuple((str(name), held.root, getattr(source, "identity", None)) for name, source, held in archive.files)
    return ArchiveIdentity(platform.node(), files)


def content_digest(archive: Archive) -> str:
    """64 hex digits that change with any byte of any study, or with their order; the same wherever the files lie."""
    return hashlib.sha256(b"".join(held.root for _, _, held in archive.files)).hexdigest()


def check_same(archive: Archive, expected: ArchiveIdentity) -> None:
    """Refuse an archive that is not the one that ``expected`` was taken of.

    Raises
    ------
    FormatError (E_OPEN) : a file was replaced, or there are more or fewer.
    """
    now = identity_of(archive)
    if len(now.files) != len(expected.files):
        reason = f"there were {len(expected.files)} files when this was opened first, now there are {len(now.files)}"
        raise FormatError(reason, code="E_OPEN", where=now.files[0][0])
    for (name, root, who), (_, old_root, old_who) in zip(now.files, expected.files, strict=True):
        if root != old_root or (now.machine == expected.machine and who != old_who):
            reason = "the file was replaced after it was opened first; begin again with what is there now"
            raise FormatError(reason, code="E_OPEN", where=name)
