"""Batches: films of one grid, exposure and place varied; the same ones for one seed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.training.examples import Example, ExampleSet
from neuralgraph.compressor.training.foils import Said, Told, foil_of
from neuralgraph.compressor.training.places import EVERYTHING
from neuralgraph.compressor.training.report_text import described_text, training_text
from neuralgraph.compressor.training.sides import swapped_sides
from neuralgraph.compressor.training.variation import augmented

__all__ = ["BatchSettings", "Batches", "Lesson"]


class Lesson(NamedTuple):
    """A batch, and what is known of it where films have marks."""

    batch: dict[str, torch.Tensor]
    """What the model's ``forward`` takes: ``pixels`` float32 [B, channels, H, W], ``labels`` int64 [B, T],
    ``class_labels`` float32 [B, findings]."""
    coverage: torch.Tensor | None
    """Share of every patch that each structure covers, float32 [B, structures + phrases, rows, cols]: the structures of
    the run by name, then the places of each film's own phrases. None when no film of the batch has marks."""
    known: torch.Tensor
    """Where it is known whether a structure is there, float32 [B, structures, rows, cols], 0 or 1: everywhere on a film
    whose places of it are all marked, else under its marks alone."""
    spoken: torch.Tensor
    """The place that each token of ``labels`` speaks of, int64 [B, T], an index into ``coverage``; -1 for none."""
    foil: Told | None
    """Other texts for the same films, and where these should look; None without any."""


