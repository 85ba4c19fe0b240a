"""Which kind of film a file is, by its content; names and extensions say nothing reliable."""

from __future__ import annotations

import os
from dataclasses import replace

from neuralgraph.errors import SourceError
from neuralgraph.sources.files import read_whole_file
from neuralgraph.sources.films.burned_text import text_lines
from neuralgraph.sources.films.dicom import is_dicom, read_dicom_film
from neuralgraph.sources.films.facts import Fact
from neuralgraph.sources.films.film import Film, FilmLimits
from neuralgraph.sources.films.images import JPEG_SIGNATURE, PNG_SIGNATURE, read_jpeg_film, read_png_film
from neuralgraph.sources.films.quality import quality_facts

__all__ = ["film_of_bytes", "read_film"]

_OTHER_FORMATS: tuple[tuple[bytes, str], ...] = (
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"RIFF", "a WebP picture or another RIFF file"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89NGR", "an .ngr file"),
)


def read_film(
    path: str | os.PathLike[str],
    *,
    limits: FilmLimits | None = None,
    accept_for_processing: bool = False,
    accept_burned_in: bool = False,
) -> Film:
    """The film in a DICOM, PNG or JPEG file; its content decides which.

    Parameters
    ----------
    path : the file.
    limits : bounds, checked before decoding; ``FilmLimits()`` by default.
    accept_for_processing : also take DICOM Digital X-Ray for processing.
    accept_burned_in : also take DICOM films that declare burned-in identifying text.

    Returns
    -------
    Film : pixels float32 [height, width] in 0..1, bones bright.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_EMPTY) : it cannot be read, or holds nothing; the text does not name the file.
    SourceError (E_SOURCE_TYPE) : none of the three.
    SourceError (E_SOURCE_DAMAGED, E_SOURCE_SIZE, E_SOURCE_KIND, E_SOURCE_ENCODING, E_SOURCE_TURNED)
    SourceError (E_SOURCE_BLANK) : all of it is one grey.
    MissingExtraError (E_EXTRA) : pydicom, Pillow or a decoder is not installed.
    """
    limits = limits or FilmLimits()
    return film_of_bytes(
        read_whole_file(path, max_bytes=limits.max_file_bytes),
        limits=limits,
        accept_for_processing=accept_for_processing,
        accept_burned_in=accept_burned_in,
    )


def film_of_bytes(
    data: bytes,
    *,
    limits: FilmLimits | None = None,
    accept_for_processing: bool = False,
    accept_burned_in: bool = False,
) -> Film:
    """The film in the bytes of a file; ``read_film`` explains the rest.

    Parameters
    ----------
    data : the file, not empty.
    """
    limits = limits or FilmLimits()
    if data.startswith(PNG_SIGNATURE):
        return _judged(read_png_film(data, limits=limits))
    if data.startswith(JPEG_SIGNATURE):
        return _judged(read_jpeg_film(data, limits=limits))
    if is_dicom(data):
        return _judged(
            read_dicom_film(
                data, limits=limits, accept_for_processing=accept_for_processing, accept_burned_in=accept_burned_in
            )
        )
    for signature, name in _OTHER_FORMATS:
        if data.startswith(signature):
            raise SourceError(f"{name}; give a DICOM, PNG or JPEG film", code="E_SOURCE_TYPE")
    if data[0] in (0x02, 0x08) and data[1:2] == b"\0" and data[3:4] == b"\0":
        raise SourceError(
            'this looks like DICOM without its preamble and "DICM"; have it written as a DICOM file (PS3.10)',
            code="E_SOURCE_TYPE",
        )
    raise SourceError("not a DICOM, PNG or JPEG file", code="E_SOURCE_TYPE")


def _judged(film: Film) -> Film:
    """The film with the facts on what it shows; one that shows nothing is refused."""
    facts: dict[str, Fact] = {**quality_facts(film.pixels)}
    if facts["quality"] == "blank":
        raise SourceError(
            "the film is blank: nearly all of it is one grey, whichever way its header lets it be shown; look at it, "
            "and have it exported again with a window of its own",
            code="E_SOURCE_BLANK",
        )
    if facts["quality"] == "good" and "rescue" in film.facts:
        facts["quality"] = "rescued"
    if lines := text_lines(film.pixels):
        facts["text_marks"] = len(lines)
    return replace(film, facts={**film.facts, **facts})
