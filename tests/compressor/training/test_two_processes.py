"""Two processes of torchrun train one model on the CPU, as several GPUs would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path):
    words = ["phantom", "--patients", "6", "-o", tmp_path / "m", "--steps", "2", "--first-steps", "2"]
    quick = ["--validate-every", "1", "--batch-size", "2", "--workers", "1", "--precision", "float32", "--json"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    result = subprocess.run(
        [*command, "-m", "neuralgraph", "train", *map(str, [*words, *quick])],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert json.loads((tmp_path / "m" / "training.json").read_text())["verdict"]["after"]
    assert not (tmp_path / "m" / "checkpoints").exists()
    # One process speaks for both.
    assert json.loads(result.stdout)["steps"] in (1, 2)
