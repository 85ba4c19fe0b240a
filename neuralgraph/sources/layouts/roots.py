"""Where the parts of a data set lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from neuralgraph.errors import SourceError

__all__ = ["Roots", "files_below", "physionet_root", "safe_join"]


@dataclass(frozen=True)
class Roots:
    """The folders of one source."""

    source: Path
    """The folder (for the generic layout, a table or its folder)."""
    reports: Path | None = None
    """Where the reports lie, when not there."""
    tables: Path | None = None
    """Where labels, splits and metadata lie, when not there."""
    report_graphs: bool = False
    """Also read the RadGraph annotations that come with the data set."""
    told: Callable[[], object] = lambda: None
    """Called for every row or file that was looked at; reading a large source takes a while."""


def physionet_root(folder: Path, project: str, member: str) -> Path | None:
    """The folder that holds ``member``: this one, or a version of the project below it as wget -r leaves it.

    Parameters
    ----------
    folder : what the user names.
    project : name on PhysioNet ("mimic-cxr").
    member : a file or folder that the data set has at its top ("files").
    """
    if (folder / member).is_dir() and folder.name != "physionet.org":
        return folder
    candidates = [folder / below / project for below in ("physionet.org/files", "files", ".")]
    for versions in [*candidates, folder] if folder.name == project else candidates:
        if versions.is_dir():
            found = sorted(path for path in versions.iterdir() if (path / member).is_dir())
            if found:
                return found[-1]
    return None


def files_below(folder: Path, refused: Callable[[str], None] | None = None, *, hidden: bool = False) -> Iterator[str]:
    """Paths of files below a folder, with / between their parts, folder by folder in ascending order.

    Parameters
    ----------
    folder : where to look.
    refused : told the path of every folder below it that cannot be listed; by default that is an error.
    hidden : yield hidden files, and what lies in hidden folders, too.

    Raises
    ------
    SourceError : ``folder`` cannot be listed, or without ``refused`` one below it.
    """

    def refuse(error: OSError) -> None:
        inside = os.path.relpath(error.filename or folder, folder)
        if refused is None or inside == ".":
            raise SourceError(f"a folder cannot be listed ({error.strerror})", code="E_SOURCE_READ") from error
        refused(Path(inside).as_posix())

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if hidden or not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if (hidden or not name.startswith(".")) and path.is_file():
                yield path.relative_to(folder).as_posix()


def safe_join(folder: Path, relative: str) -> str | None:
    """A path below ``folder``, or None where the text would lead out of it or is no path."""
    text = relative.replace("\\", "/")
    if not text or "\0" in text or text.startswith("/") or ".." in text.split("/"):
        return None
    return str(folder / text)
