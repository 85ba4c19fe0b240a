"""What the phantom hands out: a film, its report and the truth about both."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

__all__ = ["PhantomFinding", "PhantomStudy"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PhantomFinding:
    """One finding the report speaks of: truly in the film, or denied."""

    name: str
    """One of ``neuralgraph.phantoms.FINDINGS``."""
    side: str
    """The patient's "right" (image left), "left", "bilateral", or "" (heart, and findings that are absent)."""
    zone: str
    """"upper", "mid" or "lower" third of the lung, or ""."""
    severity: str
    """"mild", "moderate", "severe", or "" when absent."""
    mask: npt.NDArray[np.bool_]
    """bool [height, width]: the film's pixels the finding occupies; all false when absent."""
    phrases: tuple[tuple[int, int], ...]
    """Spans of the report (Unicode code points, end excluded) that speak of it, ascending; never empty."""
    present: bool
    """Truth of the picture."""
    uncertain: bool
    """The report hedges ("possible", "cannot be excluded")."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PhantomStudy:
    """One synthetic film with its report. Nothing in it comes from a person."""

    pixels: npt.NDArray[np.float32]
    """float32 [height, width], 0 black .. 1 white, bones bright, image left = the patient's right."""
    report: str
    labels: dict[str, float]
    """Truth of the picture: 1.0 or 0.0 for every name in FINDINGS and for "pneumonia"; hedging does not change it.

    "pneumonia" is 1.0 when a consolidation is present, or an opacity that is moderate or severe.
    """
    findings: tuple[PhantomFinding, ...]
    """Everything present, and everything the report denies, in the order of FINDINGS."""
    distractors: tuple[str, ...]
    """Devices and harmless changes in the film, in the order of DISTRACTORS."""
    distractor_masks: dict[str, npt.NDArray[np.bool_]]
    """bool [height, width] for each of them: the film's pixels it occupies, if the film is fine enough to show it."""
    view: str
    """"PA" or "AP"."""
    study_id: str
    patient_id: str
