"""The build hook: the kernel is compiled where that is possible, and never keeps a package from being installed."""

from __future__ import annotations

import importlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the hook, with as much of hatchling as it needs."""
    interface = ModuleType("hatchling.builders.hooks.plugin.interface")
    interface.BuildHookInterface = object
    for name in ("hatchling", "hatchling.builders", "hatchling.builders.hooks", "hatchling.builders.hooks.plugin"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    monkeypatch.delitem(sys.modules, "hatch_build", raising=False)
    monkeypatch.delenv("CC", raising=False)
    return importlib.import_module("hatch_build")


def built(hook: Any, root: Path, version: str) -> tuple[dict[str, Any], list[str]]:
    """What a build of the sources in ``root`` is told, and what it warns of."""
    target, warnings = hook.KernelHook.__new__(hook.KernelHook), []
    target.root, target.app = str(root), SimpleNamespace(display_warning=warnings.append)
    data: dict[str, Any] = {"artifacts": []}
    target.initialize(version, data)
    return data, warnings


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = "neuralgraph/batches/kernel_source"
    shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize("version", ["standard", "editable"])
def test_the_compiler_that_is_there_is_taken(hook: Any, sources: Path, version: str) -> None:
    if not hook.working_compiler():
        pytest.skip("the headers of Python are not installed")
    assert hook.KernelHook.__new__(hook.KernelHook).dependencies() == []
    data, warnings = built(hook, sources, version)
    assert (data["artifacts"], warnings) == ([hook.BUILT], [])
    if version == "standard":
        assert data["tag"].startswith("cp311-abi3-")
        assert data["pure_python"] is False
    else:
        assert "tag" not in data
    code, folder = "import _kernel; print(_kernel.CHECKSUM)", (sources / hook.BUILT).parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout.strip()


def test_without_a_compiler_one_is_asked_for_and_without_that_nothing_is_built(
    hook: Any, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sources / hook.BUILT).write_bytes(b"of an earlier version")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(hook.sys, "executable", "/nowhere/python")
    target = hook.KernelHook.__new__(hook.KernelHook)
    known = platform.machine() in hook.ZIG_MACHINES.get(sys.platform, ())
    assert target.dependencies() == ([hook.ZIG] if known else [])
    monkeypatch.setattr(hook.platform, "machine", lambda: "s390x")
    assert target.dependencies() == []
    data, (warning,) = built(hook, sources, "standard")
    assert data == {"artifacts": []}
    assert "without its kernel" in warning
    assert not (sources / hook.BUILT).exists()


def test_the_compiler_that_is_named_is_the_only_one(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "ccache no-such-compiler -m64")
    assert hook.compilers() == [["ccache", "no-such-compiler", "-m64"]]
    assert hook.working_compiler() == ()
