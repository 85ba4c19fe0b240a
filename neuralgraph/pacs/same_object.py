"""Whether two files are the same object, sent twice: what stands before the data set is the sender's own business."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.deflated import inflated_file
from neuralgraph.sources.films.dicom import read_stored_film
from neuralgraph.sources.films.dicom_header import quiet_pydicom
from neuralgraph.sources.films.film import FilmLimits

__all__ = ["same_object"]

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_PADDING = 0xFFFCFFFC


def same_object(one: bytes, other: bytes) -> bool:
    """Whether two DICOM files say the same: every element, and the pixels, in whatever encoding each has them.

    Where one of them cannot be read they are not the same: what came later is then kept beside what was there.

    Raises
    ------
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    if one == other:
        return True
    try:
        with quiet_pydicom("its header cannot be read"):
            first, second = _dataset(one), _dataset(other)
            pixels = [[dataset.pop(name, None) for name in _PIXELS] for dataset in (first, second)]
            if first != second:
                return False
            if pixels[0] == pixels[1]:
                return True
        a, b = (read_stored_film(data, limits=FilmLimits()).values for data in (one, other))
    except SourceError:
        return False
    return a.shape == b.shape and bool((a == b).all())


def _dataset(data: bytes) -> Any:
    from pydicom import dcmread

    dataset = dcmread(BytesIO(inflated_file(data, FilmLimits())))
    # Lengths of groups, which are retired, and padding behind the data set are no content (PS3.5, 7.2 and 7.8).
    for tag in [tag for tag in list(dataset.keys()) if tag.element == 0 or tag == _PADDING]:
        del dataset[tag]
    return dataset
