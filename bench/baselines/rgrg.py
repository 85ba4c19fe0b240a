"""An RGRG-like report generator: regions of the film are selected, and each selected one gets its sentences.

Published: Tanida et al., "Interactive and explainable region-guided radiology report generation", CVPR 2023. A Faster
R-CNN with ResNet-50 finds 29 anatomical regions; a classifier selects those that deserve a sentence; GPT-2 writes one
for each, conditioned on the region's feature by pseudo self-attention (the feature is an extra key and value of every
layer); the sentences are joined. Here: a small ResNet, average pooling of each region's box, a selector, a decoder of 2
layers with pseudo self-attention.

Left out: the detector: boxes of regions are not known of phantoms, so ten fixed ones stand in (three zones of either
lung, either lung, heart, film), with sentences assigned to them by the words for side, zone and heart; its abnormality
classifier; pre-trained weights; beam search. Added, because all systems are scored against findings and impression: the
impression is an eleventh region of the whole film, always selected.
"""

from __future__ import annotations

import re

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, scaled_dot_product_attention
from torchvision.models.resnet import BasicBlock

from bench.baselines.lessons import LONGEST, PADDING, Batch, Lessons, sentences
from bench.baselines.losses import report_loss
from bench.baselines.writing import greedy

__all__ = ["REGIONS", "RgrgLike", "region_texts"]

REGIONS: dict[str, tuple[float, float, float, float]] = {
    "right upper": (0.10, 0.05, 0.40, 0.50),
    "right mid": (0.30, 0.05, 0.62, 0.50),
    "right lower": (0.50, 0.05, 0.95, 0.50),
    "left upper": (0.10, 0.50, 0.40, 0.95),
    "left mid": (0.30, 0.50, 0.62, 0.95),
    "left lower": (0.50, 0.50, 0.95, 0.95),
    "right": (0.10, 0.05, 0.95, 0.50),
    "left": (0.10, 0.50, 0.95, 0.95),
    "heart": (0.40, 0.30, 0.90, 0.85),
    "film": (0.0, 0.0, 1.0, 1.0),
    "impression": (0.0, 0.0, 1.0, 1.0),
}
"""Top, left, bottom, right as shares of the film; image left is the patient's right."""

_NAMES = tuple(REGIONS)
_HEART = re.compile(r"\b(heart|cardi\w+)\b", re.IGNORECASE)
_SIDE = re.compile(r"\b(right|left|lingula)\b", re.IGNORECASE)
_ZONES = {
    "upper": re.compile(r"\b(upper|apex|apical|apices)\b", re.IGNORECASE),
    "mid": re.compile(r"\b(mid|middle|lingula|perihilar)\b", re.IGNORECASE),
    "lower": re.compile(r"\b(lower|base|basal|basilar|bibasilar)\b", re.IGNORECASE),
}


def region_texts(text: str) -> dict[str, str]:
    """The sentences of a report by region, in the order of the report.

    Parameters
    ----------
    text : "FINDINGS: ..." and "IMPRESSION: ...", one line each; a text without them is all findings.
    """
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("IMPRESSION: "):
            found.setdefault("impression", []).append(line.removeprefix("IMPRESSION: "))
            continue
        for sentence in sentences(line.removeprefix("FINDINGS: ")):
            found.setdefault(_region(sentence), []).append(sentence)
    return {name: " ".join(parts) for name, parts in found.items()}


def _region(sentence: str) -> str:
    if _HEART.search(sentence):
        return "heart"
    sides = {"left" if word.lower() == "lingula" else word.lower() for word in _SIDE.findall(sentence)}
    if len(sides) != 1:
        return "film"
    (side,) = sides
    zones = [zone for zone, words in _ZONES.items() if words.search(sentence)]
    return f"{side} {zones[0]}" if len(zones) == 1 else side


