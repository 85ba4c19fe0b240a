"""Findings: what they do to the chest, and the mask of the pixels they occupy.

Zones are thirds of the lung between apex and diaphragm, as on a frontal film: "upper", "mid", "lower". Lobes are
named in reports the way a reader would guess them from the zone: right upper / middle / lower lobe, left upper lobe,
lingula, left lower lobe.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from neuralgraph.errors import SourceError
from neuralgraph.phantoms.anatomy import Chest, Lung, lung_outline, outer_border
from neuralgraph.phantoms.canvas import FloatMap, Strokes, smooth_noise, smooth_step

__all__ = ["FINDINGS", "SEVERITIES", "Lesion", "apply_lesion", "checked_findings", "draw_lesion", "heart_ratio"]

FINDINGS: tuple[str, ...] = (
    "opacity",
    "consolidation",
    "pleural effusion",
    "nodule",
    "cardiomegaly",
    "pneumothorax",
    "atelectasis",
)
"""Names of all findings, in the order they are drawn and listed."""

SEVERITIES: tuple[str, ...] = ("mild", "moderate", "severe")

_Mask = npt.NDArray[np.bool_]

_DESCENT = {"upper": (0.20, 0.30), "mid": (0.44, 0.56), "lower": (0.74, 0.86)}
"""Where in its zone the centre of a lesion may lie (see Lung.descent)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lesion:
    """One finding as placed in a patient; lung fractions, so that it stays in place whatever the pose."""

    name: str
    side: str
    """The patient's "right" or "left", "bilateral", or "" for the heart."""
    zone: str
    """"upper", "mid", "lower", or "" for the heart."""
    severity: str
    """One of SEVERITIES."""
    lateral: float
    descent: float
    """Centre, see Lung.lateral and Lung.descent."""
    size: float
    """Relative to the usual size at this severity, about 0.85 to 1.2."""
    seed: int
    """Of the lesion's texture."""

    @property
    def level(self) -> int:
        """0, 1 or 2: the place of the severity in SEVERITIES."""
        return SEVERITIES.index(self.severity)


def checked_findings(names: Iterable[str]) -> tuple[str, ...]:
    """`names` as a tuple in the order of FINDINGS, each once.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : a name that is not in FINDINGS.
    """
    # A bare string is one name that was not put into a list, not a list of letters.
    wanted = {names} if isinstance(names, str) else set(names)
    unknown = sorted(wanted.difference(FINDINGS))
    if unknown:
        raise SourceError(
            f"the phantom does not know the finding {unknown[0]!r}; it knows: {', '.join(FINDINGS)}",
            code="E_SOURCE_KIND",
            where="findings",
        )
    return tuple(name for name in FINDINGS if name in wanted)


def draw_lesion(name: str, rng: np.random.Generator) -> Lesion:
    """Place a finding: side, zone, severity and centre, as often as they are met together in practice."""
    side = str(rng.choice(["right", "left"]))
    both = rng.random()
    zone = str(rng.choice(["upper", "mid", "lower"], p=[0.25, 0.30, 0.45]))
    severity = str(rng.choice(SEVERITIES, p=[0.3, 0.42, 0.28]))
    lateral, share = float(rng.uniform(0.36, 0.68)), float(rng.random())
    size, seed = float(rng.uniform(0.85, 1.2)), int(rng.integers(0, 2**32))
    if name == "cardiomegaly":
        side = zone = ""
    elif name == "pleural effusion":
        side, zone = ("bilateral" if both < 0.25 else side), "lower"
    elif name == "opacity":
        side = "bilateral" if both < 0.18 else side
    elif name == "pneumothorax":
        zone = "upper"
    elif name == "atelectasis":
        zone = "mid" if zone == "upper" else "lower"
    if zone == "lower" and side in ("left", "bilateral"):
        # Further out, so that the lesion is not lost behind the heart.
        lateral = 0.52 + 0.5 * (lateral - 0.36)
    low, high = _DESCENT[zone] if zone else (0.5, 0.5)
    return Lesion(
        name=name,
        side=side,
        zone=zone,
        severity=severity,
        lateral=lateral,
        descent=low + share * (high - low),
        size=size,
        seed=seed,
    )


def heart_ratio(healthy: float, lesion: Lesion) -> float:
    """Cardiothoracic ratio of an enlarged heart; above 0.5 at every severity."""
    return max(healthy + 0.04, (0.555, 0.61, 0.67)[lesion.level] + 0.02 * (lesion.size - 1.0))


