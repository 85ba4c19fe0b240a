"""Single studies, patients over time, cohorts: the public entrances of the phantom.

Every decision has its own random stream (streams.py), so a patient is the same whether one or a million are made, a
film does not depend on how its report is worded, and the truth does not depend on the size of the film.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from neuralgraph.errors import SourceError
from neuralgraph.phantoms.anatomy import build_chest
from neuralgraph.phantoms.canvas import Canvas, FloatMap, Strokes
from neuralgraph.phantoms.course import PREVALENCE, Status, first_status, has_pneumonia, next_status
from neuralgraph.phantoms.development import develop
from neuralgraph.phantoms.devices import DISTRACTORS, LASTING, draw_distractor, draw_distractors
from neuralgraph.phantoms.dictation import Told, write_report
from neuralgraph.phantoms.findings import FINDINGS, Lesion, apply_lesion, checked_findings, heart_ratio
from neuralgraph.phantoms.habitus import Pose, draw_habitus, draw_pose
from neuralgraph.phantoms.skeleton import draw_skeleton
from neuralgraph.phantoms.stamp import draw_marker
from neuralgraph.phantoms.stamp import stamp as stamped
from neuralgraph.phantoms.streams import Purpose, Streams
from neuralgraph.phantoms.study import PhantomFinding, PhantomStudy
from neuralgraph.phantoms.vessels import draw_vessels

__all__ = ["patient", "phantom", "phantom_cohort"]

_SINGLE, _COHORT = 0, 1
_VISIBLE = 0.25
"""Thickness in centimetres, averaged over a pixel, from which a distractor occupies it."""


def phantom(
    seed: int,
    *,
    height: int = 512,
    width: int = 512,
    findings: Sequence[str] | None = None,
    prevalence: Mapping[str, float] | None = None,
    variety: float = 0.5,
    stamp: bool = True,
) -> PhantomStudy:
    """One synthetic chest film with its report, of a patient of its own.

    Parameters
    ----------
    seed : 0 or greater; the same seed gives the same study, and the same patient and truth at every size.
    height, width : pixels of the film; at least 32 each.
    findings : exactly these findings (names from FINDINGS) are present, [] is a healthy film; None draws them.
    prevalence : chance per finding, replacing PREVALENCE where given.
    variety : of the report's wording, 0 (always the plainest) .. 1 (any with equal chance); the film does not depend
        on it. Nobody can foresee which wording was drawn: the higher the variety, the lower the best reachable BLEU.
    stamp : draw the word SYNTHETIC into the lower left corner.

    Returns
    -------
    PhantomStudy : pixels float32 [height, width] in 0..1.

    Raises
    ------
    SourceError (E_SOURCE_SIZE, E_SOURCE_KIND) : a film or a request that cannot be made.

    Examples
    --------
    >>> study = phantom(7, height=128, width=96, findings=["nodule"])
    >>> study.pixels.shape, study.labels["nodule"], study.labels["pneumonia"]
    ((128, 96), 1.0, 0.0)
    """
    maker = _Maker(seed, _SINGLE, 0, height, width, prevalence, variety, stamp=stamp)
    wanted = None if findings is None else checked_findings(findings)
    return maker.study(1, first_status(maker.streams, maker.prevalence, wanted))


def patient(
    seed: int,
    number: int,
    *,
    height: int = 512,
    width: int = 512,
    prevalence: Mapping[str, float] | None = None,
    variety: float = 0.5,
    stamp: bool = True,
    studies: int | None = None,
) -> tuple[PhantomStudy, ...]:
    """All studies of one patient of a cohort, first to last: one body, findings that come, change and go.

    Parameters
    ----------
    seed : of the cohort, 0 or greater.
    number : of the patient in the cohort, 0 or greater; any other number is another patient.
    studies : how many; None draws 1 to 4 (half the patients have one). Further studies never change earlier ones.
    height, width, prevalence, variety, stamp : as for phantom().

    Raises
    ------
    SourceError (E_SOURCE_SIZE, E_SOURCE_KIND) : films or a request that cannot be made.
    """
    maker = _Maker(seed, _COHORT, number, height, width, prevalence, variety, stamp=stamp)
    if studies is None:
        studies = int(maker.streams.get(0, Purpose.COUNT).choice([1, 2, 3, 4], p=[0.5, 0.25, 0.15, 0.1]))
    made: list[PhantomStudy] = []
    status = first_status(maker.streams, maker.prevalence, None)
    for position in range(1, studies + 1):
        if position > 1:
            status = next_status(maker.streams, maker.prevalence, status, position)
        made.append(maker.study(position, status))
    return tuple(made)


def phantom_cohort(
    seed: int,
    patients: int,
    *,
    first: int = 0,
    height: int = 512,
    width: int = 512,
    prevalence: Mapping[str, float] | None = None,
    variety: float = 0.5,
    stamp: bool = True,
) -> Iterator[PhantomStudy]:
    """The studies of patients first .. first + patients - 1, patient by patient, made one patient at a time.

    A larger cohort starts with the same patients as a smaller one of the same seed; ranges of numbers that do not
    overlap are disjoint patients, so ``first`` splits a cohort into training and held-out parts.

    Parameters
    ----------
    seed, height, width, prevalence, variety, stamp : as for patient().
    """
    for number in range(first, first + patients):
        yield from patient(
            seed,
            number,
            height=height,
            width=width,
            prevalence=prevalence,
            variety=variety,
            stamp=stamp,
        )


class _Maker:
    """Everything that is decided once per patient, and the making of single studies."""

    def __init__(
        self,
        seed: int,
        domain: int,
        number: int,
        height: int,
        width: int,
        prevalence: Mapping[str, float] | None,
        variety: float,
        *,
        stamp: bool,
    ) -> None:
        _check(seed, number, height, width, variety, prevalence)
        self.streams = Streams(seed, domain, number)
        self.prevalence = {**PREVALENCE, **(prevalence or {})}
        self._height, self._width, self._variety, self._stamp = height, width, variety, stamp
        self._patient_id = f"phantom-{seed:06d}" if domain == _SINGLE else f"phantom-{seed:03d}-{number:06d}"
        self._habitus = draw_habitus(self.streams.get(0, Purpose.BODY))
        lasting = draw_distractors(self.streams.get(0, Purpose.DEVICES))
        self._lasting = {name: side for name, side in lasting.items() if name in LASTING}

    def study(self, position: int, status: Status) -> PhantomStudy:
        """Film, report and truth of study 1, 2, ... of the patient."""
        pose = draw_pose(self.streams.get(position, Purpose.POSE))
        passing = draw_distractors(self.streams.get(position, Purpose.DEVICES))
        sides = {name: side for name, side in passing.items() if name not in LASTING} | self._lasting
        distractors = tuple((name, sides[name]) for name in DISTRACTORS if name in sides)
        pixels, masks, distractor_masks = self._film(position, pose, status.lesions, distractors)
        rng = self.streams.get(position, Purpose.REPORT)
        hedge = rng.random(len(FINDINGS))
        told = Told(
            lesions=status.lesions,
            # The fainter a finding, the more often its reader hesitates.
            uncertain=frozenset(
                lesion.name
                for lesion in status.lesions
                if hedge[FINDINGS.index(lesion.name)] < (0.25, 0.10, 0.02)[lesion.level]
            ),
            trends=status.trends,
            resolved=status.resolved,
            distractors=distractors,
            view=pose.view,
            female=self._habitus.female,
            pneumonia=has_pneumonia(status.lesions),
            follow_up=position > 1,
        )
        report, spans = write_report(told, rng, variety=self._variety)
        present = {lesion.name for lesion in status.lesions}
        return PhantomStudy(
            pixels=pixels,
            report=report,
            labels={name: float(name in present) for name in FINDINGS} | {"pneumonia": float(told.pneumonia)},
            findings=_truth(told, spans, masks, pixels.shape),
            distractors=tuple(name for name, _ in distractors),
            distractor_masks=distractor_masks,
            view=pose.view,
            study_id=f"{self._patient_id}-{position}",
            patient_id=self._patient_id,
        )

    def _film(
        self, position: int, pose: Pose, lesions: tuple[Lesion, ...], distractors: tuple[tuple[str, str], ...]
    ) -> tuple[FloatMap, dict[str, npt.NDArray[np.bool_]], dict[str, npt.NDArray[np.bool_]]]:
        """The film, the masks of its lesions and those of its distractors."""
        habitus, streams = self._habitus, self.streams
        canvas = Canvas(self._height, self._width, zoom=pose.zoom, rotation=pose.rotation, shift=pose.shift)
        ratio = habitus.heart_ratio
        for lesion in lesions:
            if lesion.name == "cardiomegaly":
                ratio = heart_ratio(ratio, lesion)
        chest = build_chest(canvas, habitus, pose, heart_ratio=ratio, seed=streams.seed_of(position, Purpose.TISSUE))
        trees = Strokes(canvas)
        draw_vessels(trees, habitus, pose)
        vessels = trees.render()
        masks = {lesion.name: apply_lesion(chest, vessels, lesion) for lesion in lesions}
        hard = Strokes(canvas)
        draw_skeleton(hard, habitus, pose, streams.get(0, Purpose.TISSUE))
        distractor_masks = {}
        for name, side in distractors:
            owner = 0 if name in LASTING else position
            alone = Strokes(canvas)
            # Two generators of one stream: the same distractor with the others, and alone for its mask.
            for strokes in (hard, alone):
                rng = streams.get(owner, Purpose.DEVICES, 1 + DISTRACTORS.index(name))
                draw_distractor(strokes, habitus, pose, name, side, rng)
            distractor_masks[name] = alone.render() > _VISIBLE
        chest.extra += hard.render()
        pixels = develop(chest, vessels, noise_seed=streams.seed_of(position, Purpose.NOISE))
        draw_marker(pixels, pose.marker)
        return (stamped(pixels) if self._stamp else pixels), masks, distractor_masks


def _truth(
    told: Told,
    spans: Mapping[str, list[tuple[int, int]]],
    masks: Mapping[str, npt.NDArray[np.bool_]],
    shape: tuple[int, ...],
) -> tuple[PhantomFinding, ...]:
    """One record per finding the report speaks of, in the order of FINDINGS."""
    present = {lesion.name: lesion for lesion in told.lesions}
    found = []
    for name, phrases in spans.items():
        lesion = present.get(name)
        found.append(
            PhantomFinding(
                name=name,
                side=lesion.side if lesion else "",
                zone=lesion.zone if lesion else "",
                severity=lesion.severity if lesion else "",
                mask=masks[name] if lesion else np.zeros(shape, np.bool_),
                phrases=tuple(phrases),
                present=lesion is not None,
                uncertain=name in told.uncertain,
            )
        )
    return tuple(found)


def _check(
    seed: int, number: int, height: int, width: int, variety: float, prevalence: Mapping[str, float] | None
) -> None:
    if height < 32 or width < 32:
        raise SourceError(
            f"a phantom film has at least 32 x 32 pixels, not {height} x {width}",
            code="E_SOURCE_SIZE",
            where="height, width",
        )
    if seed < 0 or number < 0:
        raise SourceError("seeds and numbers of phantoms are 0 or greater", code="E_SOURCE_KIND", where="seed, number")
    if not 0.0 <= variety <= 1.0:
        raise SourceError(f"the variety of reports lies in 0..1, not {variety}", code="E_SOURCE_KIND", where="variety")
    checked_findings(prevalence or ())
