"""A CheXMed-like classifier: a convolutional network on the film, joined with the entities of the text.

Published: Ren et al., "CheXMed: A multimodal learning algorithm for pneumonia detection in the elderly", Information
Sciences 654 (2024) 119854. Its abstract: a model that adds clinical notes to the film, compared with CheXNet and
DenseNet-121. Here, as issue and paper name it, a DenseNet on the film and entities of the text: the entities are
embedded and pooled, joined with the pooled film features, and a two-layer head gives one logit per finding.

Left out: weights pre-trained on photographs and on text; DenseNet-121's size (blocks of 6, 12, 24, 16 layers; here 2,
4, 4); its clinical notes and its named-entity model, whose place the report and ``report_graph``'s rules take; every
detail of the fusion that the abstract does not give.
"""

from __future__ import annotations

import torch
from torch import nn
from torchvision.models.densenet import DenseNet

from bench.baselines.lessons import Batch, Lessons
from bench.baselines.losses import findings_loss

__all__ = ["CheXMedLike"]


class CheXMedLike(nn.Module):
    """Films and entities to findings.

    Parameters
    ----------
    lessons : gives the findings and the entities.
    with_text : False leaves the entities out altogether; the film's branch alone, trained as such.
    width : of the joined representation.
    """

    def __init__(self, lessons: Lessons, *, with_text: bool = True, width: int = 64) -> None:
        super().__init__()
        network = DenseNet(growth_rate=8, block_config=(2, 4, 4), num_init_features=16, num_classes=1)
        network.features.conv0 = nn.Conv2d(1, 16, kernel_size=7, stride=2, padding=3, bias=False)
        self.film, channels = network.features, network.classifier.in_features
        self.entities = nn.Embedding(lessons.entity_count, width, padding_idx=0) if with_text else None
        joined = channels + (width if with_text else 0)
        self.head = nn.Sequential(
            nn.Linear(joined, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, len(lessons.findings))
        )

    def forward(self, films: torch.Tensor, entities: torch.Tensor) -> torch.Tensor:
        """Logits, float32 [B, findings].

        Parameters
        ----------
        films : float32 [B, 1, side, side].
        entities : int64 [B, E], 0 where there is none; their mean counts, and nothing where there are none at all.
        """
        seen = torch.relu(self.film(films)).mean(dim=(2, 3))
        if self.entities is None:
            return self.head(seen)
        known = (entities > 0).sum(dim=1, keepdim=True).clamp(min=1)
        read = self.entities(entities).sum(dim=1) / known
        return self.head(torch.cat([seen, read], dim=1))

    def loss(self, batch: Batch) -> torch.Tensor:
        """What training lowers."""
        return findings_loss(self(batch.films, batch.entities), batch.labels)

    def scores(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Logits by what was given, float32 [B, findings]."""
        given = "film" if self.entities is None else "film and text"
        return {given: self(batch.films, batch.entities)}
