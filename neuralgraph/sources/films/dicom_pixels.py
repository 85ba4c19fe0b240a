"""Stored values from the pixel data of a DICOM file: one frame, one sample per pixel (PS3.5 section 8 and annex A).

Which library decodes which transfer syntax is a fixed table, so that the same file gives the same pixels on every
machine. What a codestream says of its own size must be what the header says, before any decoder sees it.
"""

from __future__ import annotations

import struct
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError, missing_extra
from neuralgraph.sources.films.codestream import CodestreamHeader, jpeg2000_header, jpeg_header
from neuralgraph.sources.films.decoder_noise import heard_decoder
from neuralgraph.sources.films.dicom_header import DicomHeader, quiet_pydicom, registered_name
from neuralgraph.sources.films.film import check_expansion
from neuralgraph.sources.films.run_length import decode_run_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PixelFormat", "is_lossy_syntax", "read_colour_samples", "read_stored_values"]

_NATIVE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
_RUN_LENGTH = "1.2.840.10008.1.2.5"
# Transfer syntax -> (family, pydicom's name of the plug-in, library to install).
_DECODERS: dict[str, tuple[str, str, str]] = {
    "1.2.840.10008.1.2.4.50": ("jpeg", "pillow", "PIL"),
    "1.2.840.10008.1.2.4.51": ("jpeg", "pillow", "PIL"),
    "1.2.840.10008.1.2.4.57": ("jpeg", "gdcm", "gdcm"),
    "1.2.840.10008.1.2.4.70": ("jpeg", "gdcm", "gdcm"),
    "1.2.840.10008.1.2.4.80": ("jpeg", "pyjpegls", "jpeg_ls"),
    "1.2.840.10008.1.2.4.81": ("jpeg", "pyjpegls", "jpeg_ls"),
    "1.2.840.10008.1.2.4.90": ("jpeg2000", "pylibjpeg", "openjpeg"),
    "1.2.840.10008.1.2.4.91": ("jpeg2000", "pylibjpeg", "openjpeg"),
    "1.2.840.10008.1.2.4.201": ("jpeg2000", "pylibjpeg", "openjpeg"),
    "1.2.840.10008.1.2.4.202": ("jpeg2000", "pylibjpeg", "openjpeg"),
    "1.2.840.10008.1.2.4.203": ("jpeg2000", "pylibjpeg", "openjpeg"),
}
# Bits per pixel that a transfer syntax is read with, where not every number is.
_PRECISIONS = {"1.2.840.10008.1.2.4.50": (8,), "1.2.840.10008.1.2.4.51": (8, 12)}
_PROCESSES: dict[str, tuple[int, ...]] = {
    "pillow": (0xC0, 0xC1, 0xC2),
    "gdcm": (0xC3,),
    "pyjpegls": (0xF7,),
    "pylibjpeg": (0,),
}
_ALWAYS_LOSSY = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
_MAX_FRAGMENTS = 100_000


@dataclass(frozen=True)
class PixelFormat:
    """How one pixel is stored (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    """Pixels."""
    bits_allocated: int
    """8 or 16."""
    bits_stored: int
    """8..``bits_allocated``; the highest of them is the top one."""
    is_signed: bool
    """Two's complement."""
    samples: int = 1
    """1, or 3 of a colour."""

    @property
    def lowest(self) -> int:
        """Smallest value that can be stored."""
        return -(1 << (self.bits_stored - 1)) if self.is_signed else 0

    @property
    def highest(self) -> int:
        """Largest value that can be stored."""
        return self.lowest + (1 << self.bits_stored) - 1


def is_lossy_syntax(transfer_syntax: str) -> bool:
    """Whether every picture in this transfer syntax has lost something (JPEG of 8 or 12 bits)."""
    return transfer_syntax in _ALWAYS_LOSSY