def apply_lesion(chest: Chest, vessels: FloatMap, lesion: Lesion) -> _Mask:
    """Change `chest` and `vessels` in place and return the finding's mask.

    The mask is a boolean map [height, width]: the pixels of the film the finding occupies, inside the projected lung
    (or the heart's outline). Cardiomegaly is drawn by build_chest(heart_ratio=...); here it only gets its mask.

    Parameters
    ----------
    vessels : float32 [height, width], centimetres; thinned where a lesion hides or displaces them.
    """
    if lesion.name == "cardiomegaly":
        return chest.silhouette.copy()
    mask = np.zeros(chest.body.shape, np.bool_)
    sides = ("right", "left") if lesion.side == "bilateral" else (lesion.side,)
    for number, side in enumerate(sides):
        lung = chest.lung(side)
        rng = np.random.default_rng([lesion.seed, number])
        if lesion.name == "opacity":
            mask |= _opacity(chest, vessels, lung, lesion, rng)
        elif lesion.name == "consolidation":
            mask |= _consolidation(chest, vessels, lung, lesion, rng)
        elif lesion.name == "pleural effusion":
            mask |= _effusion(chest, vessels, lung, lesion)
        elif lesion.name == "nodule":
            mask |= _nodule(chest, lung, lesion, rng)
        elif lesion.name == "pneumothorax":
            mask |= _pneumothorax(chest, vessels, lung, lesion)
        else:
            mask |= _atelectasis(chest, lung, lesion, rng)
    return mask


def _centre(chest: Chest, lung: Lung, lesion: Lesion) -> tuple[float, float]:
    return lung_outline(chest.habitus, chest.pose, lung.sign, lesion.lateral, lesion.descent)


def _cloud(
    chest: Chest, lung: Lung, lesion: Lesion, rng: np.random.Generator, radius: float, ragged: float
) -> FloatMap:
    """A ragged patch around the lesion's centre: 1 inside, fading to 0, only within the lung."""
    canvas = chest.canvas
    x, y = _centre(chest, lung, lesion)
    stretch, turn = float(rng.uniform(0.8, 1.3)), float(rng.uniform(0.0, np.pi))
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    dx, dy = canvas.x - np.float32(x), canvas.y - np.float32(y)
    u, v = (dx * cos + dy * sin) * np.float32(stretch / radius), (dy * cos - dx * sin) / np.float32(stretch * radius)
    distance = np.sqrt(u * u + v * v)
    rim = distance + np.float32(ragged) * smooth_noise(rng, canvas, radius * 0.9, octaves=3)
    return smooth_step((np.float32(1.35) - rim) / np.float32(0.85)) * (distance < np.float32(1.8)) * lung.field


def _fill(vessels: FloatMap, lung: Lung, share: FloatMap) -> None:
    """Replace a share of the lung's air by fluid; vessels inside lose their contrast."""
    lung.air *= 1 - share
    vessels *= 1 - np.minimum(share * np.float32(1.05), 1)


def _opacity(chest: Chest, vessels: FloatMap, lung: Lung, lesion: Lesion, rng: np.random.Generator) -> _Mask:
    radius = (0.13, 0.17, 0.21)[lesion.level] * lesion.size
    cloud = _cloud(chest, lung, lesion, rng, radius, 0.22)
    grain = np.clip(1 + np.float32(0.28) * smooth_noise(rng, chest.canvas, 0.07, octaves=2), 0.3, 1.6)
    _fill(vessels, lung, cloud * grain * np.float32((0.27, 0.36, 0.46)[lesion.level]))
    return cloud > np.float32(0.35)


def _consolidation(chest: Chest, vessels: FloatMap, lung: Lung, lesion: Lesion, rng: np.random.Generator) -> _Mask:
    radius = (0.16, 0.21, 0.28)[lesion.level] * lesion.size
    cloud = _cloud(chest, lung, lesion, rng, radius, 0.16)
    # A lobe ends at its fissure: sharp lower border in the upper zone, sharp upper border in the lower one.
    slope = np.float32(0.10 * lung.sign)
    line = lung.descent + slope * lung.lateral
    if lesion.zone == "upper":
        cloud *= smooth_step((np.float32(0.40) - line) / np.float32(0.02) + np.float32(0.5))
    elif lesion.zone == "lower":
        cloud *= smooth_step((line - np.float32(0.60)) / np.float32(0.02) + np.float32(0.5))
    grain = np.clip(1 + np.float32(0.12) * smooth_noise(rng, chest.canvas, 0.09, octaves=2), 0.5, 1.3)
    bronchi = np.minimum(vessels * np.float32(0.35), np.float32(0.9)) * cloud
    _fill(vessels, lung, cloud * grain * np.float32((0.50, 0.60, 0.70)[lesion.level]))
    # Air bronchograms: the airways run along the vessels and stay open.
    chest.extra -= bronchi
    return cloud > np.float32(0.35)