@dataclass(frozen=True, kw_only=True)
class BatchSettings:
    """How films become batches."""

    batch_size: int
    """Films of a batch, at most."""
    longest: int
    """Tokens of a report that are kept."""
    seed: int
    """Of order and variation."""
    augment: bool = False
    """Vary films and texts; else films as they are, with findings and impression."""
    guided: bool = False
    """Items have places, spoken words and foils of the lesson too, for a model that is told where to look."""
    flips: float = 0.0
    """Share of the films that are mirrored when they are varied, with the sides of their texts swapped."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """How often films of each source are drawn, relative to the others; empty draws every film equally often."""
    sides: tuple[tuple[int, float], ...] = ()
    """Longest sides that films are varied to, with their weights (see ``variation.augmented``)."""
    structures: tuple[str, ...] | None = None
    """Names of the structures, in order; None takes those of the examples."""


class Batches(Dataset[dict[str, torch.Tensor]]):
    """A fixed list of batches; item i is batch i, drawn from seed and i alone.

    So a run that is continued sees the batches it would have seen, and processes of one run can share the list.

    Parameters
    ----------
    examples : what to draw from.
    config, tokenizer, preprocessor : of the model.
    settings : how.
    count : how many batches; None makes one pass over the examples, in order.
    """

    def __init__(
        self,
        examples: ExampleSet,
        config: NeuralGraphConfig,
        tokenizer: ReportTokenizer,
        preprocessor: Preprocessor,
        settings: BatchSettings,
        *,
        count: int | None = None,
    ) -> None:
        self._examples = examples
        self._config = config
        self._tokenizer = tokenizer
        self._preprocessor = preprocessor
        self._settings = settings
        self._flips = settings.flips if settings.augment else 0.0
        self._training = count is not None
        self.structures = examples.structure_names if settings.structures is None else settings.structures
        """Names of the structures that ``coverage`` begins with."""
        self._numbers: list[list[int]] = []
        if count is None:
            self._numbers = self._one_pass(list(range(len(examples))), None)
        else:
            round_number = 0
            while len(self._numbers) < count:
                rng = np.random.default_rng([settings.seed, round_number])
                self._numbers += self._one_pass(self._round(rng), rng)
                round_number += 1
            del self._numbers[count:]

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """The batch of a lesson; guided, and where marks are known, with the rest of it."""
        return self.item(self.lesson(index))

    def item(self, lesson: Lesson) -> dict[str, torch.Tensor]:
        """A lesson as an item of this data set."""
        if not self._settings.guided or lesson.coverage is None:
            return lesson.batch
        batch = {**lesson.batch, "coverage": lesson.coverage, "spoken": lesson.spoken}
        if lesson.foil is not None:
            batch |= {f"foil_{name}": tensor for name, tensor in lesson.foil._asdict().items()}
        return batch

    def lesson(self, index: int) -> Lesson:
        """Everything there is of batch ``index``."""
        rng = np.random.default_rng([self._settings.seed, 1 << 20, index])
        examples = [self._examples[number] for number in self._numbers[index]]
        texts = [self._text(example, rng) for example in examples]
        phrases = [example.phrases for example in examples]
        mirrored = [False] * len(examples)
        for number, text in enumerate(texts):
            if rng.random() < self._flips and (other := swapped_sides(text)) is not None:
                mirrored[number], texts[number] = True, other
                phrases[number] = tuple((bit, swapped_sides(words) or words) for bit, words in phrases[number])
        films = np.stack([example.pixels for example in examples])[:, None].astype(np.float32) / 65535
        pixels, bits = torch.from_numpy(films), _masks(examples)
        stride = self._preprocessor.stride
        if self._settings.augment:
            pixels, bits = augmented(pixels, bits, rng, stride=stride, mirrored=mirrored, sides=self._settings.sides)
        grid = (pixels.shape[2] // stride, pixels.shape[3] // stride)
        coverage, known, places = self._places(examples, bits, grid)
        pixels = (pixels - self._preprocessor.mean) / self._preprocessor.std
        told = [
            Said(text, tuple((place[bit], words) for bit, words in said))
            for text, said, place in zip(texts, phrases, places, strict=True)
        ]
        tokens, spoken = self._tokens(told)
        batch = {
            "pixels": pixels.expand(-1, self._preprocessor.channels, -1, -1),
            "labels": tokens,
            "class_labels": torch.tensor(
                [[example.labels.get(name, float("nan")) for name in self._config.labels] for example in examples]
            ),
        }
        foil = None
        if self._settings.guided and coverage is not None:
            foil = foil_of(told, coverage, rng, self._tokens)
        return Lesson(batch, coverage, known, spoken, foil)

    def _text(self, example: Example, rng: np.random.Generator) -> str:
        return training_text(example.report, rng.random()) if self._training else described_text(example.report)

    def _places(
        self, examples: list[Example], bits: torch.Tensor | None, grid: tuple[int, int]
    ) -> tuple[torch.Tensor | None, torch.Tensor, list[dict[int, int]]]:
        """Coverage, what is known, and for each film where each of its bits stands in the coverage."""
        order = {name: number for number, name in enumerate(self.structures)}
        own = [[bit for bit, name in enumerate(example.structures) if not name] for example in examples]
        places = [
            {
                **{bit: order[name] for bit, name in enumerate(example.structures) if name in order},
                **{bit: len(order) + number for number, bit in enumerate(alone)},
            }
            for example, alone in zip(examples, own, strict=True)
        ]
        known = torch.zeros(len(examples), len(order), *grid)
        for number, example in enumerate(examples):
            for name in order if EVERYTHING in example.known else example.known:
                if name in order:
                    known[number, order[name]] = 1
        if bits is None:
            return None, known, places
        coverage = torch.zeros(len(examples), len(order) + max(map(len, own)), *grid)
        for number, place in enumerate(places):
            for bit, target in place.items():
                one = bits[number, bit // 8] >> bit % 8 & 1
                if one.any():
                    coverage[number, target] = torch.nn.functional.adaptive_avg_pool2d(one[None].float(), grid)[0]
        known = torch.maximum(known, (coverage[:, : len(order)] > 0).float())
        return coverage, known, places

    def _tokens(self, told: list[Said]) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens of every text, -100 after its end, and what they speak of, both int64 [B, T]."""
        end = self._config.text.eos_token_id
        rows: list[tuple[list[int], list[int]]] = []
        for text, phrases in told:
            ids, places = self._tokenizer.encode_places(text)
            ids = [*ids[: self._settings.longest - 1], end]
            rows.append((ids, _spoken(text, phrases, places[: len(ids) - 1])))
        labels = torch.full((len(rows), max(len(ids) for ids, _ in rows)), -100, dtype=torch.long)
        spoken = torch.full_like(labels, -1)
        for number, (ids, bits) in enumerate(rows):
            labels[number, : len(ids)] = torch.tensor(ids)
            spoken[number, : len(bits)] = torch.tensor(bits)
        return labels, spoken

    def _round(self, rng: np.random.Generator) -> list[int]:
        """Numbers of the examples of one round: as many as there are, each source by its weight."""
        count, weights = len(self._examples), self._settings.weights
        by_source: dict[str, list[int]] = {}
        for number in range(count):
            by_source.setdefault(self._examples.source(number), []).append(number)
        shares = {source: float(weights.get(source, 1.0)) for source in by_source}
        if not weights:
            return list(range(count))
        numbers: list[int] = []
        for source, own in by_source.items():
            wanted = round(count * shares[source] / sum(shares.values()))
            whole, rest = divmod(wanted, len(own))
            numbers += own * whole + rng.choice(own, rest, replace=False).tolist()
        return numbers

    def _one_pass(self, chosen: list[int], rng: np.random.Generator | None) -> list[list[int]]:
        """Every chosen example once, films of one size together; in random order with ``rng``."""
        size = self._settings.batch_size
        by_shape: dict[tuple[int, int], list[int]] = {}
        for number in chosen:
            by_shape.setdefault(self._examples.shape(number), []).append(number)
        batches = []
        for numbers in by_shape.values():
            order = numbers if rng is None else [numbers[place] for place in rng.permutation(len(numbers))]
            # Not sorted by the length of reports: batches of healthy films and batches of sick ones pull to and fro.
            batches += [order[first : first + size] for first in range(0, len(order), size)]
        return batches if rng is None else [batches[place] for place in rng.permutation(len(batches))]


def _spoken(text: str, phrases: tuple[tuple[int, str], ...], places: list[tuple[int, int]]) -> list[int]:
    """The place that the phrase of each token speaks of, -1 for none."""
    spoken = [-1] * len(places)
    for bit, words in phrases:
        for found in re.finditer(re.escape(words), text):
            for number, (start, end) in enumerate(places):
                if start < found.end() and found.start() < end:
                    spoken[number] = bit
    return spoken


def _masks(examples: list[Example]) -> torch.Tensor | None:
    """uint8 [B, planes, H, W], empty where a film has none; None where no film has any."""
    masks: list[NDArray[np.uint8] | None] = [example.masks for example in examples]
    planes = max((len(mask) for mask in masks if mask is not None), default=0)
    if not planes:
        return None
    whole = np.zeros((len(examples), planes, *examples[0].pixels.shape), np.uint8)
    for number, mask in enumerate(masks):
        if mask is not None:
            whole[number, : len(mask)] = mask
    return torch.from_numpy(whole)
