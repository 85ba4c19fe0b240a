"""What all tests share: a fixture that makes studies, and one Hypothesis profile that gives the same examples each run.

Set ``HYPOTHESIS_PROFILE=explore`` to look for new ones.
"""

from __future__ import annotations

import os

import pytest
from builders import build_study, hand_made_study
from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite", deadline=None, max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(scope="session")
def make_study():
    """``build_study``: a small study, the same for the same arguments."""
    return build_study


@pytest.fixture(scope="session")
def hand_made():
    """``hand_made_study``: the study whose every byte is computed by hand."""
    return hand_made_study
