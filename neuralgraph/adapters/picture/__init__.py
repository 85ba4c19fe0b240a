"""A study as a picture: kept patches and attention over the film, beside the graph of the report.

Needs matplotlib (extra ``plot``), which is loaded when a picture is drawn, not when this module is imported.
"""

from __future__ import annotations

from neuralgraph.adapters.picture.drawing import draw_study, draw_study_into
from neuralgraph.adapters.picture.gallery import Gallery
from neuralgraph.adapters.picture.own_values import values_of
from neuralgraph.adapters.picture.saving import save_picture, save_sheet, save_words
from neuralgraph.adapters.picture.sheet import draw_sheet
from neuralgraph.adapters.picture.sheet_order import ORDERS, ordered
from neuralgraph.adapters.picture.word_panels import draw_words, word_spans

__all__ = [
    "ORDERS",
    "Gallery",
    "draw_sheet",
    "draw_study",
    "draw_study_into",
    "draw_words",
    "ordered",
    "save_picture",
    "save_sheet",
    "save_words",
    "values_of",
    "word_spans",
]
