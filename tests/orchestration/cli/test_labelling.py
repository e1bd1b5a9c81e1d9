import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli.main import app
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.settings import Settings
from tests.conftest import REPOSITORY
from tests.orchestration.sample import AGENT_FILE, hold_calls, sample_deployment, write_data

COMMAND = "from orchestration.cli.main import main; main()"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    settings = write_data(tmp_path / "data")
    with sample_deployment(settings) as deployment:
        hold_calls(deployment, 4)
        evaluate(deployment)
        publish_reports(deployment)
    return settings


def run(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=said, catch_exceptions=False)


@pytest.mark.slow
def test_a_person_labels_takes_back_quits_and_goes_on(settings: Settings):
    shown = run("label", "--annotator", "ann", said="s\nb\nx\nn\nno answer\nf\nq\n").output
    assert "--- 1 of 4: c" in shown
    assert "helped: The user got an answer." in shown
    assert shown.index("How long do refunds take?") < shown.index("The judge says success")
    assert "The judge says success, as you do: Answered." in shown
    assert "The judge says success, you do not" in shown
    assert "b: take the last answer back" in shown
    assert "1 of 4 labelled, the judge agrees on 0 of 1." in shown

    again = run("label", "helped", "--annotator", "ann", said="s\nk\n").output
    assert "--- 1 of 3: c" in again
    assert "1 of 3 labelled, the judge agrees on 1 of 1." in again

    others = run("label", "helped", "--annotator", "bo", "--second-opinion", said="s\ns\n").output
    assert "2 of 2 labelled" in others
    nothing = run("label", "helped", "--annotator", "bo", "--second-opinion").output
    assert "No conversation judged by 'helped' is left that others labelled." in nothing

    calibration = run("calibration", "helped").output
    assert "labels        1 by 2 people" in calibration
    assert "19 more are needed (`vivavoce label helped`)" in calibration
    assert "Krippendorff's alpha" in calibration


def test_labels_are_written_to_a_file_and_read_back(settings: Settings, tmp_path: Path):
    run("label", "helped", "--annotator", "ann", said="s\nf\nq\n")
    assert "2 labels written" in run("labels", "export", "labels.csv").output
    text = (tmp_path / "labels.csv").read_text().replace(",ann,", ",cy,")
    (tmp_path / "labels.csv").write_text(text + "elsewhere,helped,success,cy,,\n")
    shown = run("labels", "import", "labels.csv").output
    assert "3 labels taken in." in shown
    assert "1 conversations of them are not here" in shown
    assert "3 labels written" in run("labels", "export", "c.csv", "--annotator", "cy").output


def test_what_is_masked_is_not_shown_to_annotators(settings: Settings):
    text = AGENT_FILE + "privacy: {redact: true}\n"
    (settings.agents_dir / "shop-desk.yaml").write_text(text)
    with sample_deployment(settings) as deployment:
        from tests.analysis.calls import hold_call

        hold_call(deployment.conversations, "c9", question="I am ann@example.org, and waiting.")
        evaluate(deployment)
        publish_reports(deployment)
    shown = run("label", "helped", "--annotator", "ann", said="k\n" * 9).output
    assert "I am [EMAIL_1], and waiting." in shown
    assert "ann@example.org" not in shown


@pytest.mark.slow
def test_it_works_at_a_terminal(settings: Settings, tmp_path: Path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "label", "--annotator", "ann"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "dumb"},
    )
    os.close(theirs)
    shown = b""
    for awaited, typed in (
        (b"--- 1 of 4", b"s\n"),
        (b"--- 2 of 4", b"f\n"),
        (b"--- 3 of 4", b"\x04"),
    ):
        while awaited not in shown or not shown.rstrip().endswith(b"[q]uit:"):
            shown += os.read(ours, 4_096)
        os.write(ours, typed)
    # Linux reports the end of a terminal as an input error.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 4_096):
            shown += piece
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"2 of 4 labelled" in shown
