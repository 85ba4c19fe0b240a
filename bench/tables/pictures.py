"""Pictures at few bytes: the film as the encoder sees it, through the codecs that archives and viewers use."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["LOSSLESS", "Picture", "jpeg_xl_missing", "pictures"]

Plane = NDArray[np.uint8]
LOSSLESS = "PNG lossless"
"""Name of the setting that loses nothing."""
JPEG_QUALITIES = (10, 25, 50, 75, 90, 95)
JPEG_SMALL_QUALITIES = (10, 25, 50, 75)
JPEG_2000_RATES = (160, 80, 40, 20, 10)
JPEG_XL_DISTANCES = (25.0, 10.0, 4.0, 1.0)


@dataclass(frozen=True)
class Picture:
    """One setting of one codec."""

    family: str
    setting: str
    encode: Callable[[Plane], bytes]
    decode: Callable[[bytes, tuple[int, int]], Plane]
    """Bytes, and the (height, width) to give back."""

    @property
    def name(self) -> str:
        """Of the row in a table."""
        return f"{self.family} {self.setting}"


def pictures() -> list[Picture]:
    """All settings that can be used here."""
    made = [Picture(*LOSSLESS.split(), _png, _opened)]
    made += [Picture("JPEG", f"q{quality}", _jpeg(quality), _opened) for quality in JPEG_QUALITIES]
    made += [
        Picture("JPEG at half size", f"q{quality}", _jpeg(quality, shrink=2), _opened)
        for quality in JPEG_SMALL_QUALITIES
    ]
    made += [Picture("JPEG 2000", f"1:{rate}", _jpeg_2000(rate), _opened) for rate in JPEG_2000_RATES]
    if not jpeg_xl_missing():
        made += [Picture("JPEG XL", f"d{each:g}", _jpeg_xl(each), _jpeg_xl_opened) for each in JPEG_XL_DISTANCES]
    return made


def jpeg_xl_missing() -> str:
    """Why JPEG XL is left out here; "" where it is not."""
    try:
        import imagecodecs
    except ImportError:
        return "imagecodecs is not installed (extra bench)"
    return "" if imagecodecs.JPEGXL.available else "this build of imagecodecs has no JPEG XL"


def _saved(plane: Plane, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(plane).save(stream, kind, **options)
    return stream.getvalue()


def _png(plane: Plane) -> bytes:
    return _saved(plane, "PNG", optimize=True)


def _jpeg(quality: int, *, shrink: int = 1) -> Callable[[Plane], bytes]:
    def encode(plane: Plane) -> bytes:
        if shrink > 1:
            height, width = plane.shape
            size = max(1, width // shrink), max(1, height // shrink)
            plane = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX))
        return _saved(plane, "JPEG", quality=quality, optimize=True)

    return encode


def _jpeg_2000(rate: int) -> Callable[[Plane], bytes]:
    return lambda plane: _saved(
        plane, "JPEG2000", quality_mode="rates", quality_layers=[rate], irreversible=True, no_jp2=True
    )


def _opened(data: bytes, shape: tuple[int, int]) -> Plane:
    image = Image.open(io.BytesIO(data))
    if image.size != (shape[1], shape[0]):
        image = image.resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(image)


def _jpeg_xl(distance: float) -> Callable[[Plane], bytes]:
    def encode(plane: Plane) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.jpegxl_encode(plane, distance=distance, effort=7, numthreads=1))

    return encode


def _jpeg_xl_opened(data: bytes, shape: tuple[int, int]) -> Plane:
    import imagecodecs

    del shape
    return np.asarray(imagecodecs.jpegxl_decode(data, numthreads=1))
