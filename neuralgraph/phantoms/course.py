"""A patient's findings over time: what is there at the first study, what heals, grows or comes later."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from neuralgraph.phantoms.findings import FINDINGS, SEVERITIES, Lesion, draw_lesion
from neuralgraph.phantoms.streams import Purpose, Streams

__all__ = ["PREVALENCE", "Status", "first_status", "has_pneumonia", "next_status"]

PREVALENCE: dict[str, float] = {
    "opacity": 0.18,
    "consolidation": 0.18,
    "pleural effusion": 0.20,
    "nodule": 0.13,
    "cardiomegaly": 0.18,
    "pneumothorax": 0.10,
    "atelectasis": 0.12,
}
"""Chance of each finding in a first study; about three films in ten show none."""

_LASTING = ("cardiomegaly", "nodule")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Status:
    """A patient's findings at one study."""

    lesions: tuple[Lesion, ...]
    """In the order of FINDINGS."""
    trends: Mapping[str, str]
    """Finding name to "new", "increased", "decreased" or "unchanged"; empty at the first study."""
    resolved: tuple[Lesion, ...]
    """What the previous study showed and this one does not."""


def has_pneumonia(lesions: tuple[Lesion, ...]) -> bool:
    """The rule of the label: a consolidation, or an opacity that is moderate or severe."""
    return any(x.name == "consolidation" or (x.name == "opacity" and x.level > 0) for x in lesions)


def first_status(streams: Streams, prevalence: Mapping[str, float], wanted: tuple[str, ...] | None) -> Status:
    """The findings at the first study; `wanted` (names in the order of FINDINGS) overrides chance."""
    chance = streams.get(1, Purpose.DISEASE).random(len(FINDINGS))
    if wanted is None:
        wanted = tuple(name for name, drawn in zip(FINDINGS, chance, strict=True) if drawn < prevalence[name])
    return Status(lesions=_placed(streams, wanted, 1, ()), trends={}, resolved=())


def next_status(streams: Streams, prevalence: Mapping[str, float], before: Status, position: int) -> Status:
    """The findings at study `position` (2, 3, ...): acute ones mostly heal, lasting ones stay, new ones come."""
    rng = streams.get(position, Purpose.DISEASE)
    chance, fate = rng.random(len(FINDINGS)), rng.random(len(FINDINGS))
    old = {lesion.name: lesion for lesion in before.lesions}
    kept: list[Lesion] = []
    trends: dict[str, str] = {}
    resolved: list[Lesion] = []
    new: list[str] = []
    for index, name in enumerate(FINDINGS):
        if name not in old:
            if chance[index] < 0.7 * prevalence[name]:
                new.append(name)
                trends[name] = "new"
            continue
        step = 0 if name in _LASTING else _step(float(fate[index]))
        if step is None:
            resolved.append(old[name])
            continue
        level = min(2, max(0, old[name].level + step))
        change = level - old[name].level
        trends[name] = "increased" if change > 0 else "decreased" if change < 0 else "unchanged"
        kept.append(dataclasses.replace(old[name], severity=SEVERITIES[level]))
    lesions = (*kept, *_placed(streams, tuple(new), position, tuple(kept)))
    ordered = tuple(sorted(lesions, key=lambda lesion: FINDINGS.index(lesion.name)))
    return Status(lesions=ordered, trends=trends, resolved=tuple(resolved))


def _step(fate: float) -> int | None:
    """Change of severity until the next study; None is healed."""
    if fate < 0.4:
        return None
    return -1 if fate < 0.65 else 0 if fate < 0.85 else 1


def _placed(streams: Streams, names: tuple[str, ...], position: int, others: tuple[Lesion, ...]) -> tuple[Lesion, ...]:
    """Lesions for `names` that do not hide each other or `others`."""
    placed: list[Lesion] = []
    for name in names:
        rng = streams.get(position, Purpose.ONSET, FINDINGS.index(name))
        lesion = draw_lesion(name, rng)
        # A place already taken is drawn again; after some tries, overlap is accepted as it is in patients.
        for _ in range(12):
            if not any(_collide(lesion, other) for other in (*others, *placed)):
                break
            lesion = draw_lesion(name, rng)
        placed.append(lesion)
    return tuple(placed)


def _collide(a: Lesion, b: Lesion) -> bool:
    """Two lesions of one lung that would hide each other."""
    if "" in (a.side, b.side) or (a.side != b.side and "bilateral" not in (a.side, b.side)):
        return False
    return a.zone == b.zone or {a.name, b.name} == {"pneumothorax", "pleural effusion"}
