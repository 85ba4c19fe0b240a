"""The systems that are compared, and how each is trained: the same network, split, seeds and settings for all."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bench.tables.graphs import FUSIONS, Fusion, lean, system_graph, text_alone
from bench.tables.ranking import centre_scores, random_scores, ranked_by
from neuralgraph.graph.study import Study
from neuralgraph.storage.opening import open_archive
from neuralgraph.tasks import Split, TrainingSettings, fit, predict
from neuralgraph.tasks.graphs import n_patches, standardised

__all__ = ["ATTENTION", "Job", "Predictions", "System", "listed", "train_all", "write_rankings"]

ATTENTION = "attention"
"""The ranking of the paper: attention summed over the tokens of the true report."""
_COMPUTED: Mapping[str, Callable[[Study], NDArray[np.float32]]] = {"random": random_scores, "centre": centre_scores}
_RANKINGS = "rankings.npz"


@dataclass(frozen=True, kw_only=True)
class System:
    """One way to make graphs of the same studies."""

    retain: float
    ranking: str = ATTENTION
    text: Literal["none", "given", "written"] = "none"
    """Which report graph: none, the true report's, or that of the report written from the kept patches."""
    image: bool = True
    fusion: Fusion = "edge"

    @property
    def name(self) -> str:
        """Of the system in the results; equal systems have equal names."""
        parts = [f"retain {self.retain:g}" if self.image else "no image", f"text {self.text}"]
        if self.ranking != ATTENTION:
            parts.append(f"by {self.ranking}")
        if self.fusion != "edge":
            parts.append(f"fusion {self.fusion}")
        return ", ".join(parts)


class Predictions(NamedTuple):
    """What a trained system says of the test studies."""

    runs: list[NDArray[np.float32]]
    """Chances [studies, labels], one array per seed."""
    nodes: float
    patches: float
    """Mean per study, over all."""
    epochs: list[int]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all systems share."""

    whole: Path
    """Archive of whole studies."""
    written: Path
    """Archive of kept patches with the graph of the report written from them."""
    work: Path
    """Folder of the rankings."""
    split: Split
    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: TrainingSettings


def listed(
    *, retain: float, retentions: Sequence[float], rankings: Sequence[str], written: bool, words: bool
) -> list[System]:
    """Every system of the tables and figures, each once.

    Parameters
    ----------
    retain : of the tables and ablations.
    retentions : of the figure.
    rankings : beside attention, that can be had.
    written : whether there are reports written from the kept patches.
    words : whether there is the attention of words.
    """
    systems = [System(retain=share, text=text) for share in retentions for text in ("none", "given")]
    systems += [System(retain=retain, ranking=name) for name in rankings]
    systems += [System(retain=share, ranking="random") for share in retentions if share <= 0.1 and "random" in rankings]
    systems.append(System(retain=retain, text="given", image=False))
    if written:
        systems += [System(retain=retain, text="written"), System(retain=retain, text="written", image=False)]
    ways = [way for way in FUSIONS if way != "edge" and (words or way != "most attended")]
    systems += [System(retain=retain, text="given", fusion=way) for way in ways]
    return list(dict.fromkeys(systems))


def write_rankings(work: Path, ids: Sequence[str], rankings: Mapping[str, Sequence[NDArray[np.float32]]]) -> None:
    """Leave the scores of other rankings where the processes that train find them.

    Parameters
    ----------
    ids : of the studies.
    rankings : scores of each study's cells, in the order of the ids.
    """
    flat = {name: np.concatenate(list(scores)) for name, scores in rankings.items()}
    lengths = np.array([len(each) for each in next(iter(rankings.values()))]) if rankings else np.empty(0, np.int64)
    np.savez(work / _RANKINGS, **{f"scores {name}": each for name, each in flat.items()}, ids=np.array(ids), n=lengths)


@lru_cache(maxsize=1)
def _rankings(work: Path) -> dict[str, dict[str, NDArray[np.float32]]]:
    with np.load(work / _RANKINGS) as held:
        ids, ends = held["ids"].tolist(), np.cumsum(held["n"])[:-1]
        names = [name for name in held.files if name.startswith("scores ")]
        return {name.removeprefix("scores "): dict(zip(ids, np.split(held[name], ends), strict=True)) for name in names}


def train_all(systems: Sequence[System], job: Job, *, workers: int) -> Iterator[tuple[System, Predictions]]:
    """Train every system, as many at once as there are workers, the largest first."""
    tasks = [(system, job) for system in sorted(systems, key=lambda each: -each.retain)]
    if workers <= 1:
        yield from map(_trained, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.imap_unordered(_trained, tasks)


def _trained(task: tuple[System, Job]) -> tuple[System, Predictions]:
    system, job = task
    with open_archive(job.written if system.text == "written" else job.whole) as archive:
        parts = [
            [
                system_graph(study, job.labels, report=system.text != "none", fusion=system.fusion)
                for study in (_pruned(archive[name], system, job.work) for name in ids)
            ]
            for ids in (job.split.train, job.split.validate, job.split.test)
        ]
    patches = float(np.mean([n_patches(graph) if system.image else 0 for part in parts for graph in part]))
    parts = standardised(*parts)
    if not system.image:
        parts = [[text_alone(graph) for graph in part] for part in parts]
    train, validate, test = ([lean(graph) for graph in part] for part in parts)
    nodes = float(np.mean([graph.num_nodes for part in (train, validate, test) for graph in part]))
    fitted = [fit(train, validate, job.settings, seed=seed) for seed in job.seeds]
    runs = [predict(each.model, test) for each in fitted]
    return system, Predictions(runs, nodes, patches, [each.epochs for each in fitted])


def _pruned(study: Study, system: System, work: Path) -> Study:
    if system.ranking in _COMPUTED:
        study = ranked_by(study, _COMPUTED[system.ranking](study))
    elif system.ranking != ATTENTION:
        study = ranked_by(study, _rankings(work)[system.ranking][study.study_id])
    return study.prune(retain=system.retain)
