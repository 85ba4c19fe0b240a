"""Data sets as people have them, each resolved to one manifest before anything is converted.

One file per layout; each says whether a folder is of its kind (``matches``) and lists its studies (``resolve``).

- ``chexpert``: CheXpert v1.0 and its small edition: train.csv and valid.csv beside the images; no reports
- ``chexpert_plus``: one table with the reports, labels in JSON lines, images as PNG or DICOM
- ``chexpert_tree``: what CheXpert and CheXpert Plus share
- ``columns``: the columns of a manifest, under the names that people give them
- ``dicom_folder``: DICOM files as an archive exports them, in any folders and under any names, joined to their
  reports
- ``dicom_keys``: what joins a DICOM file to its study, its patient and its report
- ``dicom_view``: the view a DICOM file states of itself, from its first bytes
- ``folder``: a plain folder: images, and beside each, where there is one, a report of the same name ending in .txt
  or .TXT
- ``generic``: the generic manifest: a table of one's own, csv, JSON lines or Parquet
- ``headed_report``: a report of sections that lie apart, as one text under their headings
- ``manifest``: what will be converted, row by row, and what will not be, each with its reason
- ``marked_rows``: marks of a file of their own (COCO JSON) joined to the rows of a manifest
- ``marks``: what readers drew on a film, and which phrase of the report speaks of it
- ``mimic_cxr``: MIMIC-CXR 2.0.0 and 2.1.0: DICOM files and reports
- ``mimic_cxr_jpg``: MIMIC-CXR-JPG 2.0.0 and 2.1.0: JPEG files with labels, splits and metadata
- ``openi``: Open-i, the chest films of Indiana University, in both forms that go around
- ``own_table``: a table of one's own: csv, JSON lines or Parquet, its columns under the names of ``columns``
- ``physionet``: what MIMIC-CXR and MIMIC-CXR-JPG share: the tree of ids, and the tables of the JPG project
- ``radgraph_annotations``: the RadGraph-XL annotations that CheXpert Plus ships
- ``report_index``: reports of a hospital, found by accession number or Study Instance UID, whatever form they are
  kept in
- ``roots``: where the parts of a data set lie
- ``selection``: from everything a source holds to what is converted
- ``splits``: the parts of a data set, under the names that tables give them
- ``spreadsheet``: a csv as people have it
- ``tables``: the tables of the public data sets, one row at a time: csv or csv.gz, UTF-8, commas
- ``views``: which image of a study stands for it, and what a table's words say about its view
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts import (
    chexpert,
    chexpert_plus,
    dicom_folder,
    folder,
    generic,
    mimic_cxr,
    mimic_cxr_jpg,
    openi,
)
from neuralgraph.sources.layouts.columns import COLUMNS, TableColumn, TableUse, columns_text
from neuralgraph.sources.layouts.manifest import (
    FAULTS,
    REASONS,
    DroppedRow,
    Entry,
    Manifest,
    ManifestImage,
    ManifestRow,
    manifest_line,
)
from neuralgraph.sources.layouts.roots import Roots
from neuralgraph.sources.layouts.selection import COHORTS, Selection, select
from neuralgraph.sources.layouts.views import FRONTAL

__all__ = [
    "COHORTS",
    "COLUMNS",
    "FAULTS",
    "FRONTAL",
    "LAYOUTS",
    "REASONS",
    "DroppedRow",
    "Layout",
    "Manifest",
    "ManifestImage",
    "ManifestRow",
    "Roots",
    "Selection",
    "TableColumn",
    "TableUse",
    "columns_text",
    "default_selection",
    "detect_layout",
    "manifest_line",
    "resolve_manifest",
]


@dataclass(frozen=True)
class Layout:
    """How one data set is read, and what is taken of it unless something else is asked for."""

    matches: Callable[[Path], bool]
    resolve: Callable[[Roots], Iterator[Entry]]
    selection: Selection


# A published data set lists lateral views and several films of one study: one frontal film is what the paper takes.
# Its owner chose what a manifest or a folder of his own lists: all of it is taken.
_PUBLISHED = Selection(views=FRONTAL, one_film=True, generate_reports=False)
_OWN = Selection()
_NO_REPORTS = Selection(views=FRONTAL, one_film=True, generate_reports=True)

LAYOUTS: dict[str, Layout] = {
    "manifest": Layout(generic.matches, generic.resolve, _OWN),
    "chexpert-plus": Layout(chexpert_plus.matches, chexpert_plus.resolve, _PUBLISHED),
    "openi": Layout(openi.matches, openi.resolve, _PUBLISHED),
    "mimic-cxr": Layout(mimic_cxr.matches, mimic_cxr.resolve, _PUBLISHED),
    "mimic-cxr-jpg": Layout(mimic_cxr_jpg.matches, mimic_cxr_jpg.resolve, _PUBLISHED),
    "chexpert": Layout(chexpert.matches, chexpert.resolve, _NO_REPORTS),
    "dicom": Layout(dicom_folder.matches, dicom_folder.resolve, _OWN),
    "folder": Layout(folder.matches, folder.resolve, _OWN),
}
"""The layouts by name, in the order in which they are looked for."""


def detect_layout(source: Path) -> str:
    """The name of the first layout that recognises the source.

    Parameters
    ----------
    source : a folder, or a manifest.

    Raises
    ------
    SourceError (E_SOURCE_READ) : nothing is there.
    SourceError (E_SOURCE_TYPE) : no layout recognises it.
    """
    if not source.exists():
        raise SourceError("no such file or folder", code="E_SOURCE_READ")
    for name, layout in LAYOUTS.items():
        if (source.is_dir() or name == "manifest") and layout.matches(source):
            return name
    raise SourceError(f"no layout recognises this; name one with --layout ({', '.join(LAYOUTS)})", code="E_SOURCE_TYPE")


def _told(entries: Iterator[Entry], roots: Roots) -> Iterator[Entry]:
    for entry in entries:
        roots.told()
        yield entry


def default_selection(layout: str) -> Selection:
    """What is taken of a layout unless something else is asked for."""
    return LAYOUTS[layout].selection


def resolve_manifest(roots: Roots, layout: str = "auto", selection: Selection | None = None) -> Manifest:
    """The manifest of a source.

    Parameters
    ----------
    roots : where its parts lie.
    layout : a key of ``LAYOUTS``, or "auto".
    selection : what to take; the layout's default when None.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_TYPE) : no such layout, or the source is not of it.
    SourceError (E_SOURCE_DAMAGED, E_SOURCE_TEXT, E_SOURCE_EMPTY) : a table cannot be read.
    """
    name = detect_layout(roots.source) if layout == "auto" else layout
    if name not in LAYOUTS:
        raise SourceError(f"{name!r} is not a layout; use one of {', '.join(LAYOUTS)}", code="E_SOURCE_TYPE")
    table = generic.use(roots) if name == "manifest" else None
    entries = _told(LAYOUTS[name].resolve(roots), roots)
    manifest = select(entries, LAYOUTS[name].selection if selection is None else selection, layout=name)
    return replace(manifest, table=table)
