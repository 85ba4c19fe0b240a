"""An RMT-like classifier: one transformer over film and text, whose attention masks a modality that is missing.

Published: Li et al., "Assessing severity of pediatric pneumonia using multimodal transformers with multi-task
learning", Digital Health 10 (2024), doi 10.1177/20552076241305168, the "robust multimodal transformer" (RMT): X-ray and
clinical text in a transformer with mask attention for absent modalities and several tasks at once. Here: patch features
of a small convolutional stem and tokens of the report, a type embedding for each modality, one sequence with a summary
token; the key padding mask hides what is absent, so that it has no influence; modalities are dropped at random in
training; every finding is a task with its own output.

Left out: pre-trained image and language models in place of stem and token embeddings; the severity task, which phantoms
do not have; clinical data other than the report; widths and depths, which its abstract does not give.
"""

from __future__ import annotations

import torch
from torch import nn

from bench.baselines.lessons import LONGEST, PADDING, Batch, Lessons
from bench.baselines.losses import findings_loss

__all__ = ["RmtLike"]

DROPPED = 0.25
"""Chance that a training film loses its film, and the same again that it loses its text; never both."""


class RmtLike(nn.Module):
    """Films, texts or both to findings.

    Parameters
    ----------
    lessons : gives findings, tokens and the side of the films.
    width : of every token; a multiple of 4.
    layers : of the transformer.
    """

    def __init__(self, lessons: Lessons, *, width: int = 96, layers: int = 3) -> None:
        super().__init__()
        steps = [(1, width // 4), (width // 4, width // 2), (width // 2, width), (width, width)]
        self.stem = nn.Sequential(
            *(
                layer
                for before, after in steps
                for layer in (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())
            )
        )
        cells = (lessons.side // 16) ** 2
        self.place = nn.Parameter(torch.randn(cells, width) * 0.02)
        self.words = nn.Embedding(lessons.vocabulary, width)
        self.order = nn.Parameter(torch.randn(LONGEST, width) * 0.02)
        self.kind = nn.Parameter(torch.randn(2, width) * 0.02)
        self.summary = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, 4, dim_feedforward=2 * width, dropout=0.1, batch_first=True, norm_first=True
        )
        self.mixer = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.tasks = nn.ModuleList([nn.Linear(width, 1) for _ in lessons.findings])

    def forward(
        self, films: torch.Tensor, tokens: torch.Tensor, has_film: torch.Tensor, has_text: torch.Tensor
    ) -> torch.Tensor:
        """Logits, float32 [B, findings].

        Parameters
        ----------
        films : float32 [B, 1, side, side].
        tokens : int64 [B, T].
        has_film, has_text : bool [B]; what is absent may hold anything, it is not attended to.
        """
        seen = self.stem(films).flatten(2).transpose(1, 2) + self.place + self.kind[0]
        read = self.words(tokens) + self.order[: tokens.shape[1]] + self.kind[1]
        sequence = torch.cat([self.summary.expand(len(films), -1, -1), seen, read], dim=1)
        hidden = torch.cat(
            [
                torch.zeros(len(films), 1, dtype=torch.bool, device=films.device),
                ~has_film[:, None].expand(-1, seen.shape[1]),
                ~has_text[:, None] | (tokens == PADDING),
            ],
            dim=1,
        )
        summary = self.mixer(sequence, src_key_padding_mask=hidden)[:, 0]
        return torch.cat([task(summary) for task in self.tasks], dim=1)

    def loss(self, batch: Batch) -> torch.Tensor:
        """What training lowers; a modality is dropped here and there."""
        drawn = torch.rand(len(batch.films), device=batch.films.device)
        logits = self(batch.films, batch.tokens, drawn >= DROPPED, drawn < 1 - DROPPED)
        return findings_loss(logits, batch.labels)

    def scores(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Logits by what was given, float32 [B, findings]."""
        yes = torch.ones(len(batch.films), dtype=torch.bool, device=batch.films.device)
        return {
            "film and text": self(batch.films, batch.tokens, yes, yes),
            "film": self(batch.films, batch.tokens, yes, ~yes),
            "text": self(batch.films, batch.tokens, ~yes, yes),
        }
