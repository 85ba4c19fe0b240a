"""Codings of pictures that a film is compared with: each encodes, and decodes what it wrote.

All code the film at its own depth but JPEG, which in its common form has 8 bits: it codes the film as it is shown.
Fidelity is never taken from a codec's word; it is measured on what comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import MissingExtraError, missing_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuralgraph.sources.films.samples import Samples

__all__ = ["PICTURE_CODINGS", "CodedPicture", "PictureCoding"]

JPEG_XL_EFFORT = 7
"""libjxl's default."""


@dataclass(frozen=True, eq=False)
class CodedPicture:
    """A film in one coding."""

    data: bytes
    bits: int
    """Bits of a sample as they were coded."""
    lossless: bool
    """Whether every sample came back."""
    psnr_db: float | None
    """Of the film as it is shown, peak 1.0; None where the coding lost nothing that is shown."""


@dataclass(frozen=True)
class PictureCoding:
    """One coding."""

    name: str
    """As reports call it."""
    extra: str
    library: str
    """What to install for it, and the import that needs it."""
    encode: Callable[[NDArray[Any], int], bytes]
    """Values [height, width] and bits per sample to bytes."""
    decode: Callable[[bytes, NDArray[Any]], NDArray[Any]]
    """The bytes, and the values' shape and dtype, back to values."""
    only_8_bits: bool = False
    """The coding has no more; films that do are coded as they are shown."""

    def __call__(self, samples: Samples) -> CodedPicture:
        """Code a film and measure what came back.

        Raises
        ------
        MissingExtraError (E_EXTRA) : the library of this coding is not installed.
        """
        shrunk = self.only_8_bits and samples.bits > 8
        values = np.rint(samples.film.pixels * 255).astype(np.uint8) if shrunk else samples.values
        bits = 8 if shrunk else samples.bits
        try:
            data = self.encode(values, bits)
            back = self.decode(data, values)
        except MissingExtraError:
            raise
        except ImportError as error:
            raise missing_extra(self.name, extra=self.extra, library=self.library) from error
        shown = back.astype(np.float32) / np.float32(255) if shrunk else samples.shown(back)
        lossless = not shrunk and np.array_equal(back, values)
        # The samples of a film in colour are rounded to grey; that is no loss of the coding.
        return CodedPicture(data, bits, lossless, None if lossless else _psnr(samples.film.pixels, shown))


def _psnr(original: NDArray[np.float32], shown: NDArray[np.float32]) -> float | None:
    error = float(np.mean((original.astype(np.float64) - shown) ** 2))
    return float(-10 * np.log10(error)) if error > 0 else None


def _png(values: NDArray[Any], bits: int) -> bytes:
    del bits
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(values).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _jpeg(quality: int) -> Callable[[NDArray[Any], int], bytes]:
    def encode(values: NDArray[Any], bits: int) -> bytes:
        del bits
        from PIL import Image

        stream = BytesIO()
        Image.fromarray(values).save(stream, "JPEG", quality=quality, optimize=True)
        return stream.getvalue()

    return encode


def _opened(data: bytes, like: NDArray[Any]) -> NDArray[Any]:
    from PIL import Image

    with Image.open(BytesIO(data)) as picture:
        return np.asarray(picture).astype(like.dtype)


def _jpeg_ls(values: NDArray[Any], bits: int) -> bytes:
    import jpeg_ls

    height, width = values.shape
    return bytes(jpeg_ls.encode_buffer(values.tobytes(), height, width, 1, bits))


def _from_jpeg_ls(data: bytes, like: NDArray[Any]) -> NDArray[Any]:
    import jpeg_ls

    return np.frombuffer(jpeg_ls.decode_buffer(data)[0], like.dtype).reshape(like.shape)


def _jpeg_2000(**options: Any) -> Callable[[NDArray[Any], int], bytes]:
    def encode(values: NDArray[Any], bits: int) -> bytes:
        from openjpeg.utils import encode_array

        return bytes(encode_array(values, bits_stored=bits, photometric_interpretation=2, **options))

    return encode


def _from_jpeg_2000(data: bytes, like: NDArray[Any]) -> NDArray[Any]:
    import openjpeg

    return np.asarray(openjpeg.decode(data)).astype(like.dtype)


def _htj2k(values: NDArray[Any], bits: int) -> bytes:
    del bits  # the encoder takes the depth from the type: 8 or 16, which costs a lossless coding next to nothing
    import imagecodecs

    return bytes(imagecodecs.htj2k_encode(values, reversible=True))


def _from_htj2k(data: bytes, like: NDArray[Any]) -> NDArray[Any]:
    import imagecodecs

    return np.asarray(imagecodecs.htj2k_decode(data)).astype(like.dtype)


def _jpeg_xl(**options: Any) -> Callable[[NDArray[Any], int], bytes]:
    def encode(values: NDArray[Any], bits: int) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.jpegxl_encode(values, effort=JPEG_XL_EFFORT, bitspersample=bits, **options))

    return encode


def _from_jpeg_xl(data: bytes, like: NDArray[Any]) -> NDArray[Any]:
    import imagecodecs

    return np.asarray(imagecodecs.jpegxl_decode(data)).astype(like.dtype)


PICTURE_CODINGS: tuple[PictureCoding, ...] = (
    PictureCoding("PNG", "vlm", "PIL", _png, _opened),
    PictureCoding("JPEG-LS", "dicom", "jpeg_ls", _jpeg_ls, _from_jpeg_ls),
    PictureCoding("JPEG 2000", "dicom", "openjpeg", _jpeg_2000(), _from_jpeg_2000),
    PictureCoding("HTJ2K", "dicom", "imagecodecs", _htj2k, _from_htj2k),
    PictureCoding("JPEG XL", "dicom", "imagecodecs", _jpeg_xl(lossless=True), _from_jpeg_xl),
    *(
        PictureCoding(f"JPEG q{quality}", "vlm", "PIL", _jpeg(quality), _opened, only_8_bits=True)
        for quality in (95, 90, 75, 10)
    ),
    PictureCoding("JPEG 2000 20:1", "dicom", "openjpeg", _jpeg_2000(compression_ratios=[20]), _from_jpeg_2000),
    PictureCoding("JPEG XL d1", "dicom", "imagecodecs", _jpeg_xl(distance=1.0), _from_jpeg_xl),
)
"""Lossless ones first. "20:1" is the ratio asked of the encoder, "d1" libjxl's distance 1.0."""
