"""Labels as a training target: one row of values and one of what may be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError

__all__ = ["UNCERTAIN", "check_targets", "target_row"]

UNCERTAIN: tuple[str, ...] = ("mask", "zeros", "ones", "keep")
"""What to do with a label of -1: leave it out of the mask, call it absent, call it present, or keep the -1.

The policies of the CheXpert paper (Irvin et al. 2019, section 3): U-Ignore, U-Zeros, U-Ones and, for three classes, -1.
"""

_UNCERTAIN_VALUE = -1.0


def check_targets(names: Sequence[str], uncertain: str) -> None:
    """Refuse names and policies that cannot be meant.

    Raises
    ------
    StudyError (E_IDX) : ``uncertain`` is not one of ``UNCERTAIN``.
    StudyError (E_DUP) : a name is asked for twice.
    StudyError (E_STUDY) : ``names`` is one text instead of several.
    """
    if uncertain not in UNCERTAIN:
        known = ", ".join(UNCERTAIN)
        raise StudyError(
            f"{uncertain!r} is not an uncertain policy; use one of {known}", code="E_IDX", where="uncertain"
        )
    if isinstance(names, str):
        raise StudyError(f"labels must be a list of names; write [{names!r}]", code="E_STUDY", where="labels")
    if len(set(names)) != len(names):
        raise StudyError("a label is asked for twice", code="E_DUP", where="labels")


def target_row(
    labels: Mapping[str, float], names: Sequence[str], *, uncertain: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values of ``names`` and whether each is known.

    Parameters
    ----------
    labels : labels of a study: 1 present, 0 absent, -1 uncertain; a name that is not in the map was not mentioned.
    names : the labels wanted, in the order wanted.
    uncertain : one of ``UNCERTAIN``.

    Returns
    -------
    values : float32 [len(names)]; 0 where the mask is false, so that no sum over it turns into NaN.
    mask : bool [len(names)]; false for a label not mentioned, and with "mask" for an uncertain one.

    Raises
    ------
    StudyError (E_IDX, E_DUP, E_STUDY) : see ``check_targets``.
    """
    check_targets(names, uncertain)
    mask = np.array([name in labels for name in names], np.bool_)
    values = np.array([labels.get(name, 0.0) for name in names], np.float32)
    doubtful = mask & (values == _UNCERTAIN_VALUE)
    if uncertain == "mask":
        mask &= ~doubtful
    if uncertain != "keep":
        values[doubtful] = 1.0 if uncertain == "ones" else 0.0
    return values, mask
