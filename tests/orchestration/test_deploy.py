"""The files for containers: linted, and in step with the settings and commands that exist."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from orchestration.cli.main import app
from orchestration.settings import PREFIX, Settings
from tests.conftest import REPOSITORY

DEPLOY = REPOSITORY / "orchestration" / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
OURS = ("webserver", "daemon", "worker", "api")


def _lint(program: str, *arguments: str | Path) -> str:
    command = [Path(sys.executable).with_name(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_containerfile_has_no_findings():
    assert _lint("hadolint", DEPLOY / "Containerfile") == ""


def test_the_yaml_files_have_no_findings():
    rules = "{extends: default, rules: {line-length: {max: 130}, document-start: disable, "
    rules += "braces: {max-spaces-inside: 0}, comments: disable}}"
    assert _lint("yamllint", "--strict", "-d", rules, DEPLOY) == ""


def test_compose_names_settings_that_exist():
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}

    for name in OURS:
        assert set(COMPOSE["services"][name]["environment"]) <= known


@pytest.mark.parametrize("service", OURS)
def test_compose_runs_commands_that_exist(service: str):
    # An option that the command does not know is an error even before its help is shown.
    result = CliRunner().invoke(app, [*COMPOSE["services"][service]["command"], "--help"])

    assert result.exit_code == 0, result.output


def test_kubernetes_runs_the_same_server_and_code():
    api, service = yaml.safe_load_all((DEPLOY / "kubernetes" / "api.yaml").read_text("utf-8"))
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text("utf-8"))
    (container,) = api["spec"]["template"]["spec"]["containers"]

    assert container["args"] == COMPOSE["services"]["api"]["command"]
    assert service["spec"]["selector"] == api["spec"]["template"]["metadata"]["labels"]
    (location,) = values["dagster-user-deployments"]["deployments"]
    assert location["dagsterApiGrpcArgs"] == ["--module-name", "orchestration.definitions"]


@pytest.mark.hostile
def test_containers_may_do_little_and_no_password_has_a_default():
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert "${POSTGRES_PASSWORD:?" in text
    assert "${REDIS_PASSWORD:?" in text
    assert ":-" not in text
    for line in (DEPLOY / "example.env").read_text("utf-8").splitlines():
        name, _, value = line.partition("=")
        assert not (name.endswith("PASSWORD") and value)
    published = [port for each in COMPOSE["services"].values() for port in each.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.hostile
def test_pods_may_do_little():
    api, _ = yaml.safe_load_all((DEPLOY / "kubernetes" / "api.yaml").read_text("utf-8"))
    pod = api["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    policy = yaml.safe_load((DEPLOY / "kubernetes" / "network.yaml").read_text("utf-8"))

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert policy["spec"]["podSelector"]["matchLabels"] == api["spec"]["selector"]["matchLabels"]
