"""Marks of a file of their own (COCO JSON) joined to the rows of a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePath

from neuralgraph.sources.layouts.manifest import ManifestRow
from neuralgraph.sources.layouts.marks import Mark

__all__ = ["with_marks"]


def with_marks(rows: Iterable[ManifestRow], marks: Mapping[str, tuple[Mark, ...]]) -> tuple[list[ManifestRow], int]:
    """Rows with the marks of a file given to their images, and how many images have got some.

    An image is meant when its path ends with the name in the file; endings (.jpg, .dcm) may differ, since a set is
    annotated on one form and read in another.
    """
    by_stem: dict[str, list[tuple[PurePath, tuple[Mark, ...]]]] = {}
    for name, found in marks.items():
        by_stem.setdefault(PurePath(name).stem, []).append((PurePath(name), found))
    changed, count = [], 0
    for row in rows:
        images = []
        for image in row.images:
            own = PurePath(image.path)
            for named, found in by_stem.get(own.stem, ()):
                if own.with_suffix("").parts[-len(named.parts) :] == named.with_suffix("").parts:
                    image = replace(image, marks=image.marks + found)
                    count += 1
                    break
            images.append(image)
        changed.append(replace(row, images=tuple(images)))
    return changed, count
