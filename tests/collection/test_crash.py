"""Killed at random moments: what is there is the state before the change or the state after it, whole."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.collection import Collection, vacuum, verify
from neuralgraph.collection.checking import stray_files

DRIVE = str(Path(__file__).with_name("drive.py"))


def killed_at_random(place, spool, seed, chance):
    """The states that may be there: the last one that was finished, or the one that was begun."""
    process = subprocess.Popen(
        [sys.executable, DRIVE, str(place), str(spool), str(seed)], stdout=subprocess.PIPE, text=True
    )
    lines, wanted = [process.stdout.readline()], chance.randrange(3)
    while lines.count("DONE\n") < wanted:
        lines.append(process.stdout.readline())
    time.sleep(chance.random() * 0.1)
    process.kill()
    lines += process.stdout.readlines()
    process.communicate()
    assert process.returncode == -signal.SIGKILL, lines
    finished, begun = None, None
    for line in lines:
        if line.startswith("BEGIN ") and line.endswith("\n"):
            begun = json.loads(line.removeprefix("BEGIN "))
        elif line == "DONE\n":
            finished = begun
    return finished, begun


@pytest.mark.parametrize("kills", [6, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_again_and_again(tmp_path, kills):
    spool = tmp_path / "spool"
    spool.mkdir()
    for number in range(40):
        studies = [build_study(seed=3 * number + k, patches=3, dim=4) for k in range(3)]
        ng.save(studies, spool / f"{number}.ngr")
    place = tmp_path / "collection"
    collection = Collection.create(place, archive_studies=8)
    before: list[str] = []
    chance, changed = random.Random(kills), 0
    for seed in range(kills):
        finished, begun = killed_at_random(place, spool, seed, chance)
        now = sorted(study_id for _, _, ids in collection.ids() for study_id in ids)
        assert now in (before if finished is None else finished, begun)
        assert list(verify(collection)) == []
        changed += now != before
        before = now
    assert changed > kills // 4
    vacuum(collection, older_than=0)
    assert stray_files(collection, collection.head()) == []
    assert not list(place.rglob("*.partial"))
    assert list(verify(collection)) == []
