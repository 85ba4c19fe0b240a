"""What all tests share: a fixture that makes studies, and one Hypothesis profile that gives the same examples each run.

Set ``HYPOTHESIS_PROFILE=explore`` to look for new ones. ``NGR_MUST_RUN`` is a regular expression of reasons for which
no test may be skipped: whoever has installed what the tests need learns of those that did not run all the same.
"""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before numpy and torch are imported: each process has its processor, and twice as many threads get in their way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from browsers import started_browser
from builders import build_study, hand_made_study

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


@pytest.fixture(scope="module")
def browser():
    """A browser without a screen."""
    with started_browser() as started:
        yield started


def pytest_xdist_auto_num_workers(config):
    """A process for every processor, up to eight, where folders are run; files that are named run in this one."""
    if any(".py" in argument for argument in config.args):
        return 0
    return min(8, os.cpu_count() or 1)


def pytest_sessionfinish(session):
    """Fail where a test was skipped for a reason that ``NGR_MUST_RUN`` names."""
    must_run, reporter = os.environ.get("NGR_MUST_RUN"), session.config.pluginmanager.get_plugin("terminalreporter")
    if not must_run or reporter is None:
        return
    reasons = [str(report.longrepr[2]) for report in reporter.stats.get("skipped", [])]
    if wrong := sorted({reason for reason in reasons if re.search(must_run, reason, re.IGNORECASE)}):
        reporter.write_line(f"skipped, though installed for: {'; '.join(wrong)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
