"""The files of deploy/: linted where the tools are, and every ngr command in them is one the command line takes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from neuralgraph.cli.main import application

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(DEPLOY.rglob("*.yaml"))
LINTS = {
    "yaml": ["yamllint", "--strict", "--config-file", ".yamllint", "."],
    "compose": ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
    "github": ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", "ci/github-actions.yaml"],
    "gitlab": [
        *["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci"],
        *["--data-transform", "gitlab-ci", "ci/gitlab-ci.yaml"],
    ],
    "kubernetes": ["kubernetes-validate", "--strict", "kubernetes.yaml", "kubernetes-add.yaml"],
    "docker": ["hadolint", "Dockerfile"],
}
PODS = ["kubernetes.yaml", "kubernetes-add.yaml", "ray-cluster.yaml"]


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


@pytest.mark.parametrize("command", LINTS.values(), ids=LINTS)
def test_its_own_tool_finds_nothing(command):
    name, *arguments = command
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    tool = shutil.which(name, path=places)
    if tool is None:
        pytest.skip(f"{name} is not installed; docs/how-to/deploy.md says which tools there are")
    said = subprocess.run([tool, *arguments], cwd=DEPLOY, capture_output=True, text=True, timeout=300, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def pod_specs(node):
    """Every pod of a manifest, wherever it stands."""
    if isinstance(node, list):
        for each in node:
            yield from pod_specs(each)
    elif isinstance(node, dict):
        if "containers" in node:
            yield node
        for each in node.values():
            yield from pod_specs(each)


@pytest.mark.parametrize("name", PODS)
def test_pods_are_what_a_restricted_namespace_takes(name):
    pods = list(pod_specs(documents(DEPLOY / name)))
    assert pods
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_ray_is_the_one_that_was_tested_and_asks_who_speaks():
    (cluster,) = documents(DEPLOY / "ray-cluster.yaml")
    pins = (DEPLOY.parent / "constraints.txt").read_text().splitlines()
    assert f"ray=={cluster['spec']['rayVersion']}" in pins
    assert cluster["spec"]["authOptions"] == {"mode": "token"}
    # The operator would put probes in that need wget and Ray's dashboard, neither of which the image has.
    for pod in pod_specs(cluster):
        assert all({"livenessProbe", "readinessProbe"} <= set(container) for container in pod["containers"])


def test_what_the_shards_made_is_added():
    (job,) = documents(DEPLOY / "kubernetes-add.yaml")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert understood(container["args"])


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
    copied = next(step for step in steps if step.startswith("COPY pyproject.toml")).split()[1:-1]
    assert all((DEPLOY.parent / name).is_file() for name in copied)
    last = {step.split()[0]: step for step in steps}
    assert last["USER"] == "USER 10001:10001"
    assert last["ENTRYPOINT"] == 'ENTRYPOINT ["ngr"]'
    assert steps.index(last["USER"]) < steps.index(last["ENTRYPOINT"])
    assert not any(step.startswith("ADD") or "latest" in step for step in steps)
    assert "OFFLINE=1" in "".join(lines)
