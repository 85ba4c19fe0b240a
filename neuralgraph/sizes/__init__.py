"""Bytes of a film in every coding, with the fidelity each has.

- ``chart``: a picture of the bytes of films
- ``comparison``: one film in every coding, and the total of several; shares always against a named denominator
- ``medians``: what many films have in common: of every coding the median and the range, film by film
- ``pictures``: codings of pictures that a film is compared with: each encodes, and decodes what it wrote
"""

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
