from __future__ import annotations

from pathlib import Path

import pytest
import typer
from builders import build_study
from click.testing import Result
from json_outputs import printed
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import exit_code
from neuralgraph.cli.recover import recover

app = typer.Typer(pretty_exceptions_enable=False)
app.command("recover")(recover)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    ng.save([build_study(seed=number) for number in range(3)], tmp_path / "archive.ngr")
    return tmp_path / "archive.ngr"


def damaged(archive: Path, data: bytes) -> Path:
    path = archive.with_name("damaged.ngr")
    path.write_bytes(data)
    return path


def test_nothing_lost_is_exit_code_0(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[-20] ^= 1
    output = archive.with_name("new.ngr")
    result = run(damaged(archive, bytes(data)), "-o", output)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0].startswith(f"{output}: 3 studies recovered")
    assert "damaged trailer: E_TRAILER" in result.stdout
    assert output.read_bytes() == archive.read_bytes()


def test_something_lost_is_exit_code_1_and_is_listed(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    with ng.open(archive) as whole:
        ids = list(whole.ids)
    data[len(data) // 2 // 2] ^= 255
    output = archive.with_name("new.ngr")
    result = run(damaged(archive, bytes(data)), "-o", output, "--json")
    assert result.exit_code == 1
    found = printed("recover", result.stdout)
    assert (found["whole"], found["complete"]) == (False, True)
    assert [study["study_id"] for study in found["recovered"]] == ids[1:]
    (loss,) = found["lost"]
    assert (loss["study_id"], loss["offset"]) == (ids[0], 32)
    assert loss["problem"]["code"] in ("E_DIGEST", "E_RECORD")


def test_nothing_recovered_is_exit_code_3_and_no_file(archive: Path) -> None:
    cut = damaged(archive, archive.read_bytes()[:-400])
    output = archive.with_name("new.ngr")
    result = run(cut, "-o", output)
    assert result.exit_code == 3
    assert "--methods-from" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not output.exists()
    assert run(cut, "-o", output, "--without-method").exit_code == 1
    assert ng.validate(output).ok
    output.unlink()
    assert run(damaged(archive, b"something else" * 20), "-o", output).exit_code == 3
    assert not output.exists()


def test_a_truncated_file_with_a_sibling(archive: Path) -> None:
    ng.save(build_study(seed=9), archive.with_name("sibling.ngr"))
    cut = damaged(archive, archive.read_bytes()[:-400])
    output = archive.with_name("new.ngr")
    result = run(cut, "-o", output, "--methods-from", archive.with_name("sibling.ngr"))
    assert result.exit_code in (0, 1)
    with ng.open(output) as new, ng.open(archive) as old:
        assert {study.digest for study in new} <= {study.digest for study in old}
        assert len(new) >= 2


def test_inputs_and_outputs_that_cannot_be_used(archive: Path, tmp_path: Path) -> None:
    before = archive.read_bytes()
    for source, output, code in (
        (archive, archive, 2),
        (archive, tmp_path / "absent" / "new.ngr", 2),
        (tmp_path / "absent.ngr", tmp_path / "new.ngr", 3),
        (tmp_path, tmp_path / "new.ngr", 3),
    ):
        error = run(source, "-o", output).exception
        assert isinstance(error, ng.NeuralGraphError)
        assert exit_code(error) == code
    assert archive.read_bytes() == before
    assert not (tmp_path / "new.ngr").exists()
