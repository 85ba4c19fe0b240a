"""A CvT2DistilGPT2-like report generator: a convolutional vision transformer, and a GPT-2 that attends to its output.

Published: Nicolson, Dowling & Koopman, "Improving chest X-ray report generation by leveraging warm starting",
Artificial Intelligence in Medicine 144 (2023) 102633. CvT-21 (stages of 1, 4 and 16 blocks) reads the film; the last
stage's tokens, projected to the decoder's width, are attended to by DistilGPT2 (6 layers of 768) through
cross-attention that is new; teacher forcing with cross-entropy. Here with the same classes of transformers, three CvT
stages of 1, 2 and 3 blocks and a GPT-2 of 3 layers.

Left out: the warm start, which is what the publication is about (both halves begin with random weights here, as nothing
is downloaded); self-critical sequence training; beam search (all systems decode greedily here).
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import CvtConfig, CvtModel, GPT2Config, GPT2LMHeadModel

from bench.baselines.lessons import END, LONGEST, PADDING, Batch, Lessons
from bench.baselines.losses import report_loss
from bench.baselines.writing import greedy

__all__ = ["Cvt2DistilGpt2Like"]


class Cvt2DistilGpt2Like(nn.Module):
    """Films to reports.

    Parameters
    ----------
    lessons : gives the tokens.
    width : of the decoder; a multiple of 4.
    """

    def __init__(self, lessons: Lessons, *, width: int = 128) -> None:
        super().__init__()
        self._lessons = lessons
        self.encoder = CvtModel(
            CvtConfig(
                num_channels=1,
                patch_sizes=[7, 3, 3],
                patch_stride=[4, 2, 2],
                patch_padding=[2, 1, 1],
                embed_dim=[16, 48, 96],
                num_heads=[1, 3, 6],
                depth=[1, 2, 3],
                mlp_ratio=[2.0, 2.0, 2.0],
                drop_path_rate=[0.0, 0.0, 0.0],
                cls_token=[False, False, True],
            )
        )
        self.bridge = nn.Linear(96, width, bias=False)
        self.decoder = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=lessons.vocabulary,
                n_positions=LONGEST,
                n_embd=width,
                n_layer=3,
                n_head=4,
                bos_token_id=PADDING,
                eos_token_id=END,
                add_cross_attention=True,
            )
        )

    def seen(self, films: torch.Tensor) -> torch.Tensor:
        """What the decoder attends to, float32 [B, cells, width]."""
        stage = self.encoder(films).last_hidden_state
        return self.bridge(stage.flatten(2).transpose(1, 2))

    def forward(self, seen: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Logits of the token after each, float32 [B, T, vocabulary].

        Parameters
        ----------
        seen : of ``seen``.
        tokens : int64 [B, T], the first of them PADDING.
        """
        return self.decoder(input_ids=tokens, encoder_hidden_states=seen, use_cache=False).logits

    def loss(self, batch: Batch) -> torch.Tensor:
        """What training lowers."""
        before = nn.functional.pad(batch.tokens, (1, 0), value=PADDING)[:, :-1]
        return report_loss(self(self.seen(batch.films), before), batch.tokens)

    def written(self, batch: Batch) -> list[str]:
        """A report for every film."""
        seen = self.seen(batch.films)
        ids = greedy(lambda tokens: self(seen, tokens), len(seen), device=seen.device)
        return [self._lessons.decoded(row) for row in ids]
