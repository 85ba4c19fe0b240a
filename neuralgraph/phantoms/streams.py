"""Where randomness comes from: one independent stream per (seed, patient, study, purpose)."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np

__all__ = ["Purpose", "Streams"]


class Purpose(enum.IntEnum):
    """What a stream decides; the numbers are part of every phantom and never change."""

    BODY = 0
    POSE = 1
    DISEASE = 2
    ONSET = 3
    DEVICES = 4
    REPORT = 5
    TISSUE = 6
    NOISE = 7
    COUNT = 8


@dataclasses.dataclass(frozen=True)
class Streams:
    """The streams of one patient, by numpy's SeedSequence with a spawn key: no stream depends on the use of another."""

    seed: int
    domain: int
    """0 for single phantoms, 1 for the patients of a cohort."""
    number: int

    def get(self, study: int, purpose: Purpose, part: int = 0) -> np.random.Generator:
        """The stream of one purpose in one study; study 0 is what holds for all studies of the patient."""
        key = (self.domain, self.number, study, int(purpose), part)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def seed_of(self, study: int, purpose: Purpose) -> int:
        """A 32-bit seed drawn from a stream, for what makes its own generators."""
        return int(self.get(study, purpose).integers(0, 2**32))
