"""Commands about voices and ears: voice check, call."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.printable import printable_lines
from orchestration.cli.deployment import opened_deployment
from orchestration.errors import SoundFileError

if TYPE_CHECKING:
    from orchestration.checks.voice import VoiceCheck

app = typer.Typer()
_voice = typer.Typer(no_args_is_help=True, help="What voice calls hear and speak with.")
app.add_typer(_voice, name="voice")


@_voice.callback()
def _group() -> None:
    """What voice calls hear and speak with."""


@_voice.command()
def check(
    agent: Annotated[
        str | None,
        typer.Argument(help="Id of an agent whose voice and ears are tried; else the defaults."),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="File that the spoken sentence is written to.")
    ] = Path("voice-check.wav"),
) -> None:
    """Fetch the models of voice calls, speak a sentence, hear it again; say how long it took."""
    from conversation.agent.models.voice_config import VoiceSection
    from orchestration.checks.voice import check_voice

    with opened_deployment(needs_data=False) as deployment:
        installed = None if agent is None else deployment.agent(agent)
        section, language = VoiceSection(), "en"
        if installed is not None:
            section = (installed.agent.voice or section).beside(installed.path.parent)
            language = installed.agent.language
        found = check_voice(
            section,
            language=language,
            weights=deployment.weights,
            file=output,
        )
    typer.echo(_summary(found))
    if not found.is_understood:
        raise typer.Exit(1)


@app.command()
def call(
    agent: Annotated[str, typer.Argument(help="Id of the agent, or the path of its file.")],
    recording: Annotated[Path, typer.Argument(help="Sound file that is the user's microphone.")],
    out: Annotated[
        Path, typer.Option(help="Two-channel WAV file of the whole call: user left, agent right.")
    ] = Path("call.wav"),
    fast: Annotated[
        bool, typer.Option("--fast", help="Pass over pauses in which nobody has anything to do.")
    ] = False,
) -> None:
    """Play a recording to an agent as a user's voice; write the call and its transcript."""
    import asyncio

    from conversation.voice.recording.reading import read_sound
    from orchestration.operations.operations import close_abandoned
    from orchestration.terminal.calling import played_call

    words = _transcript_beside(out, recording)
    with opened_deployment() as deployment:
        installed = deployment.agent(agent)
        close_abandoned(deployment, datetime.now(UTC))
        transcript = asyncio.run(
            played_call(deployment, installed, read_sound(recording), out=out, is_fast=fast)
        )
    text = json.dumps(transcript.model_dump(mode="json", exclude_defaults=True), indent=2)
    try:
        words.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise SoundFileError(f"{str(words)!r} cannot be written: {error.strerror}.") from error
    typer.echo(f"The call is in {out}, its transcript in {words}.")
    typer.echo(f"Stored as {transcript.conversation_id}. `vivavoce evaluate` judges it.")


def _transcript_beside(out: Path, recording: Path) -> Path:
    """Where the transcript goes of a call that is written to `out`.

    Raises:
        SoundFileError: One of the files would take the place of another.
    """
    if out.exists() and recording.exists() and out.samefile(recording):
        raise SoundFileError(
            f"{str(out)!r} is the recording that is to be played, and the call would take its "
            "place. Name another file with --out."
        )
    words = out.with_suffix(".json")
    if words == out or words.is_dir():
        raise SoundFileError(
            f"The transcript of the call would go to {str(words)!r}, where it cannot be. Name a "
            "file with --out that ends in .wav."
        )
    return words


def _summary(found: VoiceCheck) -> str:
    load = "" if found.busy is None else f"; {found.busy:.1f} processes wanted them meanwhile"
    verdict = "" if found.is_understood else "\nThat is not what was said: voice calls will not do."
    return f"""spoken by {found.voice} into {found.file}:
  {found.said}
heard by {found.ear}:
  {printable_lines(found.heard)}{verdict}

On this machine ({found.cores} cores{load}):
  models ready              {found.load_s:6.2f} s
  first sound of a sentence {found.first_sound_s:6.2f} s
  the sentence, {found.spoken_s:4.1f} s long  {found.speak_s:6.2f} s
  voice in a frame or not   {found.frame_s * 1000:6.2f} ms of every 32
  words of the sentence     {found.hear_s:6.2f} s
  end of a turn or not      {found.turn_end_s:6.2f} s, beside the words
  from the end of a question to the first sound of an answer, but for finding the answer:
                            {found.answer_s:6.2f} s"""