def _effusion(chest: Chest, vessels: FloatMap, lung: Lung, lesion: Lesion) -> _Mask:
    canvas = chest.canvas
    top = lung_outline(chest.habitus, chest.pose, lung.sign, 0.97, 1.0)[1]
    height = (0.27, 0.44, 0.68)[lesion.level] * lesion.size
    lateral = np.clip(lung.lateral, 0, 1.05)
    # The meniscus: high at the chest wall, lowest over the inner third.
    level: FloatMap = np.float32(top) - np.float32(height) * (np.float32(0.42) + np.float32(0.58) * lateral**3)
    depth = smooth_step((canvas.y - level) / np.float32(0.11) + np.float32(0.3))
    share = depth * np.float32(0.93)
    # Fluid fills the recess behind the dome too, so the diaphragm disappears; the mask ends where the lung did.
    lung.air *= 1 - share
    vessels *= 1 - share * (lung.lateral > 0) * (lung.lateral < 1.1)
    chest.extra += np.float32(1.2) * share * lung.field
    return lung.field & (depth > np.float32(0.4))


def _nodule(chest: Chest, lung: Lung, lesion: Lesion, rng: np.random.Generator) -> _Mask:
    canvas = chest.canvas
    x, y = _centre(chest, lung, lesion)
    radius = (0.036, 0.050, 0.068)[lesion.level] * lesion.size
    rows, columns = canvas.window(x, y, 1.6 * radius)
    dx, dy = canvas.x[rows, columns] - np.float32(x), canvas.y[rows, columns] - np.float32(y)
    angle = np.arctan2(dy, dx)
    lobes, phase = int(rng.integers(3, 6)), float(rng.uniform(0, 2 * np.pi))
    border = np.float32(radius) * (1 + np.float32(0.09) * np.sin(lobes * angle + np.float32(phase)))
    rest = np.maximum(1 - (dx * dx + dy * dy) / (border * border), 0)
    chest.extra[rows, columns] += np.float32((3.7, 4.0, 4.3)[lesion.level]) * np.sqrt(rest)
    mask = np.zeros(chest.body.shape, np.bool_)
    mask[rows, columns] = rest > 0
    return mask


def _pneumothorax(chest: Chest, vessels: FloatMap, lung: Lung, lesion: Lesion) -> _Mask:
    canvas, habitus = chest.canvas, chest.habitus
    gap = (0.085, 0.13, 0.19)[lesion.level] * lesion.size
    fall = 1.5 * gap

    def edge(y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        shrunk = outer_border(habitus, lung.sign, y - fall * np.clip((0.25 - y) / 0.9, 0.0, 1.0))
        return shrunk - gap * np.clip((0.42 - y) / 0.75, 0.0, 1.0)

    border = canvas.along_y(edge)
    outward = canvas.x * np.float32(lung.sign)
    slope = canvas.along_y(lambda y: np.sqrt(1.0 + np.gradient(edge(y), y) ** 2))
    beyond = (outward - border) / slope
    empty = smooth_step(beyond / np.float32(0.012) + np.float32(0.5)) * lung.field
    vessels *= 1 - empty
    # No tissue at all beyond the lung's edge; the lung itself, partly collapsed, is a little denser.
    lung.air *= 1 + np.float32(0.16) * empty - np.float32(0.10 + 0.05 * lesion.level) * (1 - empty)
    line = np.exp(-((beyond / np.float32(max(0.006, 0.7 / canvas.unit))) ** 2)) * lung.field
    chest.extra += np.float32(1.7) * line * (lung.descent < 0.75)
    return lung.field & (beyond > 0) & (lung.descent < np.float32(0.8))


def _atelectasis(chest: Chest, lung: Lung, lesion: Lesion, rng: np.random.Generator) -> _Mask:
    canvas = chest.canvas
    x, y = _centre(chest, lung, lesion)
    length = (0.26, 0.32, 0.38)[lesion.level] * lesion.size
    tilt, bow = float(rng.uniform(-0.35, 0.35)), float(rng.uniform(-0.03, 0.03))
    at = np.linspace(-1.0, 1.0, 40)
    band_x = x + 0.5 * length * at * np.cos(tilt)
    band_y = y + 0.5 * length * at * np.sin(tilt) + bow * at**2
    half = (0.015, 0.020, 0.027)[lesion.level] * lesion.size * np.sqrt(1.0 - 0.9 * at**2)
    strokes = Strokes(canvas)
    strokes.band(band_x, band_y, half, (3.4, 4.0, 4.6)[lesion.level], lambda across: np.sqrt(1.0 - across**2))
    drawn = strokes.render() * lung.field
    chest.extra += drawn
    return drawn > np.float32(0.8)
