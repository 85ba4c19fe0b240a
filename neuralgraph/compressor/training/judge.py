"""What a model is worth on validation films: before a run, at every validation, and at its end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch

from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.scoring import printable, until_end
from neuralgraph.compressor.training.examples import ExampleSet
from neuralgraph.compressor.training.report_text import described_text
from neuralgraph.compressor.training.seeing import auc, marked_films, mean_lesion_map, seeing

__all__ = ["FEWEST_MARKED", "Judge", "bleu2"]

FEWEST_MARKED = 8
"""Marked validation films from which they, and not the loss, say which step is the best."""
_MOST_SEEN, _MOST_WRITTEN, _MOST_NAMED = 150, 24, 400
"""Films that are looked at, written of, and classified."""


class Judge:
    """Measures models on the validation films of a run.

    Parameters
    ----------
    tokenizer, preprocessor : of the models.
    learn, check : what is learnt from, whose marks give the mean map, and what is measured on.
    """

    def __init__(
        self, tokenizer: ReportTokenizer, preprocessor: Preprocessor, learn: ExampleSet, check: ExampleSet
    ) -> None:
        self._tokenizer, self._preprocessor, self._check = tokenizer, preprocessor, check
        self._films = marked_films(check, preprocessor.stride, most=_MOST_SEEN)
        self._mean_map = mean_lesion_map(marked_films(learn, preprocessor.stride, most=500))

    @property
    def sees(self) -> bool:
        """Whether there are marked films enough to choose a step by them."""
        return len(self._films) >= FEWEST_MARKED

    def seen(self, model: NeuralGraphModel) -> dict[str, float]:
        """Where a model looks, as ``seeing`` says it; nothing without marked films."""
        if not self._films:
            return {}
        return seeing(model, self._tokenizer, self._preprocessor, self._check, self._films, self._mean_map)

    @torch.inference_mode()
    def judged(self, model: NeuralGraphModel) -> dict[str, float]:
        """Everything a verdict says: what is seen, AUC of the findings (their mean), BLEU-2."""
        device = next(model.parameters()).device
        logits, written, truth = [], [], []
        numbers = range(min(len(self._check), _MOST_NAMED))
        for number in numbers:
            example = self._check[number]
            pixels = torch.from_numpy(example.pixels.astype(np.float32) / 65535)
            pixels = (pixels - self._preprocessor.mean) / self._preprocessor.std
            encoded = model.encode(pixels.expand(1, self._preprocessor.channels, -1, -1).to(device))
            logits.append(model.classifier(encoded.embedding.mean(dim=1))[0].float().cpu().numpy())
            if number < _MOST_WRITTEN:
                tokens = until_end(model.generate(encoded)[0].tolist(), model.config.text.eos_token_id)
                written.append(printable(self._tokenizer.decode(tokens))[0])
                truth.append(described_text(example.report))
        labels = self._check.labels
        areas = [
            auc(np.array([row[column] for row in logits]), np.array([labels[n].get(name, math.nan) for n in numbers]))
            for column, name in enumerate(model.config.labels)
        ]
        known = [area for area in areas if not math.isnan(area)]
        values = {**self.seen(model), "bleu2": bleu2(written, truth)}
        if known:
            values["auc"] = sum(known) / len(known)
        return {name: round(value, 4) for name, value in values.items() if math.isfinite(value)}


def bleu2(written: Sequence[str], truth: Sequence[str]) -> float:
    """Corpus BLEU of words and pairs of words, with brevity penalty (Papineni et al., ACL 2002); 0 to 1.

    Words are split at white space and punctuation, in small letters: good for a comparison within one run, and not the
    figure of sacrebleu.
    """
    matched, made, lengths = [0, 0], [0, 0], [0, 0]
    for one, other in zip(written, truth, strict=True):
        words = [_words(one), _words(other)]
        lengths = [lengths[0] + len(words[0]), lengths[1] + len(words[1])]
        for size in (1, 2):
            ours, theirs = (Counter(zip(*(each[start:] for start in range(size)), strict=False)) for each in words)
            matched[size - 1] += (ours & theirs).total()
            made[size - 1] += ours.total()
    if 0 in matched:
        return 0.0
    penalty = min(1.0, math.exp(1 - lengths[1] / lengths[0]))
    return penalty * math.sqrt(matched[0] / made[0] * matched[1] / made[1])


def _words(text: str) -> list[str]:
    return "".join(letter.lower() if letter.isalnum() else f" {letter} " for letter in text).split()
