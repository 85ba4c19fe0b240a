"""Every code block of the documentation and the README runs, or says why not.

The blocks of a page run one after another in a folder of synthetic films, reports and studies; Python blocks of a page
share their names. A block that does not run is marked with a comment above it, ``<!-- not run: the reason -->``; one
that ends with another exit code says so after its language: ``sh exit=1``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "docs" / "measurements"
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if GENERATED not in p.parents)]
BLOCK = re.compile(r"(?:<!-- not run: (?P<reason>[^>]+?) -->\n)?```(?P<head>[^\n]*)\n(?P<code>.*?)```", re.DOTALL)

# What the README runs that cannot run here, line by line: begin of the line and why.
NOT_HERE = {
    "python3 -m venv": "installs the package, which the tests run in",
    "ngr convert mimic-cxr-jpg/": "needs MIMIC-CXR, which nobody may pass on",
    "ngr migrate graphs.pt": "needs a file of the published code",
    "ngr view": "serves until interrupted; its own tests open it in a browser",
}
# The README shows that these say something is wrong.
EXIT_CODES = {"ngr recover damaged.ngr": 1}


# What a page makes itself though others begin with it.
MADE_THERE = {"README.md": ("film.ngr", "archive.ngr")}


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    exit_code: int
    code: str
    reason: str | None


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        language, *options = match["head"].split() or [""]
        codes = [int(option.removeprefix("exit=")) for option in options if option.startswith("exit=")]
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(Block(page, line, language, codes[0] if codes else 0, match["code"], match["reason"]))
    return found


def test_every_block_is_in_a_language_that_runs():
    for page in PAGES:
        for block in blocks(page):
            assert block.language in ("sh", "python") or block.reason, f"{page}:{block.line}"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Synthetic inputs under the names that the documents use."""
    pytest.importorskip("PIL", reason="the documents begin with films: extra vlm")
    from PIL import Image

    from neuralgraph.phantoms import phantom

    folder = tmp_path_factory.mktemp("workspace")
    for place in ("films", "studies", "archive", "bin", "spec", "examples"):
        (folder / place).mkdir()
    for seed in range(2):
        made = phantom(seed, height=384, width=384)
        pixels = np.rint(made.pixels * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "films" / f"{seed}.png")
        (folder / "films" / f"{seed}.txt").write_text(made.report, encoding="utf-8")
    shutil.copy(folder / "films" / "0.png", folder / "film.png")
    shutil.copy(folder / "films" / "0.txt", folder / "film.txt")
    write_dicom(folder / "film.dcm", pixels)
    studies = [build_study(seed=i, rows=12, cols=12, patches=9, dim=32, study_id=f"study-{i}") for i in range(6)]
    for study in studies:
        ng.save(study, folder / "studies" / f"{study.study_id}.ngr")
        ng.save(study, folder / "archive" / f"{study.study_id}.ngr")
    ng.save(studies, folder / "archive.ngr")
    ng.save(studies[0], folder / "film.ngr")
    ng.save(studies[1], folder / "before.ngr")
    ng.save(studies[1], folder / "after.ngr", embedding="float32")
    damaged = bytearray((folder / "archive.ngr").read_bytes())
    damaged[32 + int.from_bytes(damaged[40:44], "little") - 40] ^= 255
    (folder / "damaged.ngr").write_bytes(damaged)
    shutil.copytree(ROOT / "spec" / "vectors", folder / "spec" / "vectors")
    shutil.copy(ROOT / "examples" / "trusting_reader.py", folder / "examples")
    for name, started in (("ngr", " -m neuralgraph"), ("python", "")):
        command = folder / "bin" / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}"{started} "$@"\n')
        command.chmod(0o755)
    return folder


def write_dicom(path, pixels):
    """A film of 8 bits, MONOCHROME2, as plain DICOM."""
    pydicom = pytest.importorskip("pydicom", reason="the README begins with DICOM: extra dicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=["documents"])
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.ViewPosition = "DX", "PA"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path, enforce_file_format=True)


def lines_of(block: Block) -> list[tuple[str, int]]:
    """Commands of a shell block that run here, with their exit codes."""
    lines = [line.split("  #")[0].strip() for line in block.code.splitlines()]
    wanted = []
    for line in filter(None, lines):
        if block.page.name == "README.md" and any(line.startswith(begin) for begin in NOT_HERE):
            continue
        expected = next((code for begin, code in EXIT_CODES.items() if line.startswith(begin)), block.exit_code)
        wanted.append((line, expected))
    return wanted


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_blocks_run(page, workspace, tmp_path, monkeypatch):
    for extra in ("torch", "torch_geometric", "matplotlib"):
        pytest.importorskip(extra, reason="the documents show everything: extra all")
    here = tmp_path / "here"
    shutil.copytree(workspace, here)
    monkeypatch.chdir(here)
    for name in MADE_THERE.get(page.name, ()):
        (here / name).unlink()
    monkeypatch.setenv("PATH", f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    names: dict[str, object] = {}
    for block in blocks(page):
        if block.reason is not None:
            continue
        if block.language == "python":
            exec(compile(block.code, f"{page.name}:{block.line}", "exec"), names)
            continue
        for line, expected in lines_of(block):
            run = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
            assert run.returncode == expected, f"{page.name}: {line}\n{run.stdout}{run.stderr}"
