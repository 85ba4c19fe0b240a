"""A study as a picture: kept patches and attention over the film, beside the graph of the report.

Needs matplotlib (extra ``plot``), which is loaded when a picture is drawn, not when this module is imported.

- ``drawing``: one figure of a study
- ``film_panel``: the left side of the picture
- ``gallery``: studies side by side in a notebook: HTML that needs no server, no script and no network
- ``graph_panel``: the right side of the picture: the concepts of the report and their relations
- ``layout``: where the concepts of a report stand in the picture: four columns, read like a sentence
- ``lettering``: text in the picture: only characters its font has, wrapped, never read as a formula
- ``own_values``: values of one's own on a study
- ``relation_lines``: the relations of the report graph
- ``saving``: writing a picture: PNG or SVG, the same bytes for the same study, whole or not at all
- ``sheet``: several studies on one page: the films with their kept patches, side by side
- ``sheet_order``: in which order the studies of a contact sheet stand
- ``sheet_words``: what stands under a film of a contact sheet
- ``word_panels``: small multiples: the film once per word, with where the model looked for it
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
