"""Train and score systems on the same split: what a table of the paper compares, from ``.ngr`` archives alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.storage.opening import open_archive
from neuralgraph.tasks.binary_scores import LEAST_OF_EITHER, auc, calibration, compare_auc
from neuralgraph.tasks.curves import reliability, roc_curve
from neuralgraph.tasks.graphs import GraphSettings, n_patches, standardised, study_graph
from neuralgraph.tasks.splits import SPLITS, Split
from neuralgraph.tasks.training import TrainingSettings, fit, predict

__all__ = ["System", "evaluate"]


@dataclass(frozen=True, kw_only=True)
class System:
    """One row of a table."""

    name: str
    """What the table calls it."""
    archive: str | os.PathLike[str]
    """What ``neuralgraph.open`` takes."""
    graph: GraphSettings
    """How studies become graphs."""


def evaluate(
    systems: Sequence[System],
    split: Split,
    *,
    settings: TrainingSettings | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Fit every system with every seed on the training part and score it on the test part.

    Each label is scored on the test studies where it is known. A system's prediction is the mean over its seeds; the
    AUC of that has the bootstrap interval and is what pairs of systems are compared by, and the spread over seeds
    stands beside it.

    Parameters
    ----------
    systems : with different names and the same labels.
    split : study ids that every archive holds.
    settings : of training, the same for all.
    seeds : of training.
    progress : told a line about each run.

    Returns
    -------
    dict : ``settings``, ``seeds``, ``split`` (sizes), ``systems`` (by name: patches, bytes, labels with their scores)
        and ``comparisons`` (pairs of systems by label, DeLong's test). Plain values, ready for JSON.

    Raises
    ------
    StudyNotFoundError (E_NOT_FOUND) : an archive lacks a study of the split.
    StudyError : systems have equal names or different labels.
    StudyError (E_SIZE) : before anything is trained, every label that the test part cannot measure, with its counts.
    """
    settings = settings or TrainingSettings()
    labels = _shared_labels(systems)
    if not seeds:
        raise StudyError("an evaluation needs at least one seed", code="E_STUDY", where="seeds")
    found: dict[str, Any] = {}
    scores: dict[str, NDArray[np.float64]] = {}
    truths: dict[str, tuple[NDArray[np.float32], NDArray[np.bool_]]] = {}
    made = [_graphs(system, split) for system in systems]
    _check_measurable(systems, [parts for parts, _ in made], labels, progress)
    for system, (parts, facts) in zip(systems, made, strict=True):
        train, validate, test = standardised(*parts)
        y = np.concatenate([graph.y.numpy() for graph in test])
        mask = np.concatenate([graph.y_mask.numpy() for graph in test])
        runs = []
        for seed in seeds:
            fitted = fit(train, validate, settings, seed=seed)
            runs.append(predict(fitted.model, test))
            progress(f"{system.name}, seed {seed}: {fitted.epochs} epochs, loss {fitted.validation_loss:.4f}")
        scores[system.name] = np.mean(runs, axis=0, dtype=np.float64)
        truths[system.name] = (y, mask)
        found[system.name] = {
            **facts,
            "graph": asdict(system.graph),
            "labels": {
                label: _scores(y[:, column], mask[:, column], [run[:, column] for run in runs])
                for column, label in enumerate(labels)
            },
        }
    return {
        "settings": asdict(settings),
        "seeds": list(seeds),
        "split": {name: len(ids) for name, ids in zip(SPLITS, (split.train, split.validate, split.test), strict=True)},
        "systems": found,
        "comparisons": _comparisons(scores, truths, labels),
    }


def _shared_labels(systems: Sequence[System]) -> tuple[str, ...]:
    if not systems or len({system.name for system in systems}) != len(systems):
        raise StudyError("systems need names of their own", code="E_STUDY", where="systems")
    labels = {system.graph.labels for system in systems}
    if len(labels) != 1 or not systems[0].graph.labels:
        raise StudyError("systems are compared on the same labels, at least one", code="E_STUDY", where="labels")
    return systems[0].graph.labels


def _graphs(system: System, split: Split) -> tuple[list[list[Any]], dict[str, Any]]:
    """Graphs of the three parts, and how many patches they hold, mean over all."""
    with open_archive(system.archive) as archive:
        parts = [
            [study_graph(archive[study_id], system.graph) for study_id in ids]
            for ids in (split.train, split.validate, split.test)
        ]
    kept = [n_patches(graph) for part in parts for graph in part]
    return parts, {"patches": float(np.mean(kept))}


def _check_measurable(
    systems: Sequence[System], made: Sequence[list[list[Any]]], labels: Sequence[str], progress: Callable[[str], None]
) -> None:
    """Say what cannot be measured while it has cost nothing yet, all of it at once."""
    hopeless = []
    for system, parts in zip(systems, made, strict=True):
        for part, graphs in zip(SPLITS, parts, strict=True):
            for column, label in enumerate(labels):
                known = [bool(graph.y[0, column] > 0.5) for graph in graphs if bool(graph.y_mask[0, column])]
                positive, negative = sum(known), len(known) - sum(known)
                if min(positive, negative) >= LEAST_OF_EITHER:
                    continue
                said = f"{label} in {part}: {positive} present, {negative} absent, {len(graphs) - len(known)} unknown"
                if part == "test":
                    hopeless.append(f"{system.name}: {said}")
                else:
                    progress(f"{system.name}: {said}; what it learns of this label means little")
    if hopeless:
        reason = f"a score needs {LEAST_OF_EITHER} studies of either outcome; too few: {'; '.join(hopeless)}"
        raise StudyError(reason, code="E_SIZE", where="labels")


def _scores(y: NDArray[np.float32], known: NDArray[np.bool_], runs: Sequence[NDArray[np.float32]]) -> dict[str, Any]:
    outcome = y[known] > 0.5
    single = [auc(outcome, run[known], resamples=0).value for run in runs]
    chance = np.mean([run[known] for run in runs], axis=0, dtype=np.float64)
    return {
        "auc": auc(outcome, chance)._asdict(),
        "auc_by_seed": single,
        "auc_mean": float(np.mean(single)),
        "auc_spread": float(np.std(single, ddof=1)) if len(single) > 1 else 0.0,
        "calibration": calibration(outcome, chance)._asdict(),
        "roc": roc_curve(outcome, chance)._asdict(),
        "reliability": reliability(outcome, chance)._asdict(),
    }


def _comparisons(
    scores: Mapping[str, NDArray[np.float64]],
    truths: Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]],
    labels: Sequence[str],
) -> list[dict[str, Any]]:
    rows = []
    for first, second in combinations(scores, 2):
        for column, label in enumerate(labels):
            y, known = truths[first][0][:, column], truths[first][1][:, column] & truths[second][1][:, column]
            result = compare_auc(y[known] > 0.5, scores[first][known, column], scores[second][known, column])
            rows.append({"first": first, "second": second, "label": label, **result._asdict()})
    return rows
