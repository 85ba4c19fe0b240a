"""The files of deploy/: parsed, and every ngr command in them is one that the command line takes."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from neuralgraph.cli.main import application

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(DEPLOY.rglob("*.yaml"))


def understood(arguments):
    """Parse a command without running it."""
    command = get_command(application())
    while arguments:
        name, *arguments = arguments
        command = command.commands[name]
        if not hasattr(command, "commands"):
            return command.make_context(name, list(arguments)) is not None
    return True


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_every_file_parses(path):
    assert documents(path)


def test_compose_runs_known_verbs_without_root():
    (compose,) = documents(DEPLOY / "compose.yaml")
    ran = [service["command"] for service in compose["services"].values() if "command" in service]
    assert len(ran) == 4
    for command in ran:
        assert understood(command), command
    for name in ("create", "pull", "night", "serve"):
        service = compose["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_job_shards():
    (job,) = documents(DEPLOY / "kubernetes.yaml")
    spec = job["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    line = container["args"][0].replace("$((JOB_COMPLETION_INDEX + 1))", "1").removeprefix("exec ngr ")
    assert f'/{spec["completions"]}"' in container["args"][0]
    assert understood(shlex.split(line))
    assert spec["template"]["spec"]["securityContext"]["runAsNonRoot"]


def test_ci_snippets_validate():
    (actions,) = documents(DEPLOY / "ci" / "github-actions.yaml")
    steps = [step["run"] for step in actions["jobs"]["validate"]["steps"] if "run" in step]
    (gitlab,) = documents(DEPLOY / "ci" / "gitlab-ci.yaml")
    for line in [*steps, *gitlab["validate"]["script"]]:
        if line.startswith("ngr "):
            assert understood(shlex.split(line.split(" > ")[0])[1:])


def test_the_image_has_no_root_and_starts_ngr():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    steps = [line for line in lines if line and line.split()[0].isupper()]
    last = {step.split()[0]: step for step in steps}
    assert last["USER"] == "USER 10001:10001"
    assert last["ENTRYPOINT"] == 'ENTRYPOINT ["ngr"]'
    assert steps.index(last["USER"]) < steps.index(last["ENTRYPOINT"])
    assert not any(step.startswith("ADD") or "latest" in step for step in steps)
    assert "OFFLINE=1" in "".join(lines)
