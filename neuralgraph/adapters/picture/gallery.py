"""Studies side by side in a notebook: HTML that needs no server, no script and no network.

A gallery is a value: it holds the studies of one page, and shows the same wherever it is displayed. Another page is
another gallery.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from neuralgraph.adapters.picture.drawing import is_synthetic
from neuralgraph.adapters.picture.film_panel import checked_image
from neuralgraph.adapters.picture.sheet_words import findings_words, labels_words
from neuralgraph.errors import SourceError, StudyError, missing_extra
from neuralgraph.graph.origin import bundled_notice, graph_origin
from neuralgraph.graph.showing import attention_svg
from neuralgraph.graph.study import Study

__all__ = ["MOST_ON_A_PAGE", "Films", "Gallery"]

MOST_ON_A_PAGE = 96
"""More would make a notebook heavy."""
_SIDE = 360
"""Pixels of the longer side of a film as it is shown."""
_HEIGHT, _WIDTH = 190.0, 240.0
"""Pixels of a page that a film may take."""

Films = Callable[[str, int], NDArray[np.float32] | None]
"""Gives the film of a study by its id and view, float32 [height, width] in 0..1, or None."""


class Gallery:
    """Studies on one page.

    Parameters
    ----------
    ids : of all studies, in order, those of other pages too.
    read : gives studies by their ids, in that order.
    films : gives films, which lie under the patches then.
    question : what was asked, for the heading; "" for all studies.
    number : of this page, from 1.
    size : studies on a page, 1 to 96.

    Raises
    ------
    StudyError (E_IDX) : there is no such page, or a page cannot have this size.
    FormatError, StudyError : a study is damaged.
    """

    def __init__(
        self,
        ids: Sequence[str],
        read: Callable[[Sequence[str]], list[Study]],
        *,
        films: Films | None = None,
        question: str = "",
        number: int = 1,
        size: int = 24,
    ) -> None:
        if not 1 <= size <= MOST_ON_A_PAGE:
            reason = f"a page shows 1 to {MOST_ON_A_PAGE} studies, not {size}"
            raise StudyError(reason, code="E_IDX", where="size")
        self.ids = ids
        """Of all studies that answer, on every page."""
        self.pages = max(1, math.ceil(len(ids) / size))
        """How many pages there are."""
        if not 1 <= number <= self.pages:
            raise StudyError(f"there is no page {number}, there are {self.pages}", code="E_IDX", where="page")
        self._read, self._films, self._question, self._number, self._size = read, films, question, number, size
        first = size * (number - 1)
        self.studies: tuple[Study, ...] = tuple(read(list(ids[first : first + size])))
        """Those of this page."""

    def __len__(self) -> int:
        """How many studies answer, on all pages."""
        return len(self.ids)

    def __repr__(self) -> str:
        """One line, for terminals."""
        return f"<Gallery: {self._heading()}>"

    def page(self, number: int) -> Gallery:
        """Another page, from 1.

        Raises
        ------
        StudyError (E_IDX) : there is no such page.
        """
        return Gallery(self.ids, self._read, films=self._films, question=self._question, number=number, size=self._size)

    def _heading(self) -> str:
        count = f"{len(self.ids):,} {'study' if len(self.ids) == 1 else 'studies'}"
        asked = f" with {self._question}" if self._question else ""
        page = f", page {self._number} of {self.pages}: show(…).page({self._number % self.pages + 1})"
        return f"{count}{asked}{page if self.pages > 1 else ''}"

    def _repr_html_(self) -> str:
        """What a notebook shows; everything that comes from a study is escaped."""
        cards = "".join(self._card(study) for study in self.studies)
        names = html.escape(repr([study.study_id for study in self.studies]))
        ids = (
            f'<details><summary>ids of this page</summary><code style="user-select:all">{names}</code></details>'
            if self.studies
            else ""
        )
        return (
            f"<div><p><b>{html.escape(self._heading())}</b> · bright: more attention, outlined: kept</p>"
            f'<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">{cards}</div>{ids}'
            f"{_notices(self.studies)}</div>"
        )

    def _card(self, study: Study) -> str:
        film = _film(study, self._films)
        shape = study.views[0].width / study.views[0].height if study.views else 1.0
        height = min(_HEIGHT, _WIDTH / shape)
        drawn = attention_svg(study, 0, height=height, film=film) or "<i>no map to show</i>"
        kept = f"{len(study.patches)} of {study.n_cells} patches"
        lines = [kept + (f", {len(study.views)} films" if len(study.views) > 1 else "")]
        if self._films is not None and not film:
            lines.append("no film at hand")
        if study.views and is_synthetic(study, 0):
            lines.append("SYNTHETIC")
        by_model = graph_origin(study.provenance, len(study.concepts)) == "generated"
        report = "report by the model" if by_model else "report"
        lines.extend(
            f"{kind}: {words}"
            for kind, words in (("labels", labels_words(study)), (report, findings_words(study)))
            if words
        )
        text = "".join(f"<div>{html.escape(line)}</div>" for line in lines)
        return (
            f'<div style="width:{max(180.0, height * shape):.0f}px;font-size:85%;overflow-wrap:anywhere">'
            f'{drawn}<div><code style="user-select:all">{html.escape(study.study_id)}</code></div>{text}</div>'
        )


def _notices(studies: Sequence[Study]) -> str:
    """What must be said of the models that made what is shown."""
    models = [facts for study in studies if isinstance(facts := study.provenance.get("model"), Mapping)]
    found = {notice for model in models if (notice := bundled_notice(str(model.get("name"))))}
    if any(model.get("trained") is False for model in models):
        found.add("attention of an UNTRAINED model means nothing")
    return "".join(f"<p><small>{html.escape(notice)}</small></p>" for notice in sorted(found))


def _film(study: Study, films: Films | None) -> str:
    """The film as the address of a small JPEG; "" where there is none, or one of another shape."""
    if films is None or not study.views:
        return ""
    try:
        pixels = films(study.study_id, 0)
        pixels = None if pixels is None else checked_image(pixels, study, 0)
    except SourceError:
        # One bad film must not cost the page; its card says that there is none.
        return ""
    if pixels is None:
        return ""
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_extra("showing films", extra="plot", library="PIL") from error
    picture = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    picture.thumbnail((_SIDE, _SIDE))
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
