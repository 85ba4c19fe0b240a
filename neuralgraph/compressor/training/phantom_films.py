"""Phantoms as training films."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.training.examples import Prepared, prepared
from neuralgraph.compressor.training.places import EVERYTHING, LESION, NOT_LOCAL, mask_planes
from neuralgraph.phantoms import DISTRACTORS, FINDINGS, PREVALENCE, PhantomStudy, patient

__all__ = ["PHANTOM", "TAUGHT", "PhantomTask", "phantom_tasks", "prepare_phantom"]

TAUGHT: tuple[str, ...] = (*FINDINGS, LESION, *DISTRACTORS)
"""What the bits of the masks say, plane by plane."""

PHANTOM = "phantom"
"""The source of these examples."""

TRAINING_SEED = 1
"""Of the cohort the demo model learns from; what is measured uses others."""

_MORE_FINDINGS = 1.3
"""Findings are this much commoner than in the default cohort: a healthy film teaches less."""

_SHAPES: tuple[tuple[float, float], ...] = (
    (2, 2),
    (2, 1.625),
    (1, 0.8125),
    (0.8125, 1),
    (1, 1),
    (1, 1),
    (1, 1),
    (1, 1),
)
"""Height and width as multiples of the model's longest side, patient by patient. Most are rendered at that size; larger
ones are reduced like real films are, which leaves less noise; some are portraits or landscapes."""

_VARIETIES = (0.1, 0.3, 0.5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhantomTask:
    """All films of one phantom patient."""

    seed: int
    number: int
    height: int
    width: int
    variety: float
    preprocessor: Preprocessor
    source: str = PHANTOM


def phantom_tasks(
    patients: int,
    preprocessor: Preprocessor,
    *,
    side: int,
    seed: int = TRAINING_SEED,
    first: int = 0,
    source: str = PHANTOM,
) -> Sequence[PhantomTask]:
    """Tasks for patients first .. first + patients - 1 of a cohort.

    Parameters
    ----------
    patients : how many; each has 1 to 4 films.
    preprocessor : of the model.
    side : longest side of most films, pixels; a multiple of the stride for films without padding.
    seed : of the cohort.
    first : number of the first patient.
    source : what the examples say they are from.
    """
    tasks = []
    for number in range(first, first + patients):
        height, width = _SHAPES[number % len(_SHAPES)]
        tasks.append(
            PhantomTask(
                seed=seed,
                number=number,
                height=round(height * side),
                width=round(width * side),
                variety=_VARIETIES[number // len(_SHAPES) % len(_VARIETIES)],
                preprocessor=preprocessor,
                source=source,
            )
        )
    return tasks


def prepare_phantom(task: PhantomTask) -> list[Prepared]:
    """Render one patient."""
    studies = patient(
        task.seed,
        task.number,
        height=task.height,
        width=task.width,
        prevalence={name: share * _MORE_FINDINGS for name, share in PREVALENCE.items()},
        variety=task.variety,
    )
    return [
        prepared(
            study.pixels,
            task.preprocessor,
            masks=_masks(study, task.preprocessor),
            structures=TAUGHT,
            known=(EVERYTHING,),
            report=study.report,
            phrases=_phrases(study),
            labels=study.labels,
            patient=study.patient_id,
            source=task.source,
        )
        for study in studies
    ]


def _phrases(study: PhantomStudy) -> tuple[tuple[int, str], ...]:
    return tuple(
        (FINDINGS.index(finding.name), study.report[start:end])
        for finding in study.findings
        if finding.present
        for start, end in finding.phrases
    )


def _masks(study: PhantomStudy, preprocessor: Preprocessor) -> NDArray[np.uint8]:
    """The masks in the geometry of the model's input, uint8 [planes, height, width], as TAUGHT names their bits."""
    regions = dict.fromkeys(TAUGHT, np.zeros(study.pixels.shape, np.bool_))
    regions |= {finding.name: finding.mask for finding in study.findings} | study.distractor_masks
    regions[LESION] = np.logical_or.reduce([regions[name] for name in FINDINGS if name not in NOT_LOCAL])
    return mask_planes([regions[name] for name in TAUGHT], preprocessor)
