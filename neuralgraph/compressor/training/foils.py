"""Foils: another text for the same film, which must make the decoder look elsewhere.

With true reports alone nothing in the losses asks for the report: whoever finds the lesion on the film is right, and
the map of another patient's report is the same. Two foils make reading worth while. The same text with its sides
swapped belongs to the mirrored places; the text of another film belongs to that film's places. Neither is learnt to be
written: a foil is only looked at (hard negatives of grounding by contrast, as in BioViL-T and MedKLIP, with places
instead of whole images).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from neuralgraph.compressor.training.sides import named_side, swapped_sides

__all__ = ["Said", "Told", "foil_of"]

_SWAPPED = 0.6
"""Share of the films that get their own text with swapped sides, where that can be; others get another film's text."""


class Said(NamedTuple):
    """A text, and which places its phrases speak of."""

    text: str
    phrases: tuple[tuple[int, str], ...]
    """(index into the coverage, words of the text)."""


class Told(NamedTuple):
    """Texts for the films of a batch, and where they should look."""

    labels: torch.Tensor
    """int64 [B, T], the tokens; -100 after the end. A film without a foil has its own text, which speaks of nothing."""
    spoken: torch.Tensor
    """int64 [B, T], index into ``coverage``; -1 for none."""
    coverage: torch.Tensor
    """float32 [B, places, rows, cols]."""


def foil_of(
    told: Sequence[Said],
    coverage: torch.Tensor,
    rng: np.random.Generator,
    tokens: Callable[[list[Said]], tuple[torch.Tensor, torch.Tensor]],
) -> Told | None:
    """A foil for every film that can have one; None when no film can.

    Parameters
    ----------
    told : the true texts.
    coverage : of the true places, float32 [B, places, rows, cols].
    rng : decides which foil.
    tokens : makes tokens of texts, as ``Batches`` does.
    """
    texts: list[Said] = []
    places = coverage.clone()
    for number, one in enumerate(told):
        swapped = _swapped(one) if rng.random() < _SWAPPED else None
        if swapped is not None:
            texts.append(swapped)
            places[number] = coverage[number].flip(-1)
            continue
        other = int(rng.integers(len(told)))
        texts.append(told[other] if told[other].phrases else one._replace(phrases=()))
        places[number] = coverage[other]
    if not any(text.phrases for text in texts):
        return None
    labels, spoken = tokens(texts)
    return Told(labels, spoken, places)


def _swapped(said: Said) -> Said | None:
    """The text with its sides swapped; places of phrases without a side are not asked for. None without such a text."""
    text = swapped_sides(said.text)
    if text is None or text == said.text:
        return None
    phrases = tuple((place, swapped_sides(words) or words) for place, words in said.phrases if named_side(words))
    return said._replace(text=text, phrases=phrases) if phrases else None
