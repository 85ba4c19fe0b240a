"""Builds the batch kernel with the package: with the compiler that is there, or with Zig's, or not at all.

The kernel (``neuralgraph/batches/kernel_source``) is optional: a package without it makes the same batches from Python,
more slowly, and ``ngr doctor`` says so. So nothing here fails an installation.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "neuralgraph/batches/_kernel.abi3.so"
"""Where the kernel goes: of the limited API of Python 3.11, so that every later version loads it."""
SOURCES = "neuralgraph/batches/kernel_source"
FLAGS = ("-std=gnu11", "-D_FILE_OFFSET_BITS=64", "-O3", "-ffp-contract=off", "-fvisibility=hidden", "-fPIC")
"""Sums are rounded as they are written, on every machine: no fused multiplication."""
SHARED = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)
ZIG = "ziglang>=0.13"
ZIG_MACHINES = {"linux": {"x86_64", "aarch64"}, "darwin": {"x86_64", "arm64"}}
"""For which machines there are wheels of Zig; on others asking for it would fail the installation."""
TRIAL = "#include <Python.h>\n#include <math.h>\nint trial(void) { return PY_VERSION_HEX > 0; }\n"


def compilers() -> list[list[str]]:
    """Commands that may be a C compiler: what ``CC`` says, or else the usual names."""
    named = shlex.split(os.environ.get("CC", ""))
    return [named] if named else [[path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]


def compiled(compiler: list[str], sources: list[Path], target: Path) -> str:
    """Compile a shared library; "" when that worked, otherwise why it did not."""
    include = sysconfig.get_path("include")
    command = [*compiler, *FLAGS, *SHARED, f"-I{include}", *map(str, sources), "-o", str(target), "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr[-2000:] or f"exit code {done.returncode}"


@cache
def working_compiler() -> tuple[str, ...]:
    """The first compiler that makes a module with the headers of this Python; empty when there is none."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder, "trial.c")
        trial.write_text(TRIAL)
        for compiler in compilers():
            if not compiled(compiler, [trial], Path(folder, "trial.so")):
                return tuple(compiler)
    return ()


class KernelHook(BuildHookInterface):  # type: ignore[misc]  # hatchling is there only while a package is built
    """Compiles the kernel before a wheel is made, also one for an editable installation."""

    def dependencies(self) -> list[str]:
        """Zig, a compiler in a wheel, where no other works."""
        has_wheel = platform.machine() in ZIG_MACHINES.get(sys.platform, ())
        return [] if working_compiler() or not has_wheel else [ZIG]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the wheel after what came of it."""
        target = Path(self.root, BUILT)
        target.unlink(missing_ok=True)
        reason = "not on Windows" if sys.platform == "win32" else self._compile(target)
        if reason:
            self.app.display_warning(f"neuralgraph is built without its kernel: {reason}")
            return
        build_data["artifacts"].append(BUILT)
        if version == "standard":
            build_data["pure_python"] = False
            system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"cp311-abi3-{system}"

    def _compile(self, target: Path) -> str:
        sources = sorted(Path(self.root, SOURCES).glob("*.c"))
        zig = [sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline"]
        reason = ""
        for compiler in ([*working_compiler()], zig):
            if compiler:
                with tempfile.TemporaryDirectory() as folder:
                    made = Path(folder, target.name)
                    reason = compiled(compiler, sources, made)
                    if not reason:
                        # Replaced, not overwritten: a process that has the old one loaded goes on with it.
                        shutil.copy(made, target.with_suffix(".new"))
                        target.with_suffix(".new").replace(target)
                        return ""
        return reason or "no compiler"
