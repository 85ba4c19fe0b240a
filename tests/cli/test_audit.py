import pytest
import typer
from json_outputs import printed
from typer.testing import CliRunner

from neuralgraph.cli.audit import audit
from neuralgraph.errors import SourceError


def ngr(*arguments):
    app = typer.Typer()
    app.command()(audit)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_audit(tmp_path):
    (tmp_path / "names.txt").write_text("Jane Doe\nRichard Roe\n")
    (tmp_path / "clean.log").write_text("nothing here")
    (tmp_path / "leak.log").write_text("patient jane doe")
    assert ngr(tmp_path / "clean.log", "--identifiers", tmp_path / "names.txt").exit_code == 0
    result = ngr(tmp_path / "clean.log", tmp_path / "leak.log", "--identifiers", tmp_path / "names.txt")
    assert result.exit_code == 1
    assert result.stdout == f"{tmp_path / 'leak.log'}: bytes: line 1 as text\n"
    record = printed("audit", ngr(tmp_path / "leak.log", "--identifiers", tmp_path / "names.txt", "--json").stdout)
    assert record["identifiers"] == 2
    assert [finding["identifier"] for finding in record["findings"]] == ["line 1"]


def test_wrong_usage(tmp_path):
    (tmp_path / "short.txt").write_text("abc\n")
    assert ngr(tmp_path).exit_code == 2
    assert ngr(tmp_path, "--identifiers", tmp_path / "short.txt").exit_code == 2
    with pytest.raises(SourceError) as caught:
        ngr(tmp_path, "--source", tmp_path / "short.txt")
    assert caught.value.code == "E_SOURCE_TYPE"
