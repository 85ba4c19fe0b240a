"""No verb replaces an output unless it is told to."""

from __future__ import annotations

import numpy as np
import pytest
from builders import build_study
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application
from neuralgraph.errors import FormatError, OutputError


def ngr(*arguments):
    return CliRunner().invoke(application(), [str(each) for each in arguments])


@pytest.fixture
def studies(tmp_path):
    ng.save([build_study(seed=seed) for seed in range(3)], tmp_path / "many.ngr")
    ng.save(build_study(seed=0), tmp_path / "one.ngr")
    return tmp_path


def refused(output, *arguments):
    """Whether the output stays as it was without --force, and is replaced with it."""
    output.write_bytes(b"precious")
    run = ngr(*arguments)
    assert isinstance(run.exception, OutputError)
    assert "--force" in str(run.exception)
    assert output.read_bytes() == b"precious"
    assert ngr(*arguments, "--force").exit_code == 0
    return output.read_bytes() != b"precious"


def test_pack(studies):
    output = studies / "out.ngr"
    assert refused(output, "pack", studies / "one.ngr", "-o", output)


def test_render(studies):
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    output = studies / "out.png"
    assert refused(output, "render", studies / "one.ngr", "-o", output)


def test_catalog(studies):
    pytest.importorskip("pyarrow", reason="the extra catalog is not installed")
    output = studies / "out.parquet"
    assert refused(output, "catalog", studies / "many.ngr", "-o", output)
    assert refused(output.with_name("out.concepts.parquet"), "catalog", studies / "many.ngr", "-o", output)


def test_export(studies):
    output = studies / "out.json"
    assert refused(output, "export", studies / "one.ngr", "--to", "json", "-o", output)


def test_recover(studies):
    output = studies / "out.ngr"
    assert refused(output, "recover", studies / "many.ngr", "-o", output)


def test_view(studies):
    output = studies / "out.html"
    assert refused(output, "view", studies / "one.ngr", "--export", output)


def test_compress_refuses_before_the_model_is_loaded(studies):
    image = pytest.importorskip("PIL.Image", reason="the extra vlm is not installed")
    image.fromarray(np.zeros((64, 64), np.uint8)).save(studies / "film.png")
    run = ngr("compress", studies / "film.png", "-o", studies / "one.ngr")
    assert isinstance(run.exception, OutputError)
    assert ng.load(studies / "one.ngr").study_id == "study-0"


def test_a_study_given_twice_names_both_files_and_is_taken_once(studies):
    files = [studies / "many.ngr", studies / "one.ngr"]
    with pytest.raises(FormatError, match=r"E_DUP.*'study-0'.*many\.ngr.*one\.ngr.*equal.*--skip-equal"):
        ng.pack(files, studies / "out.ngr")
    assert ng.pack(files, studies / "out.ngr", skip_equal=True) == 3
    ng.save(build_study(seed=0, labels={"other": 1.0}), studies / "one.ngr")
    with pytest.raises(FormatError, match=r"E_DUP.*they differ"):
        ng.pack(files, studies / "out.ngr", skip_equal=True)
    (studies / "out.ngr").unlink()
    with ng.open(studies) as archive, pytest.raises(FormatError, match=r"E_DUP.*many\.ngr.*one\.ngr.*--skip-equal"):
        list(archive.ids)
