"""From a film's pixels to the model's input, and from a grid cell back to a place on the film."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from neuralgraph.errors import ModelError, SourceError
from neuralgraph.sources.films.film import in_unit_range
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["Geometry", "Preprocessor", "check_film"]

PREPROCESSOR_NAME = "preprocessor_config.json"


class Geometry(NamedTuple):
    """How the grid of patches lies on the film.

    Patch (r, c) covers the film's pixels from (r * patch_height, c * patch_width) to
    ((r + 1) * patch_height, (c + 1) * patch_width), clipped to the film.
    """

    rows: int
    cols: int
    patch_height: float
    """Pixels of the film, not of the model's input."""
    patch_width: float
    height: int
    """Of the film as the encoder sees it, before padding."""
    width: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preprocessor:
    """Film to model input: the film's own resolution, up to a longest side.

    Raises
    ------
    ModelError (E_MODEL) : a field is out of its range.
    """

    stride: int
    """Pixels per side of a patch; the model's total stride."""
    channels: int = 1
    """How often the grey film is repeated."""
    max_side: int = 1024
    """Longest side in pixels that is passed on as it is; larger films are reduced to it, aspect kept."""
    mean: float = 0.5
    std: float = 0.25
    """Normalisation, (pixel - mean) / std."""

    def __post_init__(self) -> None:
        for name in ("stride", "channels", "max_side"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1 << 20:
                raise ModelError(
                    "must be a whole number of at least 1", code="E_MODEL", where=f"{PREPROCESSOR_NAME}: {name}"
                )
        for name in ("mean", "std"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise ModelError("must be a finite number", code="E_MODEL", where=f"{PREPROCESSOR_NAME}: {name}")
        if self.std <= 0:
            raise ModelError("must be more than 0", code="E_MODEL", where=f"{PREPROCESSOR_NAME}: std")

    def geometry(self, height: int, width: int) -> Geometry:
        """The grid of a film of this size in pixels; no patch lies wholly outside the film."""
        longest = max(height, width)
        seen_height, seen_width = height, width
        if longest > self.max_side:
            seen_height = max(1, (height * self.max_side + longest // 2) // longest)
            seen_width = max(1, (width * self.max_side + longest // 2) // longest)
        return Geometry(
            rows=-(-seen_height // self.stride),
            cols=-(-seen_width // self.stride),
            patch_height=self.stride * height / seen_height,
            patch_width=self.stride * width / seen_width,
            height=seen_height,
            width=seen_width,
        )

    def __call__(self, film: NDArray[np.floating[Any]]) -> torch.Tensor:
        """The model's input.

        Parameters
        ----------
        film : float32 [H, W], 0 (air) to 1 (bone).

        Returns
        -------
        float32 [channels, rows * stride, cols * stride], padded at the right and at the bottom.

        Raises
        ------
        SourceError (E_SOURCE_KIND) : it is not a two-dimensional array of floats.
        SourceError (E_SOURCE_SIZE) : it is empty.
        SourceError (E_NUM) : a pixel is not a number from 0 to 1.
        """
        check_film(film)
        return self.of_checked(film)

    def of_checked(self, film: NDArray[np.floating[Any]]) -> torch.Tensor:
        """The model's input of a film that ``check_film`` has accepted."""
        place = self.geometry(*film.shape)
        if (place.height, place.width) == film.shape:
            pixels = torch.from_numpy(np.subtract(film, np.float32(self.mean), dtype=np.float32))[None, None]
        else:
            pixels = torch.nn.functional.interpolate(
                # Copied only where torch cannot read the film in place.
                torch.from_numpy(np.require(film, np.float32, ["C", "W"]))[None, None],
                size=(place.height, place.width),
                mode="bilinear",
                antialias=True,
                align_corners=False,
            ).sub_(self.mean)
        pixels.div_(self.std)
        right = place.cols * self.stride - place.width
        bottom = place.rows * self.stride - place.height
        if right or bottom:
            # The border is repeated: a constant would draw an edge that the film does not have.
            pixels = torch.nn.functional.pad(pixels, (0, right, 0, bottom), mode="replicate")
        return pixels[0].expand(self.channels, -1, -1)

    def write(self, directory: Path) -> None:
        """Write ``preprocessor_config.json``."""
        text = json.dumps(dataclasses.asdict(self), indent=2) + "\n"
        (directory / PREPROCESSOR_NAME).write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def read(cls, directory: Path) -> Preprocessor:
        """Read ``preprocessor_config.json``.

        Raises
        ------
        ModelError (E_MODEL) : it is not a preprocessor's configuration.
        """
        try:
            values = parsed_json((directory / PREPROCESSOR_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError("the file is not readable JSON", code="E_MODEL", where=PREPROCESSOR_NAME) from error
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(values, dict) or set(values) != names:
            raise ModelError(
                f"must have exactly the fields {', '.join(sorted(names))}", code="E_MODEL", where=PREPROCESSOR_NAME
            )
        return cls(**values)


def check_film(film: NDArray[np.floating[Any]]) -> None:
    """Refuse what is not a grey film of floats from 0 to 1; errors as in ``Preprocessor.__call__``."""
    if film.ndim != 2 or not np.issubdtype(film.dtype, np.floating):
        raise SourceError(
            "a film is a two-dimensional array of floats from 0 to 1", code="E_SOURCE_KIND", where="pixels"
        )
    if film.size == 0:
        raise SourceError("the film has no pixels", code="E_SOURCE_SIZE", where="pixels")
    if not in_unit_range(film):
        raise SourceError("pixels must be numbers from 0 to 1", code="E_NUM", where="pixels")