class _Layer(nn.Module):
    """One layer of the decoder, with pseudo self-attention (Ziegler et al., 2019) to one feature."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.before, self.behind = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries, self.pairs, self.feature = (
            nn.Linear(width, width),
            nn.Linear(width, 2 * width),
            nn.Linear(width, 2 * width),
        )
        self.out = nn.Linear(width, width)
        self.rest = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: torch.Tensor, feature: torch.Tensor) -> torch.Tensor:
        rows, length, width = tokens.shape
        normal = self.before(tokens)
        pairs = torch.cat([self.feature(feature)[:, None], self.pairs(normal)], dim=1)
        keys, values = self._split(pairs).chunk(2, dim=-1)
        # The feature stands before the text: every position may attend to it.
        seen = torch.ones(length, length + 1, dtype=torch.bool, device=tokens.device).tril(diagonal=1)
        queries = self._split(self.queries(normal))
        mixed = scaled_dot_product_attention(queries, keys, values, attn_mask=seen)
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(rows, length, width))
        return tokens + self.rest(self.behind(tokens))

    def _split(self, values: torch.Tensor) -> torch.Tensor:
        """[rows, length, k * width] to [rows, heads, length, k * width / heads]."""
        return values.unflatten(-1, (self._heads, -1)).transpose(1, 2)


class RgrgLike(nn.Module):
    """Films to reports, region by region.

    Parameters
    ----------
    lessons : gives the tokens.
    width : of features and decoder; a multiple of 8.
    layers : of the decoder.
    """

    def __init__(self, lessons: Lessons, *, width: int = 128, layers: int = 2) -> None:
        super().__init__()
        self._lessons = lessons
        stem = [nn.Conv2d(1, 16, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)]
        blocks = [self._block(16, 32), self._block(32, 64), self._block(64, width)]
        self.film = nn.Sequential(*stem, *blocks)
        self.name = nn.Embedding(len(REGIONS), width)
        self.selector = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
        self.words = nn.Embedding(lessons.vocabulary, width)
        self.order = nn.Embedding(LONGEST, width)
        self.layers = nn.ModuleList([_Layer(width, 4) for _ in range(layers)])
        self.last = nn.LayerNorm(width)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.normal_(self.order.weight, std=0.02)

    @staticmethod
    def _block(before: int, after: int) -> BasicBlock:
        shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride=2, bias=False), nn.BatchNorm2d(after))
        return BasicBlock(before, after, stride=2, downsample=shortcut)

    def regions(self, films: torch.Tensor) -> torch.Tensor:
        """The feature of every region, float32 [B, regions, width]."""
        maps = self.film(films)
        height, width = maps.shape[2:]
        pooled = []
        for top, left, bottom, right in REGIONS.values():
            rows = slice(int(top * height), max(int(top * height) + 1, round(bottom * height)))
            columns = slice(int(left * width), max(int(left * width) + 1, round(right * width)))
            pooled.append(maps[:, :, rows, columns].mean(dim=(2, 3)))
        return torch.stack(pooled, dim=1) + self.name.weight

    def forward(self, features: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Logits of the token after each, float32 [rows, T, vocabulary].

        Parameters
        ----------
        features : float32 [rows, width], one region each.
        tokens : int64 [rows, T], the first of them PADDING.
        """
        hidden = self.words(tokens) + self.order.weight[: tokens.shape[1]]
        for layer in self.layers:
            hidden = layer(hidden, features)
        return self.last(hidden) @ self.words.weight.T

    def loss(self, batch: Batch) -> torch.Tensor:
        """What training lowers: selection, and the sentences of the regions that have some."""
        features = self.regions(batch.films)
        texts = [region_texts(text) for text in batch.texts]
        wanted = torch.tensor([[float(name in found) for name in _NAMES] for found in texts], device=features.device)
        selection = binary_cross_entropy_with_logits(self.selector(features)[..., 0], wanted)
        tokens = self._lessons.encoded([found[name] for found in texts for name in _NAMES if name in found])
        tokens = tokens.to(features.device)
        before = nn.functional.pad(tokens, (1, 0), value=PADDING)[:, :-1]
        return selection + report_loss(self(features[wanted.bool()], before), tokens)

    def written(self, batch: Batch) -> list[str]:
        """A report for every film; the same sentence is said once."""
        features = self.regions(batch.films)
        selected = self.selector(features)[..., 0] > 0
        selected[:, _NAMES.index("impression")] = True
        chosen = features[selected]
        ids = iter(greedy(lambda tokens: self(chosen, tokens), len(chosen), device=chosen.device))
        reports = []
        for row in selected.tolist():
            said = {name: self._lessons.decoded(next(ids)) for name, yes in zip(_NAMES, row, strict=True) if yes}
            impression = said.pop("impression")
            parts = dict.fromkeys(sentence for text in said.values() for sentence in sentences(text))
            reports.append(f"FINDINGS: {' '.join(parts)}\nIMPRESSION: {impression}")
        return reports
