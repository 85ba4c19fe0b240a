"""Batches: films of one grid, exposure and place varied; the same ones for one seed."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.training.examples import Example, ExampleSet
from neuralgraph.compressor.training.report_text import described_text, training_text

__all__ = ["Batches", "Lesson", "augmented"]


class Lesson(NamedTuple):
    """A batch, and what is known of it where masks are."""

    batch: dict[str, torch.Tensor]
    """What the model's ``forward`` takes: ``pixels`` float32 [B, channels, H, W], ``labels`` int64 [B, T],
    ``class_labels`` float32 [B, findings]."""
    coverage: torch.Tensor | None
    """Share of every patch that each structure covers, float32 [B, 8 * planes, rows, cols], in the order of the bits of
    the masks."""
    spoken: torch.Tensor
    """The structure that each token of ``labels`` says is there, int64 [B, T]; -1 for none."""


class Batches(Dataset[dict[str, torch.Tensor]]):
    """A fixed list of batches; item i is batch i, drawn from seed and i alone.

    So a run that is continued sees the batches it would have seen, and processes of one run can share the list.

    Parameters
    ----------
    examples : what to draw from.
    config, tokenizer, preprocessor : of the model.
    batch_size : films of a batch, at most.
    count : how many batches; None makes one pass over the examples, in order.
    longest : tokens of a report that are kept.
    augment : vary films and texts; else films as they are, with findings and impression.
    guided : items have ``coverage`` and ``spoken`` of the lesson too, for a model that is told where to look.
    seed : of order and variation.
    """

    def __init__(
        self,
        examples: ExampleSet,
        config: NeuralGraphConfig,
        tokenizer: ReportTokenizer,
        preprocessor: Preprocessor,
        *,
        batch_size: int,
        longest: int,
        seed: int,
        count: int | None = None,
        augment: bool = False,
        guided: bool = False,
    ) -> None:
        self._examples = examples
        self._config = config
        self._tokenizer = tokenizer
        self._preprocessor = preprocessor
        self._longest = longest
        self._seed = seed
        self._augment = augment
        self._guided = guided
        self._training = count is not None
        self._numbers: list[list[int]] = []
        if count is None:
            self._numbers = self._one_pass(batch_size, None)
        else:
            round_number = 0
            while len(self._numbers) < count:
                self._numbers += self._one_pass(batch_size, np.random.default_rng([seed, round_number]))
                round_number += 1
            del self._numbers[count:]

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """The batch of a lesson; guided, and where masks are known, with the rest of it."""
        batch, coverage, spoken = self.lesson(index)
        return {**batch, "coverage": coverage, "spoken": spoken} if self._guided and coverage is not None else batch

    def lesson(self, index: int) -> Lesson:
        """Everything there is of batch ``index``."""
        rng = np.random.default_rng([self._seed, 1 << 20, index])
        examples = [self._examples[number] for number in self._numbers[index]]
        films = np.stack([example.pixels for example in examples])[:, None].astype(np.float32) / 255
        pixels, bits = torch.from_numpy(films), _masks(examples)
        stride = self._preprocessor.stride
        if self._augment:
            pixels, bits = augmented(pixels, bits, rng, stride=stride)
        grid = (pixels.shape[2] // stride, pixels.shape[3] // stride)
        coverage = None if bits is None else _coverage(bits, grid)
        pixels = (pixels - self._preprocessor.mean) / self._preprocessor.std
        tokens, spoken = self._tokens(examples, rng)
        batch = {
            "pixels": pixels.expand(-1, self._preprocessor.channels, -1, -1),
            "labels": tokens,
            "class_labels": torch.tensor(
                [[example.labels.get(name, float("nan")) for name in self._config.labels] for example in examples]
            ),
        }
        return Lesson(batch, coverage, spoken)

    def _tokens(self, examples: list[Example], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens of one text of every report, and what they speak of, both int64 [B, T]."""
        end = self._config.text.eos_token_id
        rows: list[tuple[list[int], list[int]]] = []
        for example in examples:
            text = training_text(example.report, rng.random()) if self._training else described_text(example.report)
            ids, places = self._tokenizer.encode_places(text)
            ids = [*ids[: self._longest - 1], end]
            rows.append((ids, _spoken(text, example.phrases, places[: len(ids) - 1])))
        labels = torch.full((len(rows), max(len(ids) for ids, _ in rows)), -100, dtype=torch.long)
        spoken = torch.full_like(labels, -1)
        for number, (ids, bits) in enumerate(rows):
            labels[number, : len(ids)] = torch.tensor(ids)
            spoken[number, : len(bits)] = torch.tensor(bits)
        return labels, spoken

    def _one_pass(self, size: int, rng: np.random.Generator | None) -> list[list[int]]:
        """Every example once, films of one size together; in random order with ``rng``."""
        by_shape: dict[tuple[int, int], list[int]] = {}
        for number in range(len(self._examples)):
            by_shape.setdefault(self._examples.shape(number), []).append(number)
        batches = []
        for numbers in by_shape.values():
            order = numbers if rng is None else [numbers[place] for place in rng.permutation(len(numbers))]
            # Not sorted by the length of reports: batches of healthy films and batches of sick ones pull to and fro.
            batches += [order[first : first + size] for first in range(0, len(order), size)]
        return batches if rng is None else [batches[place] for place in rng.permutation(len(batches))]


