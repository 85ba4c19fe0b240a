from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import COMMANDS, MEASUREMENTS, main

BENCH = Path(__file__).parents[2] / "bench"


def test_commands_have_names(capsys):
    assert main([]) == 2
    assert main(["nothing"]) == 2
    said = capsys.readouterr().err
    assert all(name in said for name in (*COMMANDS, *MEASUREMENTS))


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_measurement_is_a_program_that_wrote_its_results(name):
    assert (BENCH / "results" / f"{name}.json").is_file()
    module = BENCH / name / "__main__.py" if (BENCH / name).is_dir() else BENCH / f"{name}.py"
    assert '__name__ == "__main__"' in module.read_text(encoding="utf-8")


def test_options_reach_the_measurement():
    command = [sys.executable, "-m", "bench", "archives", "--help"]
    done = subprocess.run(command, cwd=BENCH.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: python -m bench archives")
    assert "--studies" in done.stdout
