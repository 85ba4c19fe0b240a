"""The command: what it refuses, and a whole small run."""

from __future__ import annotations

import json
from inspect import signature

import pytest

pytest.importorskip("torch_geometric", reason="the tables need the extra pyg")

from bench.__main__ import main
from bench.tables.pictures import pictures
from bench.tables.rates import DEFAULT
from docs.tools.chapters.downstream import write
from neuralgraph.cli.compress import compress


def test_the_default_is_that_of_the_command_line():
    assert signature(compress).parameters["embedding"].default == DEFAULT


def test_pictures_come_back_in_their_size_and_better_ones_are_closer(whole):
    import numpy as np

    y, x = np.mgrid[:60, :50]
    plane = (100 + 60 * np.sin(x / 7) + 40 * np.cos(y / 5)).astype(np.uint8)
    sizes, errors = {}, {}
    for picture in pictures():
        data = picture.encode(plane)
        back = picture.decode(data, plane.shape)
        assert (back.shape, back.dtype) == (plane.shape, np.uint8)
        sizes[picture.name], errors[picture.name] = len(data), np.abs(back.astype(float) - plane).mean()
    assert errors["PNG lossless"] == 0
    assert sizes["JPEG q10"] < sizes["JPEG q95"]
    assert errors["JPEG q10"] > errors["JPEG q95"]
    assert sizes["JPEG at half size q10"] < sizes["JPEG q10"]


def test_a_source_that_cannot_be_used_is_said_in_one_line(tmp_path, capsys):
    assert main(["tables", "--data", str(tmp_path / "absent"), "--output", str(tmp_path / "out.json")]) == 1
    assert not (tmp_path / "out.json").exists()
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.slow
def test_a_small_run_gives_results_a_page_and_pictures(tmp_path):
    pytest.importorskip("sklearn", reason="the reader of bytes needs scikit-learn (extra bench)")
    output = tmp_path / "tables.json"
    options = ["--patients", "110", "--prevalence", "0", "--seeds", "1", "--workers", "1"]
    assert main(["tables", *options, "--output", str(output), "--figures", str(tmp_path)]) == 0
    results = json.loads(output.read_text())
    assert results["data"]["kind"] == "phantom"
    assert sum(results["data"]["studies"].values()) == 110
    systems = results["systems"]
    kept, whole = systems["retain 0.023, text none"], systems["retain 1, text none"]
    assert 0 < kept["patches"] < whole["patches"] / 20
    assert results["sizes"]["kept"] < results["sizes"]["whole"]
    assert results["lesions"]["rankings"]["mask"]["studies_with_one_kept"] == 1
    assert results["written"]["reports"] == results["data"]["studies"]["test"]
    page = write(results)
    assert "synthetic films and reports" in page
    assert str(tmp_path) not in output.read_text()
    assert {path.name for path in tmp_path.glob("*.png")} == {"downstream_curves.png", "downstream_rates.png"}
