"""Floor 7: bytes of a film in every coding, with the fidelity each has."""

from neuralgraph.sizes.comparison import RATES, FilmSizes, Row, embedding_settings, measure_film, total
from neuralgraph.sizes.pictures import PICTURE_CODINGS, PictureCoding

__all__ = [
    "PICTURE_CODINGS",
    "RATES",
    "FilmSizes",
    "PictureCoding",
    "Row",
    "embedding_settings",
    "measure_film",
    "total",
]
