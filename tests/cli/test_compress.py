"""``ngr compress``: good input gives one valid file, bad input one clear line and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from json_outputs import printed
from PIL import Image

import neuralgraph as ng

ROOT = Path(__file__).parents[2]


def ngr(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, where the package stands on the path and warnings are errors."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "neuralgraph", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def png(path: Path, height: int = 96, width: int = 128) -> Path:
    ramp = np.linspace(0, 255, height * width).reshape(height, width).astype(np.uint8)
    Image.fromarray(ramp).save(path)
    return path


@pytest.fixture(scope="module")
def compressed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compress")
    png(folder / "film.png")
    (folder / "film.txt").write_text("No pneumonia. Small left effusion.")
    common = ("compress", "film.png", "--report", "film.txt", "--label", "pneumonia=0", "--label", "effusion=1")
    first = ngr(*common, "-o", "a.ngr", "--json", folder=folder)
    second = ngr(*common, "-o", "b.ngr", folder=folder)
    return folder, first, second


def test_result_is_one_valid_file(compressed):
    folder, first, _ = compressed
    assert first.returncode == 0, first.stderr
    assert ng.validate(folder / "a.ngr").problems == ()
    study = ng.load(folder / "a.ngr")
    assert study.labels == {"effusion": 1.0, "pneumonia": 0.0}
    assert ("pneumonia", "Observation::definitely absent") in [(c.text, c.label) for c in study.concepts]
    summary = printed("compress", first.stdout)
    assert summary["file_bytes"] == (folder / "a.ngr").stat().st_size
    assert summary["study"]["provenance"]["report"] == "given"


def test_twice_the_same_bytes(compressed):
    folder, _, second = compressed
    assert second.returncode == 0
    assert (folder / "a.ngr").read_bytes() == (folder / "b.ngr").read_bytes()


def test_nothing_of_the_names_gets_into_the_file(compressed):
    folder, _, _ = compressed
    data = (folder / "a.ngr").read_bytes()
    assert b"film" not in data.replace(b"films", b"")
    assert folder.name.encode() not in data


def test_the_demo_model_is_named_as_one_of_synthetic_films(compressed):
    folder, first, _ = compressed
    model = ng.load(folder / "a.ngr").provenance["model"]
    assert (model["name"], model["trained"]) == ("demo", True)
    assert "no diagnostic device" in first.stderr
    assert "UNTRAINED" not in first.stderr


def bad_inputs(folder: Path) -> dict[str, Path]:
    whole = png(folder / "whole.png").read_bytes()
    made = {
        "empty.png": b"",
        "truncated.png": whole[: len(whole) // 2],
        "text.png": b"this is no image at all\n" * 10,
        "almost.dcm": bytes(128) + b"DICM" + b"\x02\x00",
    }
    header = b"IHDR" + (100_000).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    chunk = len(header[4:]).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    made["huge.png"] = whole[:8] + chunk + whole[8 + len(chunk) :]
    for name, data in made.items():
        (folder / name).write_bytes(data)
    colour = np.zeros((64, 64, 3), np.uint8)
    colour[:32, :, 0] = 255
    colour[32:, :, 2] = 255
    Image.fromarray(colour).save(folder / "colour.png")
    return {name: folder / name for name in [*made, "colour.png", "absent.png"]}


@pytest.mark.parametrize(
    "name", ["empty.png", "truncated.png", "text.png", "almost.dcm", "huge.png", "colour.png", "absent.png"]
)
def test_bad_film_gives_one_line_and_no_file(name, tmp_path):
    bad_inputs(tmp_path)
    result = ngr("compress", name, "-o", "out.ngr", folder=tmp_path)
    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("ngr: E_SOURCE_")
    assert name in result.stderr
    assert not [path for path in tmp_path.iterdir() if "out.ngr" in path.name]


@pytest.mark.parametrize(
    ("report", "code"),
    [(b"\xff\xfen\x00o", "E_SOURCE_TEXT"), (b"caf\xe9", "E_SOURCE_TEXT"), (b"", "E_SOURCE_EMPTY")],
)
def test_bad_report_gives_one_line_and_no_file(report, code, tmp_path):
    png(tmp_path / "film.png")
    (tmp_path / "report.txt").write_bytes(report)
    result = ngr("compress", "film.png", "--report", "report.txt", "-o", "out.ngr", folder=tmp_path)
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr.startswith(f"ngr: {code} [report.txt")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out.ngr").exists()


@pytest.mark.parametrize("output", ["absent/out.ngr", ".", "film.png/out.ngr"])
def test_unwritable_output_is_refused_before_any_work(output, tmp_path):
    png(tmp_path / "film.png")
    result = ngr("compress", "film.png", "-o", output, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("ngr: E_OUTPUT")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--retain", "0"),
        ("--retain", "1.5"),
        ("--top-k", "0"),
        ("--retain", "0.1", "--top-k", "3"),
        ("--label", "pneumonia"),
        ("--label", "pneumonia=maybe"),
        ("--label", "pneumonia=nan"),
        ("--embedding", "int3"),
        ("--report", "a.txt", "--report-text", "b"),
        (),
    ],
)
def test_wrong_usage_is_exit_code_2(options, tmp_path):
    png(tmp_path / "film.png")
    output = ("-o", "out.ngr") if options else ()
    result = ngr("compress", "film.png", *output, *options, folder=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out.ngr").exists()


def test_missing_model_is_exit_code_4(tmp_path):
    png(tmp_path / "film.png")
    result = ngr("compress", "film.png", "-o", "out.ngr", "--model", "nowhere", folder=tmp_path)
    assert result.returncode == 4
    assert result.stderr.startswith("ngr: E_MODEL")
    assert "nowhere" in result.stderr


@pytest.mark.slow
def test_killed_at_any_moment_leaves_no_file_or_a_whole_one(tmp_path):
    png(tmp_path / "film.png")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "neuralgraph", "compress", "film.png", "-o", "out.ngr"]
    started = time.monotonic()
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    whole, duration = (tmp_path / "out.ngr").read_bytes(), time.monotonic() - started
    for moment in np.linspace(0.6, 1.1, 8) * duration:
        (tmp_path / "out.ngr").unlink(missing_ok=True)
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "out.ngr").exists() or (tmp_path / "out.ngr").read_bytes() == whole
