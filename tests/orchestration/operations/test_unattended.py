"""Nothing is judged by itself before somebody allowed it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from orchestration.definitions import automation
from orchestration.deployment import Deployment
from orchestration.errors import SettingsError
from orchestration.operations.unattended import (
    Unattended,
    answer_in_force,
    keep_answer,
    variables_of,
    waiting_for_a_judge,
)
from orchestration.settings import Settings
from orchestration.terminal.allowing import told, unattended_judging
from tests.analysis.calls import hold_call
from tests.orchestration.sample import FIRST_DAY, write_data


def test_nobody_has_allowed_it_at_first(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    assert answer_in_force(settings) is None
    assert variables_of(None) == {"VIVAVOCE_JUDGE_UNATTENDED": "false"}


@pytest.mark.parametrize("answer", [Unattended(True, 2.5), Unattended(True), Unattended(False)])
def test_an_answer_holds_for_later_starts(tmp_path: Path, answer: Unattended):
    settings = Settings(data_dir=tmp_path)
    keep_answer(settings, answer)
    assert answer_in_force(settings) == answer
    told_to = variables_of(answer)
    assert told_to["VIVAVOCE_JUDGE_UNATTENDED"] == str(answer.allowed).lower()
    assert told_to.get("VIVAVOCE_MAX_JUDGE_USD_PER_DAY") == (
        None if answer.max_usd_per_day is None else str(answer.max_usd_per_day)
    )


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"max_judge_usd_per_day": 3.0}, Unattended(True, 3.0)),
        ({"judge_unattended": False, "max_judge_usd_per_day": 3.0}, Unattended(False, 3.0)),
        ({"judge_unattended": True}, Unattended(True)),
    ],
)
def test_the_settings_are_an_answer(tmp_path: Path, given: dict[str, Any], answer: Unattended):
    keep_answer(Settings(data_dir=tmp_path), Unattended(False))
    assert answer_in_force(Settings(data_dir=tmp_path, **given)) == answer


@pytest.mark.parametrize("text", ["", "[]", '{"allowed": true, "zzz": 1}'])
def test_a_broken_answer_is_not_taken_for_a_yes(tmp_path: Path, text: str):
    settings = Settings(data_dir=tmp_path)
    settings.store.mkdir(parents=True)
    (settings.store / "unattended.json").write_text(text)
    with pytest.raises(SettingsError, match="asks again"):
        answer_in_force(settings)


def test_without_a_terminal_nothing_is_asked_and_nothing_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = write_data(tmp_path)
    with Deployment(settings) as deployment:
        hold_call(deployment.conversations, "c1", started_at=FIRST_DAY)
    assert unattended_judging(settings) is None
    shown = capsys.readouterr().out
    assert "1 conversation to be judged: " in shown
    assert "VIVAVOCE_MAX_JUDGE_USD_PER_DAY" in shown


def test_what_waits_is_priced_by_the_settings(tmp_path: Path):
    settings = write_data(tmp_path).model_copy(
        update={"llm_prices": "scripted/model=1000/1000", "llm": None}
    )
    with Deployment(settings) as deployment:
        hold_call(deployment.conversations, "c1", started_at=FIRST_DAY)
        estimate = waiting_for_a_judge(deployment, now=datetime.now(UTC))
    assert estimate.cost_usd == pytest.approx(estimate.tokens / 1_000)
    assert f"{estimate.cost_usd:.2f} USD" in told(estimate)


def test_sensor_and_schedule_say_why_they_wait(tmp_path: Path):
    settings = write_data(tmp_path).model_copy(update={"judge_unattended": False})
    with Deployment(settings) as deployment, dg.DagsterInstance.ephemeral() as instance:
        hold_call(deployment.conversations, "c1", started_at=FIRST_DAY)
        sensor: Any = automation.conversations_ended(
            dg.build_sensor_context(instance=instance), deployment=deployment
        )
        schedule: Any = automation.hourly_left_overs(
            dg.build_schedule_context(
                instance=instance, scheduled_execution_time=datetime.now(UTC)
            ),
            deployment=deployment,
        )
    for answer in (sensor.skip_reason, schedule):
        assert "--judge" in answer.skip_message
    assert not sensor.run_requests
    assert sensor.cursor is None


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("y\n\n", Unattended(True, 1.0)),
        ("y\n2.5\n", Unattended(True, 2.5)),
        ("y\nmany\n-1\nnone\n", Unattended(True)),
        ("n\n", Unattended(False)),
        ("\n", Unattended(False)),
    ],
)
def test_on_a_terminal_it_is_asked_once(tmp_path: Path, typed: str, answer: Unattended):
    settings = write_data(tmp_path)
    runner = CliRunner()
    with runner.isolation(typed), pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys.stdin, "isatty", lambda: True)
        assert unattended_judging(settings) == answer
    with runner.isolation(""):
        assert unattended_judging(settings) == answer
