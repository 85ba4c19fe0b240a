"""Bytes of a film in every coding, with the fidelity each has."""

from neuralgraph.sizes.comparison import RATES, FilmSizes, Row, embedding_settings, measure_film, total
from neuralgraph.sizes.medians import CodingSummary, Spread, Summary, summarise
from neuralgraph.sizes.pictures import PICTURE_CODINGS, PictureCoding

__all__ = [
    "PICTURE_CODINGS",
    "RATES",
    "CodingSummary",
    "FilmSizes",
    "PictureCoding",
    "Row",
    "Spread",
    "Summary",
    "embedding_settings",
    "measure_film",
    "summarise",
    "total",
]
