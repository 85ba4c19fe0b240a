"""The samples of a film at the depth its file has them: what a codec of pictures is given.

``read_film`` gives a film as it is shown, in floats. Comparing sizes with codecs of pictures needs the integers that an
archive keeps, and a way to show what a lossy codec made of them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.sources.files import read_whole_file
from neuralgraph.sources.films.dicom import StoredFilm, is_dicom, read_stored_film
from neuralgraph.sources.films.film import Film, FilmLimits
from neuralgraph.sources.films.recognise import film_of_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Samples", "read_samples", "samples_of_film"]


@dataclass(frozen=True, eq=False)
class Samples:
    """A film as integers."""

    film: Film
    """As it is shown."""
    values: NDArray[Any]
    """uint8 (8 bits) or uint16 (more) [height, width], 0..2^bits - 1. Of a DICOM film the stored values, before window
    and polarity, signed ones raised so that the lowest becomes 0; else the grey samples."""
    bits: int
    """Of one value, 8 to 16."""
    source_bytes: int
    """Of the whole file; 0 where there is none."""
    _stored: StoredFilm | None = None

    def shown(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """What other values of this film would look like, float32 [height, width] in 0..1.

        Parameters
        ----------
        values : like ``self.values``, for example after a lossy codec.
        """
        if self._stored is None:
            return values.astype(np.float32) / np.float32((1 << self.bits) - 1)
        return self._stored.shown(values.astype(np.int64) + self._stored.layout.lowest)


def read_samples(path: str | os.PathLike[str], *, limits: FilmLimits | None = None) -> Samples:
    """The samples of a DICOM, PNG or JPEG film; errors as ``read_film``.

    Parameters
    ----------
    path : the file.
    limits : bounds, checked before decoding; ``FilmLimits()`` by default.
    """
    limits = limits or FilmLimits()
    data = read_whole_file(path, max_bytes=limits.max_file_bytes)
    if is_dicom(data):
        stored = read_stored_film(data, limits=limits)
        layout = stored.layout
        raised = stored.values.astype(np.int64) - layout.lowest
        return Samples(stored.film(), raised.astype(_dtype(layout.bits_stored)), layout.bits_stored, len(data), stored)
    film = film_of_bytes(data, limits=limits)
    # A palette's index has fewer bits than its colours, and samples of 1, 2 or 4 bits were spread over 8.
    bits = film.facts["bits_stored"]
    used = film.facts.get("bits_used", 16 if bits == 16 else 8)
    return samples_of_film(film, bits=int(used) if isinstance(used, int) else 8, source_bytes=len(data))


def samples_of_film(film: Film, *, bits: int, source_bytes: int = 0) -> Samples:
    """The samples of a film that is there as floats.

    Parameters
    ----------
    film : the film.
    bits : of one sample, 8 to 16; exact for films whose grey levels are k / (2^bits - 1).
    source_bytes : of its file.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : ``bits`` is out of range.
    """
    if not 8 <= bits <= 16:
        raise SourceError(f"samples have 8 to 16 bits, not {bits}", code="E_SOURCE_KIND", where="bits")
    top = (1 << bits) - 1
    return Samples(film, np.rint(film.pixels * np.float64(top)).astype(_dtype(bits)), bits, source_bytes)


def _dtype(bits: int) -> type[np.unsignedinteger[Any]]:
    return np.uint8 if bits == 8 else np.uint16
