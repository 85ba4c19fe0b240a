"""The columns of a manifest, under the names that people give them.

A name counts in any case and with any spaces, dots, hyphens or underscores: "Image Path" is "image_path". Where several
columns of a table could be one of these, the name that stands first here wins, and the others are ignored; what is
ignored is told, and so is what looks like a name that was meant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from neuralgraph.sources.layouts.tables import CHEXPERT_LABELS

__all__ = ["COLUMNS", "LABEL_PREFIX", "MASK_PREFIX", "TableColumn", "TableUse", "columns_text", "read_as"]

LABEL_PREFIX = "label."
"""Begins the names of columns that hold labels of one's own."""

MASK_PREFIX = "mask."
"""Begins the names of columns with the mask of one finding."""

_KNOWN_LABELS = frozenset(name.lower() for name in CHEXPERT_LABELS)
_NEAR = 0.8
_NEARLY_LABEL = re.compile(r"l(?:abel|able|abels)(?:[._ :-]+(.*))?", re.IGNORECASE)


@dataclass(frozen=True)
class TableColumn:
    """One column."""

    name: str
    also: tuple[str, ...]
    """Other names it may have."""
    meaning: str


COLUMNS: tuple[TableColumn, ...] = (
    TableColumn(
        "image",
        (
            "image_path",
            "path",
            "filename",
            "file",
            "image_file",
            "file_path",
            "file_name",
            "dicom_path",
            "dicom",
            "img",
            "img_path",
        ),
        "path of the film, or several with ; between; the only column that must be there",
    ),
    TableColumn(
        "study_id", ("study", "study_uid", "study_instance_uid", "accession_number", "accession"), "names the study"
    ),
    TableColumn(
        "patient_id", ("patient", "subject_id", "subject", "mrn"), "names the patient; splits never divide one"
    ),
    TableColumn("view", ("view_position", "projection"), "PA, AP, LATERAL ..., one for all films or one each with ;"),
    TableColumn("report", ("report_text", "radiology_report", "text"), "the text, or the path of a .txt file"),
    TableColumn("report_path", ("report_file", "report_filename"), "path of the report's text"),
    TableColumn("findings", ("finding_text", "findings_text"), "that section, where the report is in sections"),
    TableColumn("impression", ("impressions", "impression_text", "conclusion"), "that section likewise"),
    TableColumn("split", ("partition", "subset"), "train, validate or test; without it patients are split 70/15/15"),
    TableColumn("order", ("study_date", "date"), "sorts the studies of a patient from first to last"),
    TableColumn("labeler", (), "who or what assigned the labels"),
    TableColumn("radgraph", (), "the report's graph: an entry of RadGraph as JSON, or a list of them"),
    TableColumn(
        "boxes", (), "for training: what readers drew, a list of label, x, y, w, h, phrase as JSON (see ``marks``)"
    ),
    TableColumn(
        "mask", (), "for training: a picture that is not black where a finding is; ``mask.<name>`` where it is NAME"
    ),
    TableColumn("marked", (), "for training: findings, or * for all, that are marked wherever they are; else unknown"),
)
"""What a manifest may say, besides ``label.<name>`` and the fourteen labels of CheXpert under their own names."""

_INTERNAL = ("dropped", "converted_as")
"""Columns of a resolved manifest."""


@dataclass(frozen=True)
class TableUse:
    """What is read of a table, for whoever made it."""

    file: str
    """Its name."""
    form: str
    """What it was found to be: "separated by ';', UTF-8"."""
    columns: dict[str, str] = field(default_factory=dict)
    """What each column is read as, by its name in the table."""
    ignored: dict[str, str] = field(default_factory=dict)
    """Columns that are not read, each with the name that may have been meant, or ""."""
    warning: str = ""
    """What was guessed and may be wrong."""

    @property
    def meant(self) -> dict[str, str]:
        """Columns that are not read though their names are nearly right."""
        return {name: near for name, near in self.ignored.items() if near}


def columns_text() -> str:
    """The columns in one sentence, for a help text."""
    return ", ".join(column.name for column in COLUMNS) + ", label.NAME"


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_NAMES: dict[str, tuple[str, int]] = {
    _key(name): (column.name, rank) for column in COLUMNS for rank, name in enumerate((column.name, *column.also))
}
_NAMES.update({_key(name): (name, 0) for name in _INTERNAL})


def _known_label(name: str) -> str:
    """The label that a column holds, or "": what stands behind ``label.``, or one of the fourteen of CheXpert."""
    if name.lower().startswith(LABEL_PREFIX):
        return name[len(LABEL_PREFIX) :].strip()
    return name.lower() if name.lower() in _KNOWN_LABELS else ""


def read_as(names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What the columns of a table are read as, and which are ignored.

    Parameters
    ----------
    names : of the columns, as the table has them.

    Returns
    -------
    columns : name in ``COLUMNS``, or "label.<name>", by name in the table.
    ignored : the name that may have been meant, or "", by name in the table.
    """
    found: dict[str, str] = {}
    ignored: dict[str, str] = {}
    best: dict[str, tuple[int, int, str]] = {}
    given = [name for name in names if name]
    for place, name in enumerate(given):
        if label := _known_label(name):
            found[name] = LABEL_PREFIX + label
        elif name.lower().startswith(MASK_PREFIX):
            found[name] = MASK_PREFIX + name[len(MASK_PREFIX) :].strip()
        elif _key(name) in _NAMES:
            column, rank = _NAMES[_key(name)]
            # The name exactly as it is written here wins over other spellings of it.
            best[column] = min(best.get(column, (rank, 9999, name)), (rank, -1 if name == column else place, name))
    chosen = {name: column for column, (_, _, name) in best.items()}
    for name in given:
        if name in chosen:
            found[name] = chosen[name]
        elif name not in found:
            ignored[name] = _nearest(name, taken=set(chosen.values()))
    return {name: found[name] for name in given if name in found}, ignored


def _nearest(name: str, taken: set[str]) -> str:
    """The column that a name is nearly, where the table has no such column; else ""."""
    if label := _NEARLY_LABEL.fullmatch(name.strip()):
        return LABEL_PREFIX + (label[1] or "<name>")
    (near, *_) = (*difflib.get_close_matches(_key(name), _NAMES, 1, _NEAR), "")
    column = _NAMES[near][0] if near else ""
    return "" if column in taken or column in _INTERNAL else column


def missing_image(names: Sequence[str]) -> str:
    """What is said to whoever gave a table without a column of images."""
    near = [name for name in names if _nearest(name, taken=set()) == "image"]
    if near:
        return f"the table has no column 'image'; did you mean {near[0]!r}? Then call it 'image'"
    accepted = ", ".join((COLUMNS[0].name, *COLUMNS[0].also))
    shown = ", ".join(repr(name) for name in names[:12]) + (" ..." if len(names) > 12 else "")
    return f"the table has no column 'image' (nor one of {accepted}); its columns are {shown}"
