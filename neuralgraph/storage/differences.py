"""What differs in meaning between two files, whatever codec or packing they use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from neuralgraph.graph.plain import is_derived, study_arrays, study_facts
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.lossy import measured_loss

__all__ = ["Difference", "archive_differences", "study_differences"]


_LONG = ("report", "extensions")


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
    """Differences between two studies, part by part; nothing when they mean the same.

    The parts are those of ``neuralgraph.graph.plain``, which are all that a study has.
    """

    def difference(field: str, message: str) -> Difference:
        return Difference(first.study_id, field, message)

    facts = study_facts(first), study_facts(second)
    for name in (name for name in facts[0] if not is_derived(name)):
        for where, (a, b) in _members(name, facts[0][name], facts[1][name]):
            if _plain(a) != _plain(b):
                yield difference(where, "the texts differ" if name in _LONG else _short(a, b))
    arrays = study_arrays(first), study_arrays(second)
    for name in (name for name in {**arrays[0], **arrays[1]} if not is_derived(name)):
        a, b = arrays[0].get(name), arrays[1].get(name)
        message = _array_difference(a, b)
        if message:
            if name == "patch_embedding" and a is not None and b is not None and a.shape == b.shape:
                loss = measured_loss(a, b)
                message += f"; channel-normalised RMSE {loss['rmse']:.3g}, 1 - cosine {loss['cosine']:.3g}"
            yield difference(name, message)


def _members(name: str, first: Any, second: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """A fact in pieces that can be read: films and extensions one by one."""
    if name == "views" and len(first) == len(second):
        for number, views in enumerate(zip(first, second, strict=True)):
            for key in views[0]:
                yield f"views[{number}].{key}", (views[0][key], views[1][key])
    elif name == "extensions":
        for key in sorted(first.keys() | second.keys()):
            yield f"extensions.{key}", (first.get(key), second.get(key))
    else:
        yield name, (first, second)


def _plain(fact: Any) -> str:
    """1, 1.0 and True are equal in Python and are not the same fact."""
    return json.dumps(fact, sort_keys=True)


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
