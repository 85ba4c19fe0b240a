"""The batch kernel under the sanitizers, for a while; ``python -m fuzz.kernel`` does the same for longer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from fuzz import kernel

SECONDS = 15


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if kernel.compiler() is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("driver")
    trial = folder / "trial.c"
    trial.write_text('#include <sys/mman.h>\nint main(void) { return memfd_create("", 0) < 0; }\n')
    command = [str(kernel.compiler()), *kernel.FLAGS, str(trial), "-o", str(folder / "trial")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the C compiler has no sanitizers, or the system is no Linux")
    return kernel.build(folder)


def test_mutants_of_records_never_reach_foreign_memory(driver: Path) -> None:
    done = kernel.run(driver, seed=1, seconds=SECONDS)
    assert done.returncode == 0, done.stderr[-4000:]
    ends = json.loads(done.stdout)
    assert ends["executions"] > 1_000
    assert ends["nothing"] > 0.05 * ends["executions"], "too few mutants are accepted for the arrays to be written"
    assert sum(1 for n in ends.values() if n) > 15, ends


def test_an_execution_can_be_run_again_alone(driver: Path) -> None:
    first, again = (kernel.run(driver, seed=5, seconds=60, first=77, count=1) for _ in range(2))
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert json.loads(first.stdout)["executions"] == 1