def augmented(
    pixels: torch.Tensor, bits: torch.Tensor | None, rng: np.random.Generator, *, stride: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Films as another exposure, another position or another detector would show them.

    Each film is shifted by less than a patch and gets a gamma, a gain and an offset of its own; a quarter of the
    batches is softened, and a tenth reduced to a smaller grid. Left stays left: reports name sides.

    Parameters
    ----------
    pixels : float32 [B, 1, H, W], 0 to 1, H and W multiples of the stride.
    bits : [B, planes, H, W], shifted with the films.
    rng : source of the variation.
    stride : pixels per side of a patch.

    Returns
    -------
    pixels : float32 [B, 1, H', W'], 0 to 1; H' and W' are multiples of the stride.
    bits : as given, [B, planes, H, W].
    """
    height, width = pixels.shape[2:]
    reach = stride - 2 if stride > 2 else 0
    places = rng.integers(0, 2 * reach + 1, (len(pixels), 2)).tolist()
    moved = _shifted(pixels, places, reach).clamp(1e-3, 1)
    gamma, gain, offset = (
        torch.tensor(rng.uniform(low, high, (len(pixels), 1, 1, 1)), dtype=torch.float32)
        for low, high in ((0.8, 1.25), (0.8, 1.2), (-0.08, 0.08))
    )
    varied = ((moved**gamma - 0.5) * gain + 0.5 + offset).clamp(0, 1)
    if rng.random() < 0.25:
        soft = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(varied, (1, 1, 1, 1), mode="replicate"), 3, 1)
        varied = 0.6 * soft + 0.4 * varied
    if rng.random() < 0.1:
        share = float(rng.choice([0.5, 0.75, 0.875]))
        size = [max(stride, round(side * share / stride) * stride) for side in (height, width)]
        varied = torch.nn.functional.interpolate(varied, size=size, mode="bilinear", antialias=True)
    return varied, None if bits is None else _shifted(bits, places, reach)


def _spoken(text: str, phrases: tuple[tuple[int, str], ...], places: list[tuple[int, int]]) -> list[int]:
    """The finding of the phrase that each token lies in, -1 for none."""
    spoken = [-1] * len(places)
    for bit, words in phrases:
        for found in re.finditer(re.escape(words), text):
            for number, (start, end) in enumerate(places):
                if start < found.end() and found.start() < end:
                    spoken[number] = bit
    return spoken


def _shifted(planes: torch.Tensor, places: list[list[int]], reach: int) -> torch.Tensor:
    """Films [B, C, H, W] moved by less than ``reach``, their edges drawn out."""
    rows, cols = (torch.arange(side) - reach for side in planes.shape[2:])
    return torch.stack(
        [
            plane[:, (rows + down).clamp(0, len(rows) - 1)][:, :, (cols + across).clamp(0, len(cols) - 1)]
            for plane, (down, across) in zip(planes, places, strict=True)
        ]
    )


def _masks(examples: list[Example]) -> torch.Tensor | None:
    """uint8 [B, planes, H, W], or None where a film has none."""
    masks = [example.masks for example in examples]
    if any(mask is None for mask in masks):
        return None
    return torch.from_numpy(np.stack([mask for mask in masks if mask is not None]))


def _coverage(bits: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Share of every patch of a grid with a bit set, float32 [B, 8 * planes, rows, cols]."""
    coverage = torch.zeros(len(bits), bits.shape[1], 8, *grid)
    for plane in range(bits.shape[1]):
        for bit in range(8):
            one = bits[:, plane] >> bit & 1
            if one.any():
                coverage[:, plane, bit] = torch.nn.functional.adaptive_avg_pool2d(one.float(), grid)
    return coverage.flatten(1, 2)
