"""One patient's build: the numbers that stay the same over all studies of that patient, and the pose of one film."""

from __future__ import annotations

import dataclasses

import numpy as np

__all__ = ["Habitus", "Pose", "draw_habitus", "draw_pose"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Habitus:
    """A patient's build in body units (see canvas.py); the reference adult is 1 unit = 18 cm."""

    female: bool
    """Breast shadows and a slightly narrower chest."""
    half_width: float
    """Inner half-width of the rib cage at its widest."""
    asymmetry: float
    """The right half-width is larger by this share, the left one smaller."""
    apex: float
    """y of the lung apices."""
    dome_right: float
    dome_left: float
    """y of the tops of the diaphragm domes."""
    angle: float
    """y of the costophrenic angles."""
    thickness: float
    """Front-to-back extent of the trunk, centimetres."""
    heart_ratio: float
    """Cardiothoracic ratio in health."""
    heart_tilt: float
    """Radians; small is a vertical heart."""
    knob: float
    """Radius of the aortic knob."""
    mediastinum: float
    """Half-width of the upper mediastinum."""
    rib_spacing: float
    rib_slope: float
    """How far a rib falls from spine to front, relative to its ring."""
    rib_half_width: float
    clavicle_rise: float
    """How far the outer end of the clavicle lies above the inner one."""
    breast: float
    """Extent of the breast shadow; 0 for none."""
    shoulder: float
    """y at which the shoulders leave the film."""
    waist: float
    """Half-width of the body outline at the lower border."""
    bronchovascular: float
    """Strength of the vessel markings."""
    bubble: float
    """Size of the gastric air bubble; 0 when not seen."""
    vessels_seed: int
    """Seed of the vessel tree, so that the lungs of one patient keep their pattern."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pose:
    """How one film was taken."""

    view: str
    """"PA" or "AP"."""
    zoom: float
    rotation: float
    """Radians."""
    shift: tuple[float, float]
    turn: float
    """Shift of the front structures against the spine by an obliquely standing patient, body units."""
    inspiration: float
    """Added to the diaphragm's y; negative is a shallow breath."""
    magnification: float
    """Of the heart, by its distance from the detector."""
    dark: float
    """Water equivalent shown black, centimetres."""
    light: float
    """Water equivalent shown white, centimetres."""
    gamma: float
    equalisation: float
    """Share of the large-scale contrast removed by the processing of the detector."""
    noise: float
    """Standard deviation of the quantum noise at the thinnest part, centimetres."""
    blur: float
    """Unsharpness, pixels of a 512-pixel film."""
    collimation: tuple[float, float, float, float]
    """Share of the film covered by the collimator at top, right, bottom, left."""
    marker: str
    """"L", "R" or "": the side marker beside the shoulder."""


def draw_habitus(rng: np.random.Generator) -> Habitus:
    """A patient's build, drawn from broad adult ranges."""
    female = bool(rng.random() < 0.5)
    half_width = float(np.clip(rng.normal(0.735, 0.035) - 0.03 * female, 0.63, 0.82))
    apex = float(rng.uniform(-0.76, -0.66))
    dome = float(np.clip(rng.normal(0.40, 0.06), 0.28, 0.52))
    return Habitus(
        female=female,
        half_width=half_width,
        asymmetry=float(rng.normal(0.0, 0.012)),
        apex=apex,
        dome_right=dome,
        dome_left=dome + float(rng.uniform(0.015, 0.075)),
        angle=dome + float(rng.uniform(0.24, 0.34)),
        thickness=float(np.clip(rng.normal(21.5, 2.0), 18.0, 27.0)),
        heart_ratio=float(np.clip(rng.normal(0.44, 0.025), 0.38, 0.485)),
        heart_tilt=float(rng.uniform(0.45, 0.85)),
        knob=float(rng.uniform(0.055, 0.085)),
        mediastinum=float(rng.uniform(0.125, 0.165)),
        rib_spacing=float(rng.uniform(0.112, 0.126)),
        rib_slope=float(rng.uniform(0.85, 1.15)),
        rib_half_width=float(rng.uniform(0.021, 0.027)),
        clavicle_rise=float(rng.uniform(0.0, 0.14)),
        breast=float(rng.uniform(0.25, 0.42)) if female else 0.0,
        shoulder=float(rng.uniform(-0.84, -0.70)),
        waist=float(rng.uniform(0.92, 1.2)),
        bronchovascular=float(rng.uniform(0.8, 1.25)),
        bubble=float(rng.uniform(0.09, 0.17)) if rng.random() < 0.75 else 0.0,
        vessels_seed=int(rng.integers(0, 2**32)),
    )


def draw_pose(rng: np.random.Generator) -> Pose:
    """How a film is taken: most stand (PA), some lie (AP: larger heart, shallow breath, softer picture)."""
    portable = bool(rng.random() < 0.3)
    dark = float(rng.uniform(3.0, 6.0))
    borders = rng.uniform(0.0, 0.05, 4) * (rng.random(4) < 0.15)
    return Pose(
        view="AP" if portable else "PA",
        zoom=float(rng.uniform(0.95, 1.08)),
        rotation=float(np.clip(rng.normal(0.0, 0.022), -0.06, 0.06)),
        shift=(float(rng.normal(0.0, 0.03)), float(rng.normal(0.0, 0.03))),
        turn=float(np.clip(rng.normal(0.0, 0.016), -0.04, 0.04)),
        inspiration=float(rng.normal(0.0, 0.025)) - (0.06 if portable else 0.0),
        magnification=float(rng.uniform(1.03, 1.08)) if portable else 1.0,
        dark=dark,
        light=float(rng.uniform(23.5, 27.5)),
        gamma=float(rng.uniform(0.9, 1.15)),
        equalisation=float(rng.uniform(0.1, 0.35)),
        noise=float(rng.uniform(0.06, 0.18)),
        blur=float(rng.uniform(0.45, 0.9)) + (0.15 if portable else 0.0),
        collimation=(float(borders[0]), float(borders[1]), float(borders[2]), float(borders[3])),
        marker=str(rng.choice(["L", "R", "L", ""])),
    )
