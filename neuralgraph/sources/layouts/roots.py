"""Where the parts of a data set lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Roots", "physionet_root", "safe_join"]


@dataclass(frozen=True)
class Roots:
    """The folders of one source.

    Parameters
    ----------
    source : the folder (for the generic layout, a table or its folder).
    reports : where the reports lie, when not there.
    tables : where labels, splits and metadata lie, when not there.
    """

    source: Path
    reports: Path | None = None
    tables: Path | None = None


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


def safe_join(folder: Path, relative: str) -> str | None:
    """A path below ``folder``, or None where the text would lead out of it or is no path."""
    text = relative.replace("\\", "/")
    if not text or "\0" in text or text.startswith("/") or ".." in text.split("/"):
        return None
    return str(folder / text)
