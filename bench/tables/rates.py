"""Bytes against AUC, image alone: studies in every codec setting, pictures in every picture codec, one reader for all.

The reader is the probe of ``bench.rate_distortion``: a logistic regression on the embeddings of a study, trained and
tested on the same kind of file. It pools the patches twice: by their mean, and by their mean and their largest values;
what is compared at equal bytes is each side's better one on the validation studies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.probe import auc as plain_auc
from bench.probe import fitted_scores
from bench.rate_distortion import SETTINGS, decoded
from bench.tables.gather import Sample
from bench.tables.scoring import Truth, compared, scored
from neuralgraph import to_bytes
from neuralgraph.graph.study import Study
from neuralgraph.tasks.graphs import without_report

__all__ = ["DEFAULT", "Reader", "at_equal_bytes", "image_alone", "measure_rates"]

DEFAULT = "bfloat16"
"""How ``ngr compress`` and ``ngr convert`` store embeddings when nothing is said."""
_PICTURES_COMPARED = ("JPEG", "JPEG 2000", "JPEG XL")
Features = dict[str, NDArray[np.float64]]
"""By the way of pooling: float64 [studies, width]."""


class Parts(NamedTuple):
    """Numbers of the studies of each part, in the order of the truth's rows."""

    train: NDArray[np.int64]
    validate: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reader:
    """The probe on one split.

    Parameters
    ----------
    outcome, known : bool [studies, labels], of all studies.
    parts : of the split.
    truth : of the test studies that are scored.
    chosen : numbers within ``parts.test`` of those.
    """

    outcome: NDArray[np.bool_]
    known: NDArray[np.bool_]
    parts: Parts
    truth: Truth
    chosen: NDArray[np.int64]

    def read(self, features: Features) -> dict[str, Any]:
        """Scores by the way of pooling, and ``best``: the way of the larger AUC on the validation studies."""
        found: dict[str, Any] = {}
        best = -1.0
        for pool, rows in features.items():
            columns = [self._fitted(rows, column) for column in range(self.outcome.shape[1])]
            every = np.stack(columns, axis=1)
            validated, tested = np.split(every, [len(self.parts.validate)])
            known = self.known[self.parts.validate, self.truth.column]
            outcome = self.outcome[self.parts.validate, self.truth.column][known]
            area = plain_auc(outcome.astype(np.float64), validated[known, self.truth.column])
            found[pool] = {"scores": tested[self.chosen], "validation_auc": area}
            if area > best:
                best, found["best"] = area, pool
        return found

    def _fitted(self, rows: NDArray[np.float64], column: int) -> NDArray[np.float64]:
        learnt = self.parts.train[self.known[self.parts.train, column]]
        read = np.concatenate([self.parts.validate, self.parts.test])
        outcome = self.outcome[learnt, column]
        if outcome.all() or not outcome.any():
            return np.zeros(len(read))
        return fitted_scores(rows[learnt], outcome.astype(np.float64), rows[read])


def image_alone(study: Study) -> Study:
    """What of a study stands beside a picture: no report graph, no labels, no attention of words."""
    return replace(without_report(study), labels={})


def pooled(matrices: Sequence[NDArray[np.float32]]) -> Features:
    """Embeddings of each study pooled over its patches."""
    means = np.stack([matrix.astype(np.float64).mean(axis=0) for matrix in matrices])
    largest = np.stack([matrix.astype(np.float64).max(axis=0) for matrix in matrices])
    return _pools(means, largest)


def measure_rates(
    kinds: Mapping[str, Sequence[Study]],
    pictured: Sequence[Sample],
    reader: Reader,
    *,
    sized: int = 64,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Bytes and scores of all settings.

    Parameters
    ----------
    kinds : pruned studies, image alone, by what they are called; the first kind goes through every codec setting, the
        others are stored as ``DEFAULT``.
    pictured : samples in the order of the studies; without pictures there are no rows of pictures.
    reader : of the split.
    sized : test studies whose files are made to weigh them.

    Returns
    -------
    dict : ``rows``, and ``equal_bytes``: each kind against each picture codec.
    """
    rows: list[dict[str, Any]] = []
    for row, features in (*_study_rows(kinds, reader, sized), *_picture_rows(pictured)):
        found = reader.read(features)
        pools = {pool: scored(reader.truth, [found[pool]["scores"]]) for pool in features}
        for part in pools.values():
            del part["auc_by_seed"], part["by_label"]
        rows.append({**row, "best": found["best"], "pools": pools, "_scores": found[found["best"]]["scores"]})
        progress(f"{row['name']}: {row['bytes']:,.0f} bytes, AUC {pools[found['best']]['auc']['value']:.3f}")
    result = {"sized": sized, "equal_bytes": at_equal_bytes(rows, reader.truth)}
    return {"rows": [{key: value for key, value in row.items() if key != "_scores"} for row in rows], **result}


def at_equal_bytes(rows: Sequence[dict[str, Any]], truth: Truth) -> list[dict[str, Any]]:
    """Every kind of study as it is stored by default against each picture codec.

    The picture is the smallest that takes at least the bytes of the study, so that in doubt it has more; a study larger
    than every picture of a codec is not compared with it. JPEG may halve the film first.
    """
    found = []
    for row in rows:
        if row["family"] != "ngr" or row["setting"] != DEFAULT:
            continue
        for family in _PICTURES_COMPARED:
            mine = [each for each in rows if each["family"] in (family, f"{family} at half size")]
            enough = [each for each in mine if each["bytes"] >= row["bytes"]]
            if not enough:
                continue
            other = min(enough, key=lambda each: each["bytes"])
            found.append(
                {
                    "study": row["name"],
                    "kind": row["kind"],
                    "study_bytes": row["bytes"],
                    "codec": family,
                    "picture": other["name"],
                    "picture_bytes": other["bytes"],
                    **compared(truth, [row["_scores"]], [other["_scores"]]),
                }
            )
    return found


def _study_rows(
    kinds: Mapping[str, Sequence[Study]], reader: Reader, sized: int
) -> Iterator[tuple[dict[str, Any], Features]]:
    for number, (kind, studies) in enumerate(kinds.items()):
        some = [studies[row] for row in reader.parts.test[:sized]]
        for setting in SETTINGS if number == 0 else (DEFAULT,):
            row = {
                "family": "ngr",
                "kind": kind,
                "setting": setting,
                "name": f"{kind}, {setting}",
                "bytes": mean(len(to_bytes(study, embedding=setting)) for study in some),
                "patches": mean(len(study.patches) for study in studies),
            }
            yield row, pooled(decoded(list(studies), setting))


def _picture_rows(pictured: Sequence[Sample]) -> Iterator[tuple[dict[str, Any], Features]]:
    for name in pictured[0].pictures if pictured else ():
        found = [sample.pictures[name] for sample in pictured]
        row = {
            "family": name.rpartition(" ")[0],
            "setting": name.rpartition(" ")[2],
            "name": name,
            "bytes": mean(each.bytes for each in found),
        }
        means = np.stack([each.mean for each in found]).astype(np.float64)
        yield row, _pools(means, np.stack([each.largest for each in found]).astype(np.float64))


def _pools(means: NDArray[np.float64], largest: NDArray[np.float64]) -> Features:
    return {"mean": means, "mean and largest": np.concatenate([means, largest], axis=1)}
