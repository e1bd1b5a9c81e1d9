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

    *command, option, url = container["args"]
    assert command == COMPOSE["services"]["api"]["command"]
    # In a cluster nobody reaches it by an address that it knows itself.
    assert (option, url[:8]) == ("--public-url", "https://")
    assert service["spec"]["selector"] == api["spec"]["template"]["metadata"]["labels"]
    (location,) = values["dagster-user-deployments"]["deployments"]
    assert location["dagsterApiGrpcArgs"] == ["--module-name", "orchestration.definitions"]


@pytest.mark.hostile
@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_container_may_do_little(name: str):
    service = COMPOSE["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    # The image's own default profile of system calls stays on: nothing here is unconfined.
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(service)
    if name in OURS:
        assert "cap_add" not in service
        assert service["cpus"]
    assert not any("docker.sock" in str(volume) for volume in service["volumes"])


@pytest.mark.hostile
def test_databases_are_reached_by_our_own_processes_alone():
    networks = COMPOSE["networks"]
    assert networks["stores"]["internal"] is True
    for name, service in COMPOSE["services"].items():
        assert set(service["networks"]) == ({"stores", "outside"} if name in OURS else {"stores"})
        assert bool(service.get("ports")) <= (name in OURS)
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")


@pytest.mark.hostile
def test_no_password_has_a_default():
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert "${POSTGRES_PASSWORD:?" in text
    assert "${REDIS_PASSWORD:?" in text
    assert ":-" not in text
    for line in (DEPLOY / "example.env").read_text("utf-8").splitlines():
        name, _, value = line.partition("=")
        assert not (name.endswith("PASSWORD") and value)
    redis = COMPOSE["services"]["redis"]
    assert "--requirepass" in redis["command"]


@pytest.mark.hostile
def test_the_image_runs_as_a_user_of_its_own_and_holds_no_secret():
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    said = [line.split() for line in lines if line and not line.startswith(("#", " "))]
    last = max(number for number, words in enumerate(said) if words[0] == "FROM")
    (user,) = [words[1] for words in said[last:] if words[0] == "USER"]
    assert user.isdigit()
    assert int(user) >= 10_000
    assert not [line for line in lines if "PASSWORD" in line or "SECRET" in line or "KEY" in line]
    assert not [words for words in said if words[0] in ("ADD",) or words[1:2] == ["."]]


POD = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "fsGroup": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text("utf-8")))


@pytest.mark.hostile
def test_pods_of_the_server_may_do_little():
    api, _ = documents("api.yaml")
    pod = api["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"] == POD
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == CONTAINER | {"readOnlyRootFilesystem": True}
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert container["envFrom"] == [{"secretRef": {"name": "vivavoce"}}]
    assert "env" not in container


@pytest.mark.hostile
def test_pods_of_the_chart_may_do_little():
    (values,) = documents("values.yaml")
    (location,) = values["dagster-user-deployments"]["deployments"]
    for part in (values["dagsterWebserver"], values["dagsterDaemon"], location):
        assert part["podSecurityContext"] == POD
        assert part["securityContext"] == CONTAINER
        assert set(part["resources"]["limits"]) == {"cpu", "memory"}
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    run = launcher["runK8sConfig"]
    assert run["podSpecConfig"]["security_context"]["run_as_non_root"] is True
    assert run["podSpecConfig"]["security_context"]["seccomp_profile"] == POD["seccompProfile"]
    assert run["containerConfig"]["security_context"]["capabilities"] == {"drop": ["ALL"]}
    assert set(launcher["resources"]["limits"]) == {"cpu", "memory"}
    assert values["generatePostgresqlPasswordSecret"] is False


@pytest.mark.hostile
def test_the_network_of_a_cluster_is_closed_but_for_what_is_needed():
    api, dagster = documents("network.yaml")
    (server, _) = documents("api.yaml")

    assert api["spec"]["podSelector"]["matchLabels"] == server["spec"]["selector"]["matchLabels"]
    (rule,) = api["spec"]["ingress"]
    assert rule["ports"] == [{"port": 8080}]
    assert rule["from"]
    (inside,) = dagster["spec"]["ingress"]
    assert inside["from"] == [{"podSelector": dagster["spec"]["podSelector"]}]
