from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import typer
from click.testing import Result
from json_outputs import printed
from torch_files import STORAGES, container, program, small_graph, tensor, text
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import exit_code
from neuralgraph.cli.migrate import migrate
from neuralgraph.graph.carried import CARRIED, ORIGIN

app = typer.Typer(pretty_exceptions_enable=False)
app.command("migrate")(migrate)

Y = tensor("0", 6, size=(1,), stride=(1,), offset=5)
STORED = {**STORAGES, "0": np.array([1, 2, 3, 4, 5, -1], "<f4").tobytes()}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    graphs = [small_graph(y=Y, patient=text("Bob")), small_graph(y=tensor("0", 6, size=(2,), stride=(1,)))]
    (tmp_path / "old.pt").write_bytes(container(program(*graphs), STORED))
    return tmp_path / "old.pt"


def test_studies_carry_the_graphs_whole(old: Path) -> None:
    output = old.with_name("new.ngr")
    result = run(old, "-o", output, "--json")
    assert result.exit_code == 0, result.output
    summary = printed("migrate", result.stdout)
    assert (summary["n_graphs"], summary["not_taken_over"]) == (2, {"patient": 1})
    assert ng.validate(output).ok
    assert b"Bob" not in output.read_bytes()
    with ng.open(output) as archive:
        assert archive.ids == ["graph-0000000", "graph-0000001"]
        first, second = archive
    assert (first.labels, second.labels) == ({"y": -1.0}, {})
    assert (len(first.patches), len(first.concepts), first.views) == (0, 0, ())
    assert first.provenance[ORIGIN]["nodes"] == 3
    with np.load(BytesIO(first.extensions[CARRIED]), allow_pickle=False) as arrays:
        assert arrays["x"].tolist() == [[1, 2], [3, 4], [5, -1]]
        assert arrays["edge_index"].tolist() == [[0, 1], [1, 2]]
        assert arrays["y"].tolist() == [-1]


def test_arrays_are_written_the_same_each_time(old: Path) -> None:
    outputs = [old.with_name(name) for name in ("a.npz", "b.npz")]
    for output in outputs:
        assert run(old, "-o", output, "--keep", "patient").exit_code == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    with np.load(outputs[0], allow_pickle=False) as arrays:
        assert sorted(arrays.files) == [
            *("0000000/edge_index", "0000000/patient", "0000000/x", "0000000/y"),
            *("0000001/edge_index", "0000001/x", "0000001/y"),
        ]
        assert str(arrays["0000000/patient"]) == "Bob"
        assert arrays["0000001/y"].tolist() == [1, 2]


def test_labels_are_named_by_who_knows_them(tmp_path: Path) -> None:
    (tmp_path / "old.pt").write_bytes(container(program(small_graph(y=Y)), STORED))
    assert run(tmp_path / "old.pt", "-o", tmp_path / "a.ngr", "--label", "pneumonia").exit_code == 0
    assert ng.load(tmp_path / "a.ngr").labels == {"pneumonia": -1.0}
    result = run(tmp_path / "old.pt", "-o", tmp_path / "b.ngr", "--label", "pneumonia", "--label", "edema")
    assert isinstance(result.exception, ng.SourceError)
    assert result.exception.where.endswith("graph[0].y")
    assert run(tmp_path / "old.pt", "-o", tmp_path / "b.ngr", "--label", "a", "--label", "a").exit_code == 2


@pytest.mark.parametrize("name", ["new.ngr", "new.npz"])
def test_a_hostile_file_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    trace = tmp_path / "trace"
    call = b"cos\nsystem\n(" + text(f"touch {trace}") + b"tR"
    (tmp_path / "old.pt").write_bytes(container(program(small_graph(), call), STORED))
    (tmp_path / name).write_bytes(b"kept")
    result = run(tmp_path / "old.pt", "-o", tmp_path / name, "--force")
    assert isinstance(result.exception, ng.SourceError)
    assert (result.exception.code, exit_code(result.exception)) == ("E_SOURCE_CONTENT", 3)
    assert result.exception.where.startswith(str(tmp_path / "old.pt"))
    assert not trace.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "old.pt"])
    assert (tmp_path / name).read_bytes() == b"kept"


def test_the_input_is_never_replaced(old: Path) -> None:
    before = old.read_bytes()
    result = run(old, "-o", old)
    assert isinstance(result.exception, ng.OutputError)
    assert exit_code(result.exception) == 2
    assert old.read_bytes() == before
