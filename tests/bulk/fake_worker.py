"""A worker whose studies need no model; words in a report make it misbehave."""

import os
import resource
import sys
import time

import numpy as np

from neuralgraph.bulk.worker import serve
from neuralgraph.errors import LimitError, ModelError
from neuralgraph.graph.patches import Patches
from neuralgraph.graph.study import Study
from neuralgraph.graph.view import View


def study_of(films, report=None, *, labels, study_id, store_report, **_):
    text = report or ""
    if "CRASH" in text:
        os.abort()
    if "HANG" in text:
        time.sleep(60)
    if "SLOW" in text:
        time.sleep(0.01)
    if "LONG" in text:
        raise LimitError("the report is too long", code="E_LIMIT", where="report")
    film = films[0]
    small = film.pixels[:: film.pixels.shape[0] // 4, :: film.pixels.shape[1] // 4][:4, :4]
    view = View.from_scores(
        small, height=film.pixels.shape[0], width=film.pixels.shape[1], patch_height=16.0, patch_width=16.0,
        position=film.position,
    )  # fmt: skip
    cells = np.argsort(-view.attention.ravel(), kind="stable")[:3]
    return Study(
        study_id=study_id,
        views=(view,),
        patches=Patches(cells // 4, cells % 4, view.attention.ravel()[cells], np.full((3, 8), len(text), np.float32)),
        concepts=(),
        triples=np.empty((0, 3), np.int32),
        fusion=None,
        labels=labels,
        provenance={
            "report": "given" if report else "generated",
            "prune": {"policy": "top_k", "value": 3},
            "films": [dict(film.facts) for film in films],
        },
        report=text if store_report and text else None,
    )


def make(settings):
    if settings.model == "absent":
        raise ModelError("there is no such model", code="E_MODEL", where="model")
    if settings.model == "broken":
        sys.exit(3)
    if settings.model == "full":
        # Every file longer than this fails to be written, as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    return study_of, {"model": f"fake {settings.model}"}


if __name__ == "__main__":
    serve(make)
