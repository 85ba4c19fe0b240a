"""Films from PNG and JPEG files.

What is read: grey pictures, and colour pictures that are grey films saved as colour (``colour``). Samples count as
stored: gamma, colour profiles and dots per inch are ignored. Transparent parts are laid on black. The EXIF orientation
of a JPEG is applied, because every viewer shows the film that way; PNG has none that viewers agree on.

JPEG has no checksums, so damage inside its entropy-coded data can go unseen; a file that ends early cannot.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import NeuralGraphError, SourceError, missing_extra
from neuralgraph.sources.films.codestream import jpeg_header, jpeg_segments
from neuralgraph.sources.films.colour import grey_of
from neuralgraph.sources.films.facts import TURNS, Fact
from neuralgraph.sources.films.film import Film, FilmLimits, check_dimensions, check_expansion
from neuralgraph.sources.films.geometry import turned
from neuralgraph.sources.films.png_chunks import PNG_SIGNATURE, PngParts, read_png_chunks
from neuralgraph.sources.films.quality import narrowed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["JPEG_SIGNATURE", "PNG_SIGNATURE", "read_jpeg_film", "read_png_film"]

JPEG_SIGNATURE = b"\xff\xd8\xff"

_HUFFMAN_DCT = (0xC0, 0xC1, 0xC2)
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_ORIENTATION_TAG, _SHORT = 0x0112, 3


def read_png_film(data: bytes, *, limits: FilmLimits | None = None) -> Film:
    """A film from a PNG: grey, palette or colour of 1 to 16 bits, at full precision.

    Parameters
    ----------
    data : the file.
    limits : bounds, checked on the header before decoding.

    Returns
    -------
    Film : float32 [height, width]: sample / (2^bits - 1). 16 bits that show next to nothing, as those do that hold 12,
        count as the bits used.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED, E_SOURCE_SIZE, E_SOURCE_ENCODING)
    SourceError (E_SOURCE_KIND) : animated, or a colour picture.
    MissingExtraError (E_EXTRA) : Pillow is not installed.
    """
    parts = read_png_chunks(data, limits or FilmLimits())
    samples, alpha, maximum = _png_samples(parts)
    pixels = grey_of(samples, alpha, maximum)
    facts: dict[str, Fact] = {
        "format": "png",
        "bits_stored": parts.bit_depth,
        "photometric": "PALETTE" if parts.colour_type == 3 else "COLOUR" if parts.colour_type & 2 else "GREY",
    }
    if alpha is not None:
        facts["transparent"] = bool((alpha < maximum).any())
    if parts.bit_depth == 16 and (narrower := narrowed(pixels, bits=16)) is not None:
        (pixels, facts["bits_used"]), facts["rescue"] = narrower, "bits used"
    return Film(pixels, "unknown", facts)


def read_jpeg_film(data: bytes, *, limits: FilmLimits | None = None) -> Film:
    """A film from a JPEG of 8 bits, grey or colour, turned as its EXIF orientation says.

    Parameters
    ----------
    data : the file.
    limits : bounds, checked on the header before decoding.

    Returns
    -------
    Film : float32 [height, width]: sample / 255.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED, E_SOURCE_SIZE)
    SourceError (E_SOURCE_ENCODING) : not 8-bit Huffman DCT.
    SourceError (E_SOURCE_KIND) : CMYK, several pictures in one file, or a colour picture.
    MissingExtraError (E_EXTRA) : Pillow is not installed.
    """
    header = jpeg_header(data)
    check_dimensions(header.height, header.width, limits or FilmLimits())
    if header.components not in (1, 3):
        kind = "a CMYK picture" if header.components == 4 else f"a picture of {header.components} components"
        raise SourceError(f"the JPEG is {kind}, not a grey film", code="E_SOURCE_KIND")
    if header.process not in _HUFFMAN_DCT or header.precision != 8:
        raise SourceError(
            "the JPEG is not an 8-bit baseline or progressive one; convert it to PNG", code="E_SOURCE_ENCODING"
        )
    check_expansion(len(data), header.height * header.width * header.components)
    stream, orientation = _bare_jpeg(data)
    samples = _decode(stream, "JPEG")
    pixels = turned(grey_of(samples, None, 255), TURNS[orientation - 1])
    facts: dict[str, Fact] = {
        "format": "jpeg",
        "bits_stored": 8,
        "photometric": "GREY" if header.components == 1 else "COLOUR",
        "lossy": True,
    }
    if orientation != 1:
        facts["turned"], facts["turned_by"] = TURNS[orientation - 1], "exif"
        facts["stored_size"] = [float(header.height), float(header.width)]
    return Film(pixels, "unknown", facts)


def _decode(stream: bytes, file_format: str, *, raw_mode: str = "") -> NDArray[Any]:
    """The samples of a stream whose dimensions have been checked; ``raw_mode`` picks other bytes of them."""
    try:
        from PIL import JpegImagePlugin, PngImagePlugin
    except ImportError as error:
        raise missing_extra("reading PNG and JPEG", extra="vlm", library="PIL") from error
    # The plug-ins and not Image.open: that one guesses the format and has a process-wide pixel limit that warns.
    plugin = PngImagePlugin.PngImageFile if file_format == "PNG" else JpegImagePlugin.JpegImageFile
    try:
        with plugin(BytesIO(stream)) as picture:
            if raw_mode:
                picture.tile = [picture.tile[0]._replace(args=raw_mode)]
            return np.asarray(picture)
    except NeuralGraphError:
        raise
    except MemoryError as error:
        raise SourceError(f"not enough memory to decode the {file_format}", code="E_SOURCE_SIZE") from error
    except Exception as error:
        # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error ... on damaged data.
        raise SourceError(
            f"the {file_format} is damaged or truncated: its pixels cannot be decoded", code="E_SOURCE_DAMAGED"
        ) from error


def _png_samples(parts: PngParts) -> tuple[NDArray[Any], NDArray[Any] | None, int]:
    """Samples [height, width] or [height, width, 3], alpha [height, width] or None, and the largest sample."""
    if parts.bit_depth == 16:
        samples, maximum = _png_samples_16(parts), 65535
    else:
        samples, maximum = _decode(parts.stream, "PNG"), 255
        if samples.dtype == np.bool_:
            samples = samples.astype(np.uint8) * np.uint8(255 if parts.colour_type == 0 else 1)
    if parts.colour_type == 3:
        return _from_palette(samples, parts)
    if parts.colour_type in (4, 6):
        samples, alpha = samples[..., :-1], samples[..., -1]
        return (samples[..., 0] if parts.colour_type == 4 else samples), alpha, maximum
    if not parts.transparency:
        return samples, None, maximum
    # One sample value, or one colour, is transparent; it is stored at the picture's own bit depth.
    channels = 1 if parts.colour_type == 0 else 3
    if len(parts.transparency) != 2 * channels:
        raise SourceError("the PNG is damaged: its transparency has a wrong length", code="E_SOURCE_DAMAGED")
    key = np.frombuffer(parts.transparency, ">u2").astype(np.int64) * (maximum // (2**parts.bit_depth - 1))
    matches = samples == key[0] if channels == 1 else (samples == key).all(axis=-1)
    return samples, np.where(matches, 0, maximum), maximum


def _png_samples_16(parts: PngParts) -> NDArray[np.uint16]:
    """All 16 bits of 16-bit samples; Pillow keeps only the upper 8 of any but plain grey."""
    if parts.colour_type == 0:
        return _decode(parts.stream, "PNG").astype(np.uint16)
    if parts.colour_type == 4:
        # Four bytes per pixel, which pass through unchanged as four 8-bit channels.
        quad = _decode(parts.stream, "PNG", raw_mode="RGBA").astype(np.uint16)
        return quad[..., 0::2] << np.uint16(8) | quad[..., 1::2]
    mode = "RGB" if parts.colour_type == 2 else "RGBA"
    upper = _decode(parts.stream, "PNG").astype(np.uint16)
    # Read as if little-endian, the "upper" byte that Pillow keeps is the lower one.
    lower = _decode(parts.stream, "PNG", raw_mode=f"{mode};16L").astype(np.uint16)
    return upper << np.uint16(8) | lower


def _from_palette(indices: NDArray[Any], parts: PngParts) -> tuple[NDArray[Any], NDArray[Any] | None, int]:
    colours = len(parts.palette) // 3
    if len(parts.palette) % 3 or not 0 < colours <= 256 or int(indices.max()) >= colours:
        raise SourceError("the PNG is damaged: a pixel points outside its palette", code="E_SOURCE_DAMAGED")
    palette = np.frombuffer(parts.palette, np.uint8).reshape(-1, 3)
    if not parts.transparency:
        return palette[indices], None, 255
    alpha = np.full(256, 255, np.uint8)
    stated = np.frombuffer(parts.transparency[:256], np.uint8)
    alpha[: len(stated)] = stated
    return palette[indices], alpha[indices], 255


def _bare_jpeg(data: bytes) -> tuple[bytes, int]:
    """The stream without metadata, and the EXIF orientation (1 where there is none)."""
    kept, orientation, scan = [data[:2]], 1, 0
    for segment in jpeg_segments(data):
        payload = data[segment.begin : segment.end]
        if segment.marker == _APP1 and payload.startswith(b"Exif\0\0"):
            orientation = _exif_orientation(payload[6:])
        elif segment.marker == _APP2 and payload.startswith(b"MPF\0"):
            raise SourceError("the JPEG holds several pictures, not a single film", code="E_SOURCE_KIND")
        # JFIF and Adobe markers say how colours are coded; everything else is metadata.
        is_colour_coding = (segment.marker == _APP0 and payload.startswith(b"JFIF\0")) or (
            segment.marker == _APP14 and payload.startswith(b"Adobe")
        )
        if is_colour_coding or not (_APP0 <= segment.marker <= _APP15 or segment.marker == _COMMENT):
            kept.append(data[segment.start : segment.end])
        scan = segment.end
    if data.rfind(b"\xff\xd9") < scan:
        raise SourceError("the JPEG is truncated: it has no end marker", code="E_SOURCE_DAMAGED")
    kept.append(data[scan:])
    return b"".join(kept), orientation


def _exif_orientation(tiff: bytes) -> int:
    """Orientation 1..8 from a TIFF structure (EXIF 2.32 section 4.6.2); 1 where it states none that is valid."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    if directory + 2 > len(tiff):
        return 1
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for entry in range(directory + 2, min(directory + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if (tag, kind, count) == (_ORIENTATION_TAG, _SHORT, 1):
            return value if 1 <= value <= 8 else 1
    return 1
