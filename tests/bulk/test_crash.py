"""Killed at random moments, then continued: the files are those of a run that nobody disturbed."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neuralgraph.bulk.destination import STATE

DRIVE = str(Path(__file__).with_name("drive.py"))


def start(bench, dest, pack):
    return subprocess.Popen([sys.executable, DRIVE, bench.source, dest, str(pack)], stdout=subprocess.PIPE)


def written(dest):
    """How many studies are finished, by the receipts."""
    receipts = dest / STATE / "receipts-1-of-1.jsonl"
    return receipts.read_bytes().count(b"\n") if receipts.exists() else 0


def kill_at_random(bench, pack, kills, seed):
    rng = random.Random(seed)
    killed = 0
    for _ in range(kills):
        process = start(bench, bench.dest, pack)
        before = written(bench.dest)
        wait = rng.randrange(0, 5)
        while process.poll() is None and written(bench.dest) < before + wait:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.02)
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
    return killed


@pytest.mark.parametrize(
    ("pack", "studies", "kills"),
    [
        (0, 100, 10),
        (5, 48, 4),
        pytest.param(0, 400, 50, marks=pytest.mark.slow),
        pytest.param(7, 400, 50, marks=pytest.mark.slow),
    ],
)
def test_killed_again_and_again(bench, tmp_path, pack, studies, kills):
    bench.fill(studies, "SLOW")
    undisturbed = bench.run(tmp_path / "undisturbed", pack=pack)
    assert undisturbed.converted == studies
    assert kill_at_random(bench, pack, kills, seed=studies + pack) >= kills - 1
    assert written(bench.dest) > 0
    last = start(bench, bench.dest, pack)
    counts, _ = last.communicate(timeout=300)
    converted, verified, failed, remaining = map(int, counts.split())
    assert last.returncode == 0
    assert (converted + verified, failed, remaining) == (studies, 0, 0)
    assert verified > 0
    assert bench.files() == bench.files(tmp_path / "undisturbed")
    assert (bench.dest / "studies.csv").read_bytes() == (tmp_path / "undisturbed" / "studies.csv").read_bytes()
    assert not list(bench.dest.rglob("*.part"))
    assert not list(bench.dest.rglob("*.partial"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop(bench, number):
    bench.fill(200, "SLOW")
    process = start(bench, bench.dest, 0)
    while written(bench.dest) < 3:
        time.sleep(0.005)
    process.send_signal(number)
    counts, _ = process.communicate(timeout=300)
    converted, _, failed, remaining = map(int, counts.split())
    assert process.returncode == 1
    assert converted == len(bench.files()) == written(bench.dest)
    assert (failed, remaining) == (0, 200 - converted)
    assert not list(bench.dest.rglob("*.partial"))


def resident(pid):
    """Kilobytes in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_memory_stays_flat(bench):
    import os

    bench.fill(3000)
    sizes = []

    def progress(**_):
        sizes.append([resident(pid) for pid in (os.getpid(), *children(os.getpid()))])

    bench.run(progress=progress)
    for early, late in zip(sizes[500], sizes[-1], strict=True):
        assert late - early < 8 * 1024
