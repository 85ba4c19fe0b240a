"""Manners of every verb: help with an example, JSON where a verb reports, no colours where none are wanted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from json_outputs import printed
from typer.main import get_command

from neuralgraph.cli.doctor import EXTRAS
from neuralgraph.cli.main import VERBS, application
from neuralgraph.errors import DISTRIBUTION

ROOT = Path(__file__).parents[2]
COMMANDS = get_command(application()).commands

# Verbs that report, and how their JSON is asked for.
REPORTS = {
    "info": "--json",
    "validate": "--format",
    "diff": "--json",
    "doctor": "--json",
    "audit": "--json",
    "recover": "--json",
    "compress": "--json",
    "convert": "--json",
    "migrate": "--json",
    "conformance": "--json",
    "bench": "--json",
    "catalog": "--json",
    "find": "--json",
    "card": "--json",
    **{f"collection {name}": "--json" for name in ("create", "add", "remove", "compact", "vacuum", "verify", "log")},
}


VERBS_OF_GROUPS = [
    f"{group} {name}"
    for group, verb in COMMANDS.items()
    if hasattr(verb, "commands")
    for name in verb.commands
]  # fmt: skip


def command_of(verb):
    first, *rest = verb.split()
    return COMMANDS[first].commands[rest[0]] if rest else COMMANDS[first]


@pytest.mark.parametrize("verb", [*VERBS, *VERBS_OF_GROUPS])
def test_help_says_what_it_does_with_an_example(verb):
    command = command_of(verb)
    assert re.search(rf"^Examples?: ngr {verb}\b", command.help, re.MULTILINE), command.help
    assert command.help[0].isupper()
    for parameter in command.params:
        assert parameter.param_type_name == "argument" or parameter.help, parameter.name


@pytest.mark.parametrize(("verb", "option"), REPORTS.items())
def test_verbs_that_report_have_json(verb, option):
    assert any(option in parameter.opts for parameter in command_of(verb).params)


def ngr(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "neuralgraph", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_verbs(shell):
    names = {"_TYPER_COMPLETE_ARGS": "ngr val", "COMP_WORDS": "ngr val", "COMP_CWORD": "1"}
    if shell == "fish":
        names["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    # The variable that typer asks is named by the program; run as a module it is this one.
    program = "_NGR_COMPLETE"
    code = "import sys; sys.argv[0] = 'ngr'; from neuralgraph.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **names, program: f"complete_{shell}"},
    )
    assert "validate" in run.stdout, run.stderr
    assert "convert" not in run.stdout


def test_no_color_and_no_terminal_mean_no_escapes():
    for environment in ({"NO_COLOR": "1", "FORCE_COLOR": ""}, {}):
        run = ngr("--help", **environment)
        assert run.returncode == 0
        assert "\x1b" not in run.stdout


def test_doctor_says_exactly_what_to_install(monkeypatch, capsys):
    from importlib import util

    from neuralgraph.cli import doctor

    real = util.find_spec
    monkeypatch.setattr(doctor.util, "find_spec", lambda name: None if name == "matplotlib" else real(name))
    doctor.doctor()
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if line.startswith("plot")]
    assert "matplotlib missing; pip install '.[plot]'" in line
    assert {line.split()[0] for line in lines[2:]} >= set(EXTRAS)


def test_doctor_knows_every_extra_and_what_it_needs():
    written = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for extra, needs in written.items():
        if extra in ("all", "bench", "docs", "dev"):  # for those who work on the project
            continue
        known = set(EXTRAS[extra][1].values())
        named = {re.split(r"[<>=\[]", need)[0] for need in needs if not need.startswith(DISTRIBUTION)}
        assert named <= known, extra


def test_doctor_looks_at_models_without_loading_them(tmp_path, capsys):
    from neuralgraph.cli import doctor
    from neuralgraph.compressor.scorer import DEMO_DIRECTORY

    shutil.copytree(DEMO_DIRECTORY, tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").unlink()
    (tmp_path / "broken").mkdir()
    for name in ("model.safetensors", "preprocessor_config.json", "tokenizer.json"):
        (tmp_path / "broken" / name).write_text("{}")
    (tmp_path / "broken" / "config.json").write_text("[")
    doctor.doctor(model=[str(tmp_path / name) for name in ("model", "broken", "none")])
    lines = capsys.readouterr().out.splitlines()
    demo = next(number for number, line in enumerate(lines) if line.startswith("model demo"))
    assert re.match(
        r"model demo: [0-9a-f]{12}, complete; trained in \d+ updates, measured .*no diagnostic device", lines[demo]
    )
    # What its training measured is told again.
    assert any(re.match(r"    area of lesions .*, before ", line) for line in lines[demo + 1 : -3])
    cut, broken, absent = lines[-3:]
    assert "the model lacks tokenizer.json" in cut
    assert "configuration cannot be read" in broken
    assert "neither a model directory" in absent
    doctor.doctor(json=True)
    (state,) = printed("doctor", capsys.readouterr().out)["models"]
    assert state["name"] == "demo"
    assert state["fault"] is None
    code = "import sys; from neuralgraph.cli.doctor import doctor; doctor(); sys.exit('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("verb", [*VERBS, *VERBS_OF_GROUPS])
def test_help_is_shown_as_it_was_written(verb):
    """Brackets are no markup, and lines of a paragraph are filled."""
    run = ngr(*verb.split(), "--help", COLUMNS="400", TERMINAL_WIDTH="400")
    assert run.returncode == 0
    shown = " ".join(run.stdout.replace("│", " ").split())
    for parameter in command_of(verb).params:
        for word in (getattr(parameter, "help", None) or "").split():
            assert word in shown, (parameter.name, word)
    for paragraph in command_of(verb).help.split("\n\n"):
        assert " ".join(paragraph.split()) in shown
