"""Batches whose frozen part is computed once: what an encoder that does not learn makes of a film is always the same.

Films are varied first, so a fixed number of varied batches is kept and shown again and again, in another order each
time. On two cores a step from kept maps costs a tenth of one from pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import Dataset

from neuralgraph.compressor.model.backbone import VisionEncoder
from neuralgraph.compressor.training.batches import Batches, Lesson
from neuralgraph.compressor.training.lesson_state import TrainingStopped
from neuralgraph.compressor.training.runtime import Runtime

__all__ = ["KeptBatches"]


class KeptBatches(Dataset[dict[str, torch.Tensor]]):
    """A fixed list of batches that begin behind the frozen parts of an encoder, kept in memory as float16.

    While it is used, ``vision.given`` must be ``parts``.

    Parameters
    ----------
    batches : what is kept.
    vision : the encoder; its leading parts are run once for every batch.
    parts : how many of its parts are frozen, or ``backbone.WHOLE``.
    count : length of the list: passes over the kept batches, one after another.
    seed : of their order.
    runtime : where the encoder is, and who follows.

    Raises
    ------
    TrainingStopped : ``runtime.stop`` said so.
    """

    def __init__(
        self, batches: Batches, vision: VisionEncoder, parts: int, *, count: int, seed: int, runtime: Runtime
    ) -> None:
        self._batches = batches
        self.structures = batches.structures
        self._lessons: list[Lesson] = []
        with torch.no_grad():
            for number in range(len(batches)):
                lesson = batches.lesson(number)
                features = vision.leading(lesson.batch["pixels"].to(runtime.device), parts).half().cpu()
                self._lessons.append(lesson._replace(batch={**lesson.batch, "pixels": features}))
                runtime.tell(number + 1, len(batches), {})
                if runtime.stopped:
                    raise TrainingStopped(number + 1, len(batches), "kept batches")
        self._order: list[int] = []
        for number in range(-(-count // len(batches))):
            self._order += np.random.default_rng([seed, 2 << 20, number]).permutation(len(batches)).tolist()
        del self._order[count:]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """As ``Batches``, with ``pixels`` replaced by what the frozen parts made of them."""
        return self._batches.item(self.lesson(index))

    def lesson(self, index: int) -> Lesson:
        """Everything there is of batch ``index``."""
        lesson = self._lessons[self._order[index]]
        return lesson._replace(batch={**lesson.batch, "pixels": lesson.batch["pixels"].clone().float()})
