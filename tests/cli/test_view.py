"""ngr view: an address, or a page with the file inside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from builders import build_study
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application, exit_code

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
    ng.save(build_study(), tmp_path / "a.ngr")
    return tmp_path / "a.ngr"


def run(*arguments):
    return CliRunner().invoke(application(["view", "info"]), ["view", *map(str, arguments)])


def test_export_writes_a_page_the_same_each_time(file, tmp_path):
    pages = [tmp_path / "a.html", tmp_path / "b.html"]
    for page in pages:
        result = run(file, "--export", page)
        assert result.exit_code == 0, result.output
        assert result.stdout == f"{page}: {page.stat().st_size:,} bytes, holds a.ngr\n"
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_export_refuses_other_names_and_missing_files(file, tmp_path):
    assert run(file, "--export", tmp_path / "page.ngr").exit_code == 2
    result = run(tmp_path / "none.ngr", "--export", tmp_path / "page.html")
    assert exit_code(result.exception) == 3
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("option", ["--images", "--against"])
def test_a_page_with_a_file_inside_holds_nothing_else(file, tmp_path, option):
    result = run(file, "--export", tmp_path / "page.html", option, tmp_path)
    assert result.exit_code == 2
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("option", [(), ("--against",), ("--images",)])
def test_a_folder_without_anything_to_see_is_refused(file, tmp_path, option):
    (tmp_path / "empty").mkdir()
    given = (file, *option, tmp_path / "empty") if option else (tmp_path / "empty",)
    result = run(*given, "--no-browser")
    assert exit_code(result.exception) == 3
    assert result.exception.code in ("E_OPEN", "E_SOURCE_TYPE")


@pytest.mark.skipif(os.name == "nt", reason="interrupts are sent another way there")
def test_it_serves_until_interrupted(file):
    # Interrupts may be ignored by whatever started the tests, and a child inherits that.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{listen}\nfrom neuralgraph.cli import main; main()"
    command = [sys.executable, "-c", code, "view", str(file), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as started:
        try:
            url = started.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(url) as page:
                assert b"neuralgraph" in page.read()
            started.send_signal(signal.SIGINT)
            _, notes = started.communicate(timeout=300)
        finally:
            started.kill()
    assert started.returncode == 0
    assert notes.splitlines()[-1] == "ngr: stopped"
