"""What differs in meaning between two files, whatever codec or packing they use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.lossy import measured_loss
from neuralgraph.wire import canonical

__all__ = ["Difference", "archive_differences", "study_differences"]


class Difference(NamedTuple):
    """One difference."""

    study_id: str
    """The study it is in."""
    field: str
    """What differs."""
    message: str
    """How."""


def archive_differences(first: Archive, second: Archive) -> Iterator[Difference]:
    """Differences between two archives, studies matched by id, in order of the first, then of the second."""
    first_ids, second_ids = first.ids, second.ids
    in_second = set(second_ids)
    if len(first_ids) == len(second_ids) == 1 and first_ids != second_ids:
        # Two single files are compared with each other even when the ids differ.
        yield from study_differences(first[0], second[0])
        return
    for study_id in first_ids:
        if study_id in in_second:
            yield from study_differences(first[study_id], second[study_id])
        else:
            yield Difference(study_id, "study", "only in the first")
    in_first = set(first_ids)
    for study_id in second_ids:
        if study_id not in in_first:
            yield Difference(study_id, "study", "only in the second")


def study_differences(first: Study, second: Study) -> Iterator[Difference]:
    """Differences between two studies, field by field; nothing when they mean the same."""

    def difference(field: str, message: str) -> Difference:
        return Difference(first.study_id, field, message)

    for field in ("study_id", "concepts", "fusion", "labels", "provenance", "report"):
        a, b = getattr(first, field), getattr(second, field)
        # 1, 1.0 and True are equal in Python and are not the same fact.
        if a != b or (field == "provenance" and canonical.encode(a) != canonical.encode(b)):
            yield difference(field, _short(a, b) if field != "report" else "the texts differ")
    arrays: tuple[tuple[str, Any, Any], ...] = (
        ("triples", first.triples, second.triples),
        ("pixels", first.pixels, second.pixels),
        *((f"word_attention.{part}", *_words(first, second, part)) for part in ("start", "end", "attention")),
        ("patches.view", first.patches.view, second.patches.view),
        ("patches.row", first.patches.row, second.patches.row),
        ("patches.col", first.patches.col, second.patches.col),
        ("patches.score", first.patches.score, second.patches.score),
        ("patches.embedding", first.patches.embedding, second.patches.embedding),
        ("concept_vectors.index", *_vectors(first, second, "index")),
        ("concept_vectors.vector", *_vectors(first, second, "vector")),
    )
    for field, a, b in arrays:
        message = _array_difference(a, b)
        if message:
            if field == "patches.embedding" and a.shape == b.shape:
                loss = measured_loss(a, b)
                message += f"; channel-normalised RMSE {loss['rmse']:.3g}, 1 - cosine {loss['cosine']:.3g}"
            yield difference(field, message)
    if len(first.views) != len(second.views):
        yield difference("views", f"{len(first.views)} and {len(second.views)} views")
    for number, (a, b) in enumerate(zip(first.views, second.views, strict=False)):
        for name in ("position", "height", "width", "patch_height", "patch_width", "score_step"):
            if getattr(a, name) != getattr(b, name):
                yield difference(f"views[{number}].{name}", _short(getattr(a, name), getattr(b, name)))
        message = _array_difference(a.score_code, b.score_code)
        if message:
            yield difference(f"views[{number}].attention", message)
    for name in sorted(first.extensions.keys() | second.extensions.keys()):
        if first.extensions.get(name) != second.extensions.get(name):
            yield difference(f"extensions.{name}", "the payloads differ")


def _words(first: Study, second: Study, part: str) -> tuple[Any, Any]:
    a, b = (None if one.word_attention is None else getattr(one.word_attention, part) for one in (first, second))
    return a, b


def _vectors(first: Study, second: Study, name: str) -> tuple[Any, Any]:
    return tuple(getattr(s.concept_vectors, name) if s.concept_vectors else None for s in (first, second))  # type: ignore[return-value]


def _array_difference(a: Any, b: Any) -> str | None:
    if a is None or b is None:
        return None if a is b else f"only in the {'second' if a is None else 'first'}"
    if a.shape != b.shape:
        return f"shapes {list(a.shape)} and {list(b.shape)}"
    if np.array_equal(a, b):
        return None
    largest = np.abs(a.astype(np.float64) - b.astype(np.float64)).max()
    return f"{int((a != b).sum())} of {a.size} values, largest difference {largest:.3g}"


def _short(a: Any, b: Any) -> str:
    texts = [text if len(text) <= 80 else f"{text[:77]}..." for text in (repr(a), repr(b))]
    return f"{texts[0]} and {texts[1]}"
