"""Open-i, the chest films of Indiana University, in both forms that go around (Demner-Fushman et al., 2016).

Tables:  indiana_reports.csv (uid ...), indiana_projections.csv (uid, filename, projection), images/images_normalized/
XML:     ecgen-radiology/*.xml as the NLM publishes them, images <id>.png; projections only where that table is added

There is no patient id: the study is the only group.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from neuralgraph.errors import SourceError
from neuralgraph.sources.files import read_whole_file
from neuralgraph.sources.films.view_words import read_view
from neuralgraph.sources.layouts.headed_report import headed_report
from neuralgraph.sources.layouts.manifest import DroppedRow, Entry, ManifestImage, ManifestRow
from neuralgraph.sources.layouts.roots import Roots, safe_join
from neuralgraph.sources.layouts.tables import find_table, read_csv

__all__ = ["matches", "resolve"]

_REPORTS, _PROJECTIONS = "indiana_reports.csv", "indiana_projections.csv"
_XML_FOLDERS = ("ecgen-radiology", "NLMCXR_reports/ecgen-radiology", "NLMCXR_reports", ".")
_IMAGE_FOLDERS = (
    "images/images_normalized",
    "images_normalized",
    "images",
    "NLMCXR_png",
    "NLMCXR_dcm",
    ".",
)
_SUFFIXES = (".png", ".dcm", ".dcm.png", ".jpg")
_MAX_XML_BYTES = 1024 * 1024
_XML_NAME = re.compile(r"\d+\.xml")
_IMAGE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,99}")


def matches(folder: Path) -> bool:
    """Whether either form is here."""
    return find_table(folder, _REPORTS) is not None or _xml_folder(folder) is not None


def resolve(roots: Roots) -> Iterator[Entry]:
    """The studies, from the tables where they are, else from the XML files.

    Raises
    ------
    SourceError : neither form is here, or a table cannot be read.
    """
    tables = roots.tables or roots.source
    reports = find_table(tables, _REPORTS)
    projections = find_table(tables, _PROJECTIONS)
    if reports:
        return _from_tables(reports, projections, roots.source)
    folder = _xml_folder(roots.reports or roots.source)
    if folder is None:
        raise SourceError(
            "there is neither indiana_reports.csv nor a folder with the XML reports of Open-i here",
            code="E_SOURCE_READ",
        )
    return _from_xml(folder, projections, roots.source)


def _xml_folder(folder: Path) -> Path | None:
    for below in _XML_FOLDERS:
        candidate = folder / below
        if candidate.is_dir():
            first = next((path for path in candidate.iterdir() if _XML_NAME.fullmatch(path.name)), None)
            if first is not None and b"<eCitation" in first.read_bytes()[:4096]:
                return candidate
    return None


def _find_image(source: Path, name: str, suffixes: tuple[str, ...]) -> str:
    """The image of that name in the first folder that has it; where it ought to be otherwise."""
    for below in _IMAGE_FOLDERS:
        for suffix in suffixes:
            path = source / below / (name + suffix)
            if path.is_file():
                return str(path)
    return str(source / _IMAGE_FOLDERS[0] / (name + suffixes[0]))


def _problems(text: str) -> dict[str, float]:
    """MeSH tags as labels. A tag that is absent says nothing: there are no zeros here."""
    tags = (tag.strip().lower() for tag in text.split(";"))
    return {tag: 1.0 for tag in tags if tag}


def _from_tables(reports: Path, projections: Path | None, source: Path) -> Iterator[Entry]:
    if projections is None:
        raise SourceError(f"{_PROJECTIONS} is missing: it names the images of each report", code="E_SOURCE_READ")
    images: defaultdict[str, list[ManifestImage]] = defaultdict(list)
    for row in read_csv(projections, ("uid", "filename", "projection")):
        if row is None or safe_join(source, row["filename"]) is None:
            yield DroppedRow(row["uid"] if row else "", "row_invalid")
            continue
        view = read_view(row["projection"]).projection or "unknown"
        path = _find_image(source, row["filename"], ("",))
        images[row["uid"]].append(ManifestImage(path, view, row["filename"]))
    for row in read_csv(reports, ("uid", "findings", "impression")):
        if row is None or not row["uid"]:
            yield DroppedRow("", "row_invalid")
            continue
        labels = _problems(row.get("Problems", ""))
        yield ManifestRow(
            study_key=row["uid"],
            images=tuple(images.get(row["uid"], ())),
            report=headed_report({name: row[name] for name in ("findings", "impression")}),
            labels=labels,
            labeler="mesh" if labels else "",
        )


def _from_xml(folder: Path, projections: Path | None, source: Path) -> Iterator[Entry]:
    views: dict[str, str] = {}
    if projections is not None:
        for row in read_csv(projections, ("uid", "filename", "projection")):
            if row is not None:
                name = row["filename"].split(".")[0]
                views[f"CXR{name}"] = views[name] = read_view(row["projection"]).projection or "unknown"
    names = sorted(path.name for path in folder.iterdir() if _XML_NAME.fullmatch(path.name))
    for name in sorted(names, key=lambda name: int(name.removesuffix(".xml"))):
        key = name.removesuffix(".xml")
        tree = _parse(folder / name)
        if tree is None:
            yield DroppedRow(key, "row_invalid")
            continue
        ids = [element.get("id", "") for element in tree.iter("parentImage")]
        sections = {
            (element.get("Label") or "").lower(): (element.text or "").strip() for element in tree.iter("AbstractText")
        }
        tags = ";".join((element.text or "").split("/")[0] for element in tree.iter("major"))
        labels = _problems(tags)
        yield ManifestRow(
            study_key=key,
            images=tuple(
                ManifestImage(_find_image(source, image, _SUFFIXES), views.get(image, "unknown"), image)
                for image in ids
                if _IMAGE_ID.fullmatch(image)
            ),
            report=headed_report({name: sections.get(name, "") for name in ("findings", "impression")}),
            labels=labels,
            labeler="mesh" if labels else "",
        )


def _parse(path: Path) -> ElementTree.Element | None:
    """The document; None where it is none, or declares entities, which a report has no use for."""
    try:
        data = read_whole_file(path, max_bytes=_MAX_XML_BYTES)
        return None if b"<!ENTITY" in data else ElementTree.fromstring(data)
    except (SourceError, ElementTree.ParseError, ValueError, LookupError):
        return None