def read_stored_values(data: bytes, header: DicomHeader, layout: PixelFormat) -> NDArray[Any]:
    """The stored values of a film, before any grey-level transformation.

    Parameters
    ----------
    data : the file.
    header : its header; the dimensions have been held against the limits.
    layout : how a pixel is stored.

    Returns
    -------
    integers [rows, columns] in ``layout.lowest``..``layout.highest``.

    Raises
    ------
    SourceError (E_SOURCE_ENCODING) : the transfer syntax, or the variant of it, is not supported.
    SourceError (E_SOURCE_DAMAGED)
    MissingExtraError (E_EXTRA) : the library that decodes it is not installed.
    """
    syntax = header.transfer_syntax
    if syntax in _NATIVE:
        stored = _native(data, header, layout)
    elif syntax == _RUN_LENGTH:
        frame = _joined_fragments(data, header)
        check_expansion(len(frame), layout.rows * layout.columns * layout.bits_allocated // 8)
        stored = _own_bits(decode_run_length(frame, layout), layout)
    elif syntax in _DECODERS:
        stored = _decompressed(_joined_fragments(data, header), syntax, layout)
    else:
        raise SourceError(
            f"{registered_name(syntax, 'the transfer syntax')} is not supported", code="E_SOURCE_ENCODING"
        )
    return stored


def read_colour_samples(data: bytes, header: DicomHeader, layout: PixelFormat) -> NDArray[Any]:
    """The samples of a picture of three per pixel, as RGB whatever the file has (PS3.3 C.7.6.3.1.2).

    Parameters
    ----------
    data, header : as for ``read_stored_values``.
    layout : of one sample, unsigned.

    Returns
    -------
    uint8 or uint16 [rows, columns, 3].

    Raises
    ------
    SourceError, MissingExtraError
        as ``read_stored_values``.
    """
    syntax, photometric = header.transfer_syntax, header.word("PhotometricInterpretation")
    size = layout.rows * layout.columns * 3 * layout.bits_allocated // 8
    if syntax in _NATIVE:
        # Two pixels share their colours in YBR_FULL_422 (PS3.3 C.7.6.3.1.2).
        needed = size * 2 // 3 if photometric == "YBR_FULL_422" else size
        stream = data[header.pixel_start : header.pixel_start + needed]
        if header.pixel_length < 0 or min(header.pixel_length, len(stream)) < needed:
            raise _damaged(f"its pixel data is shorter than the {needed} bytes it must have")
        plugin = ""
    elif syntax == _RUN_LENGTH:
        stream, plugin = _joined_fragments(data, header), "pydicom"
        check_expansion(len(stream), size)
    elif syntax in _DECODERS:
        stream = _joined_fragments(data, header)
        family, plugin, _ = _DECODERS[syntax]
        stated = jpeg_header(stream) if family == "jpeg" else jpeg2000_header(stream)
        _check_codestream(stated, layout, syntax)
        check_expansion(len(stream), size)
        if stream.rfind(b"\xff\xd9") < 4:
            raise _damaged("its compressed pixels end early")
    else:
        raise SourceError(
            f"{registered_name(syntax, 'the transfer syntax')} is not supported", code="E_SOURCE_ENCODING"
        )
    samples = _colour_by_pydicom(stream, header, layout, plugin)
    if samples.shape != (layout.rows, layout.columns, 3):
        raise _damaged("its pixels have another shape than its header says")
    return samples


def _damaged(what: str) -> SourceError:
    return SourceError(f"the DICOM file is damaged or truncated: {what}", code="E_SOURCE_DAMAGED")


def _own_bits(stored: NDArray[Any], layout: PixelFormat) -> NDArray[Any]:
    """Only the bits of the pixel: older films carry overlays in those above (PS3.5 section 8.1.1, retired)."""
    if layout.bits_stored == layout.bits_allocated:
        return stored
    mask = (1 << layout.bits_stored) - 1
    unused = layout.bits_allocated - layout.bits_stored
    return (stored << unused) >> unused if layout.is_signed else stored & mask


def _native(data: bytes, header: DicomHeader, layout: PixelFormat) -> NDArray[Any]:
    if header.pixel_length < 0:
        raise _damaged("its pixel data is encapsulated, its transfer syntax is not")
    size = layout.bits_allocated // 8
    needed = layout.rows * layout.columns * size
    available = min(header.pixel_length, len(data) - header.pixel_start)
    if available < needed:
        raise _damaged(f"its pixel data has {available} bytes instead of {needed}")
    kind = "i" if layout.is_signed else "u"
    count = layout.rows * layout.columns
    if header.big_endian and header.has_word_pixels and size == 1:
        # Each 16-bit word holds two pixels and is written high byte first (PS3.5 section 7.3).
        if available < needed + needed % 2:
            raise _damaged("its pixel data lacks the padding byte")
        pairs = np.frombuffer(data, np.uint16, (needed + 1) // 2, header.pixel_start).byteswap()
        values = pairs.view(f"{kind}1")[:count]
    else:
        order = ">" if header.big_endian else "<"
        values = np.frombuffer(data, f"{order}{kind}{size}", count, header.pixel_start)
        values = values.astype(values.dtype.newbyteorder("="))
    return _own_bits(values.reshape(layout.rows, layout.columns), layout)


def _joined_fragments(data: bytes, header: DicomHeader) -> bytes:
    """The one frame of encapsulated pixel data: all fragments after the offset table (PS3.5 A.4)."""
    if header.pixel_length >= 0:
        raise _damaged("its pixel data is not encapsulated, as its transfer syntax wants")
    fragments: list[bytes] = []
    position = header.pixel_start
    while True:
        if position + 8 > len(data):
            raise _damaged("its pixel data ends early")
        tag, length = struct.unpack_from("<4sI", data, position)
        position += 8
        if tag == b"\xfe\xff\xdd\xe0":
            break
        if tag != b"\xfe\xff\x00\xe0" or position + length > len(data):
            raise _damaged("its pixel data ends early")
        fragments.append(data[position : position + length])
        position += length
        if len(fragments) > _MAX_FRAGMENTS:
            raise _damaged("its pixel data has too many fragments")
    if len(fragments) < 2:
        raise _damaged("its pixel data has no frame")
    return b"".join(fragments[1:])


def _check_codestream(stated: CodestreamHeader, layout: PixelFormat, syntax: str) -> None:
    plugin = _DECODERS[syntax][1]
    if (stated.height, stated.width) != (layout.rows, layout.columns):
        raise _damaged(
            f"its header says {layout.columns} x {layout.rows} pixels, "
            f"its compressed pixels {stated.width} x {stated.height}"
        )
    if stated.components != layout.samples:
        raise SourceError(
            f"its compressed pixels have {stated.components} colour components, its header says {layout.samples}",
            code="E_SOURCE_KIND",
        )
    if stated.process not in _PROCESSES[plugin]:
        raise _damaged("its compressed pixels are not in its transfer syntax")
    if stated.precision not in _PRECISIONS.get(syntax, (stated.precision,)):
        raise SourceError(f"JPEG of {stated.precision} bits is not supported", code="E_SOURCE_ENCODING")
    if not 2 <= stated.precision <= layout.bits_allocated:
        raise _damaged("its compressed pixels have more bits than its header allows")


def _decompressed(stream: bytes, syntax: str, layout: PixelFormat) -> NDArray[Any]:
    family, plugin, _ = _DECODERS[syntax]
    stated = jpeg_header(stream) if family == "jpeg" else jpeg2000_header(stream)
    _check_codestream(stated, layout, syntax)
    check_expansion(len(stream), layout.rows * layout.columns * layout.bits_allocated // 8)
    # No entropy-coded data of these families can hold the end marker's two bytes.
    if stream.rfind(b"\xff\xd9") < 4:
        raise _damaged("its compressed pixels end early")
    twelve = plugin == "pillow" and stated.precision == 12
    stored = _twelve_bits(stream, layout) if twelve else _by_pydicom(stream, syntax, layout)
    if stored.shape != (layout.rows, layout.columns):
        raise _damaged("its compressed pixels have another shape than its header says")
    # A lossy decoder may overshoot what Bits Stored can say.
    return np.asarray(np.clip(stored, layout.lowest, layout.highest))


def _twelve_bits(stream: bytes, layout: PixelFormat) -> NDArray[Any]:
    """JPEG of 12 bits, which Pillow does not read and pydicom leaves to libraries under the GPL."""
    try:
        import imagecodecs
    except ImportError as error:
        raise missing_extra("decoding JPEG of 12 bits", extra="dicom", library="imagecodecs") from error
    try:
        stored: NDArray[Any] = imagecodecs.jpeg8_decode(stream)
    except imagecodecs.Jpeg8Error as error:
        raise _damaged("its compressed pixels cannot be decoded") from error
    return (stored << 4).view(np.int16) >> 4 if layout.is_signed else stored


def _by_pydicom(stream: bytes, syntax: str, layout: PixelFormat) -> NDArray[Any]:
    _, plugin, library = _DECODERS[syntax]
    with quiet_pydicom("its compressed pixels cannot be decoded"):
        from pydicom.encaps import encapsulate
        from pydicom.pixels import get_decoder

        decoder = get_decoder(syntax)
        if plugin not in decoder.available_plugins:
            raise missing_extra("decoding this film", extra="dicom", library=library)
        with heard_decoder() if plugin == "gdcm" else nullcontext():
            stored, _ = decoder.as_array(
                encapsulate([stream]),
                index=0,
                raw=True,
                decoding_plugin=plugin,
                rows=layout.rows,
                columns=layout.columns,
                number_of_frames=1,
                samples_per_pixel=1,
                photometric_interpretation="MONOCHROME2",
                bits_allocated=layout.bits_allocated,
                bits_stored=layout.bits_stored,
                pixel_representation=int(layout.is_signed),
                pixel_keyword="PixelData",
            )
    return np.asarray(stored)


def _colour_by_pydicom(stream: bytes, header: DicomHeader, layout: PixelFormat, plugin: str) -> NDArray[Any]:
    """RGB samples; ``plugin`` is "" for native pixels."""
    syntax = header.transfer_syntax
    with quiet_pydicom("its pixels cannot be decoded"):
        from pydicom.encaps import encapsulate
        from pydicom.pixels import get_decoder

        decoder = get_decoder(syntax)
        if plugin and plugin not in decoder.available_plugins:
            raise missing_extra("decoding this film", extra="dicom", library=_DECODERS[syntax][2])
        with heard_decoder() if plugin == "gdcm" else nullcontext():
            samples, _ = decoder.as_array(
                encapsulate([stream]) if plugin else stream,
                index=0,
                as_rgb=True,
                **({"decoding_plugin": plugin} if plugin else {}),
                rows=layout.rows,
                columns=layout.columns,
                number_of_frames=1,
                samples_per_pixel=3,
                planar_configuration=header.integer("PlanarConfiguration", 0),
                photometric_interpretation=header.word("PhotometricInterpretation"),
                bits_allocated=layout.bits_allocated,
                bits_stored=layout.bits_stored,
                pixel_representation=0,
                pixel_keyword="PixelData",
            )
    return np.asarray(samples)
