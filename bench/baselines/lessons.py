"""What all systems learn from and are tested on: films of one size, texts, entities, labels; patients apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from neuralgraph.compressor.model.tokenizer import ReportTokenizer, train_tokenizer
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.training.build_demo import DEMO_PREPROCESSOR
from neuralgraph.compressor.training.examples import ExampleSet, write_examples
from neuralgraph.compressor.training.phantom_films import phantom_tasks, prepare_phantom
from neuralgraph.compressor.training.report_text import described_text
from neuralgraph.compressor.training.variation import augmented
from neuralgraph.sources.layouts.selection import share_of

__all__ = ["END", "PADDING", "Batch", "Lessons", "first_of_each_patient", "parts", "phantom_films", "sentences"]

PADDING, END = 0, 1
"""Token ids; padding also starts a report."""

VOCABULARY, ENTITIES = 1024, 256
"""Tokens of the reports, and entities that have an embedding of their own; the rarer ones share one."""

LONGEST = 160
"""Tokens of a report that are learnt."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Batch:
    """Some films with everything that belongs to them."""

    films: torch.Tensor
    """float32 [B, 1, side, side], 0.5 subtracted and divided by 0.25."""
    labels: torch.Tensor
    """float32 [B, findings]; NaN where not known."""
    tokens: torch.Tensor
    """int64 [B, T] of findings and impression, END included, PADDING behind it."""
    entities: torch.Tensor
    """int64 [B, E] of the report's entities, 0 where there is none."""
    texts: list[str]
    """Findings and impression."""


class Lessons:
    """Films and reports for every system.

    Parameters
    ----------
    learn, test : examples of different patients.
    side : of the square films, pixels.
    """

    def __init__(self, learn: ExampleSet, test: ExampleSet, *, side: int) -> None:
        self.learn, self.test, self.side = learn, test, side
        self.findings = learn.label_names
        texts = [described_text(learn.report(number)) for number in range(len(learn))]
        self.tokenizer = ReportTokenizer(train_tokenizer(texts, vocabulary=VOCABULARY))
        self._extract = extractor("rules")
        counts = Counter(entity for found in self._named(texts) for entity in set(found))
        # 0 is no entity, 1 a rare one. Sorted by count and then name: the order of equals must not depend on the run.
        common = sorted(counts, key=lambda entity: (-counts[entity], entity))[:ENTITIES]
        self._entities = {entity: number for number, entity in enumerate(common, 2)}

    @property
    def vocabulary(self) -> int:
        """Tokens."""
        return self.tokenizer.vocabulary

    @property
    def entity_count(self) -> int:
        """Numbers an entity can have, 0 and 1 included."""
        return len(self._entities) + 2

    def batches(self, *, size: int, seed: int) -> Iterator[Batch]:
        """Training films without end, every film once in each round, exposure and place varied."""
        rng = np.random.default_rng(seed)
        while True:
            order = rng.permutation(len(self.learn))
            for first in range(0, len(order), size):
                yield self.batch(self.learn, order[first : first + size].tolist(), rng)

    def test_batches(self, size: int = 32) -> Iterator[Batch]:
        """The films to test on, once, as they are."""
        for first in range(0, len(self.test), size):
            yield self.batch(self.test, list(range(first, min(first + size, len(self.test)))))

    def batch(self, examples: ExampleSet, numbers: Sequence[int], rng: np.random.Generator | None = None) -> Batch:
        """These films; varied when there is an ``rng``."""
        chosen = [examples[number] for number in numbers]
        films = torch.stack([_square(example.pixels, self.side) for example in chosen])
        if rng is not None:
            films, _ = augmented(films, None, rng, stride=max(2, self.side // 16))
            films = torch.nn.functional.interpolate(films, size=(self.side, self.side), mode="bilinear")
        texts = [described_text(example.report) for example in chosen]
        numbered = [[self._entities.get(entity, 1) for entity in found] for found in self._named(texts)]
        return Batch(
            films=(films - 0.5) / 0.25,
            labels=torch.tensor([[row.labels.get(name, float("nan")) for name in self.findings] for row in chosen]),
            tokens=self.encoded(texts),
            entities=_padded(numbered),
            texts=texts,
        )

    def encoded(self, texts: Sequence[str]) -> torch.Tensor:
        """Token ids of texts, END included, int64 [B, T]."""
        return _padded([[*self.tokenizer.encode(text)[: LONGEST - 1], END] for text in texts])

    def decoded(self, ids: Sequence[int]) -> str:
        """The text of token ids up to END."""
        ids = list(ids)
        return self.tokenizer.decode(ids[: ids.index(END)] if END in ids else ids)

    def _named(self, texts: Sequence[str]) -> list[list[tuple[str, str]]]:
        return [[(c.text.lower(), c.label) for c in graph.concepts] for graph in self._extract(list(texts))]


def phantom_films(folder: Path, *, seed: int, patients: int, workers: int) -> ExampleSet:
    """Phantoms of one cohort, rendered at the size the demo model sees.

    Parameters
    ----------
    folder : where they are kept.
    seed : of the cohort.
    patients : how many; each has 1 to 4 films.
    workers : processes.
    """
    tasks = phantom_tasks(patients, DEMO_PREPROCESSOR, side=DEMO_PREPROCESSOR.max_side, seed=seed)
    write_examples(folder, tasks, prepare_phantom, workers=workers)
    return ExampleSet(folder)


def parts(examples: ExampleSet, *, share: float = 0.15, seed: int = 0) -> tuple[ExampleSet, ExampleSet]:
    """Films to learn from and films to test on, no patient in both; the source's own test part where it has one."""
    rows = [(examples[number].patient, examples[number].split) for number in range(len(examples))]
    if any(split == "test" for _, split in rows):
        tested = {patient for patient, split in rows if split == "test"}
    else:
        tested = {patient for patient, _ in rows if share_of(patient, "baselines", seed) < share}
    learn = [number for number, (patient, _) in enumerate(rows) if patient not in tested]
    test = [number for number, (patient, _) in enumerate(rows) if patient in tested]
    return examples.part(learn), examples.part(test)


def first_of_each_patient(examples: ExampleSet) -> ExampleSet:
    """One film a patient: films of one patient are not independent, which intervals suppose."""
    first: dict[str, int] = {}
    for number in range(len(examples)):
        first.setdefault(examples[number].patient, number)
    return examples.part(sorted(first.values()))


def sentences(text: str) -> list[str]:
    """Sentences of one section."""
    return [sentence for sentence in _SENTENCE.split(text.strip()) if sentence]


def _square(pixels: np.ndarray, side: int) -> torch.Tensor:
    """float32 [1, side, side], 0 to 1: the border repeated at the right and at the bottom, then resized."""
    film = torch.from_numpy(pixels.astype(np.float32) / 65535)[None, None]
    longest = max(pixels.shape)
    film = torch.nn.functional.pad(film, (0, longest - pixels.shape[1], 0, longest - pixels.shape[0]), mode="replicate")
    if longest != side:
        film = torch.nn.functional.interpolate(film, size=(side, side), mode="bilinear", antialias=True)
    return film[0].clamp(0, 1)


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    result = torch.zeros((len(rows), max(1, *map(len, rows))), dtype=torch.long)
    for target, row in zip(result, rows, strict=True):
        target[: len(row)] = torch.tensor(row, dtype=torch.long)
    return result
