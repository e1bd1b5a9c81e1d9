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
