from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.export import Format, export
from neuralgraph.cli.main import exit_code

app = typer.Typer(pretty_exceptions_enable=False)
app.command("export")(export)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def error_of(result: Result) -> ng.NeuralGraphError:
    assert isinstance(result.exception, ng.NeuralGraphError)
    return result.exception


def study(study_id: str) -> ng.Study:
    view = ng.View.from_scores([[2.0, 1.0]], height=10, width=20, patch_height=10, patch_width=10)
    concepts = (ng.Concept("edema", "Observation::uncertain", 0, 5), ng.Concept("lung", "Anatomy::uncertain", 6, 10))
    patches = ng.Patches([0, 0], [0, 1], [2.0, 1.0], np.eye(2, 16))
    return ng.Study(study_id, (view,), patches, concepts, [[0, 1, 1]], (0, 0), {"edema": -1})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    ng.save(study("one"), tmp_path / "one.ngr")
    return tmp_path / "one.ngr"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    ng.save([study("one"), study("two")], tmp_path / "archive.ngr")
    return tmp_path / "archive.ngr"


# What is written beside a film has tests of its own: test_findings_report.py and test_segmentation.py of tests/pacs.
@pytest.mark.parametrize("to", [form for form in Format if form not in (Format.sr, Format.seg)])
def test_every_format_is_written_the_same_each_time(file: Path, to: Format) -> None:
    if to in (Format.graphml, Format.safetensors):
        pytest.importorskip({"graphml": "networkx"}.get(to, to))
    outputs = [file.with_name(f"{number}.{to}") for number in range(2)]
    for output in outputs:
        result = run(file, "--to", to, "-o", output)
        assert result.exit_code == 0, result.output
        assert result.stdout == f"{output}: {output.stat().st_size:,} bytes\n"
    assert outputs[0].read_bytes() == outputs[1].read_bytes() != b""
    assert sorted(path.name for path in file.parent.iterdir()) == [f"0.{to}", f"1.{to}", "one.ngr"]


def test_the_formats_hold_the_study(file: Path) -> None:
    for to in ("json", "npz", "radgraph"):
        assert run(file, "--to", to, "-o", file.with_suffix(f".{to}")).exit_code == 0
    assert json.loads(file.with_suffix(".json").read_bytes())["digest"] == ng.load(file).digest
    assert list(json.loads(file.with_suffix(".radgraph").read_bytes())) == ["one"]
    with np.load(BytesIO(file.with_suffix(".npz").read_bytes())) as arrays:
        assert arrays["patch_embedding"].tolist() == np.eye(2, 16).tolist()


def test_a_study_of_an_archive_is_chosen_by_its_id(archive: Path) -> None:
    output = archive.with_suffix(".json")
    result = run(archive, "--to", "json", "-o", output)
    assert "--study" in error_of(result).message
    assert "unpack" in error_of(result).message
    assert exit_code(error_of(result)) == 3
    assert not output.exists()
    assert run(archive, "--to", "json", "-o", output, "--study", "two").exit_code == 0
    assert json.loads(output.read_bytes())["study_id"] == "two"
    assert error_of(run(archive, "--to", "json", "-o", output, "--force", "--study", "three")).code == "E_NOT_FOUND"


@pytest.mark.parametrize("arguments", [("--to", "json"), ("-o", "x.json"), ("--to", "pickle", "-o", "x.json")])
def test_wrong_usage(file: Path, arguments: tuple[str, ...]) -> None:
    assert run(file, *arguments).exit_code == 2


def test_no_ngr_file_is_replaced(file: Path, archive: Path) -> None:
    plain = file.with_suffix(".bin")
    plain.write_bytes(file.read_bytes())
    for source, output in ((file, file), (file, archive), (file, file.with_name("new.ngr")), (plain, plain)):
        before = output.read_bytes() if output.exists() else None
        error = error_of(run(source, "--to", "json", "-o", output))
        assert (error.code, exit_code(error)) == ("E_OUTPUT", 2)
        assert (output.read_bytes() if output.exists() else None) == before


def test_inputs_and_outputs_that_cannot_be_used(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken.json").write_text("old")
    for source in (tmp_path / "none.ngr", tmp_path / "damaged.ngr"):
        if source.name == "damaged.ngr":
            source.write_bytes(file.read_bytes()[:-1])
        error = error_of(run(source, "--to", "json", "-o", tmp_path / "taken.json", "--force"))
        assert exit_code(error) == 3
    assert (tmp_path / "taken.json").read_text() == "old"
    error = error_of(run(file, "--to", "json", "-o", tmp_path / "none" / "a.json"))
    assert (error.code, exit_code(error)) == ("E_OUTPUT", 2)


@pytest.mark.parametrize(("to", "library"), [("graphml", "networkx"), ("safetensors", "safetensors")])
def test_an_absent_library_is_named(file: Path, to: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"neuralgraph.adapters.{to}", raising=False)
    error = error_of(run(file, "--to", to, "-o", file.with_suffix(".out")))
    assert isinstance(error, ng.MissingExtraError)
    assert library in error.message
    assert exit_code(error) == 4
    assert not file.with_suffix(".out").exists()


def test_json_npz_and_radgraph_need_no_extra(file: Path) -> None:
    code = """
import sys
from pathlib import Path
for name in ("torch", "torch_geometric", "networkx", "safetensors", "pydicom", "PIL"):
    sys.modules[name] = None
from neuralgraph.cli.export import Format, export
for to in ("json", "npz", "radgraph"):
    export(Path(sys.argv[1]), Format(to), Path(sys.argv[1]).with_suffix("." + to))
"""
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True, timeout=300)
    assert len(list(file.parent.iterdir())) == 4
