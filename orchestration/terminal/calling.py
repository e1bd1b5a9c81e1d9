"""A call in the terminal: a recording speaks to the agent, and what happens is shown."""

import asyncio
from functools import partial
from pathlib import Path

import typer

from analysis.printable import printable_lines
from conversation.agent.config import AgentConfig
from conversation.errors import ToolError
from conversation.transcript import ToolCall, Transcript, Turn
from conversation.turn.events import AgentTurn
from conversation.voice.call import VoiceCall
from conversation.voice.call_events import CallEvent, DuringTurn, SpeechFailed, UserTurn
from conversation.voice.open_voice import VoiceModels, open_voice_of
from conversation.voice.playing import play_recording
from conversation.voice.ports import Samples
from conversation.voice.recording.call_file import CallFile
from orchestration.agents import InstalledAgent
from orchestration.deployment import Deployment
from orchestration.errors import SoundFileError


async def played_call(
    deployment: Deployment,
    installed: InstalledAgent,
    sound: Samples,
    *,
    out: Path,
    is_fast: bool,
) -> Transcript:
    """Hold a call in which `sound` is the user, show it, and keep it.

    Raises:
        SoundFileError: `out` cannot be written.
        SpeechError: A model of the agent's voice cannot be used.
    """
    # Models that cannot be used are told before a conversation is kept or a file written over.
    agent, open_voice = installed.agent, partial(open_voice_of, weights=deployment.weights)
    own = await asyncio.to_thread(open_voice, agent, folder=installed.path.parent)

    def open_models(config: AgentConfig) -> VoiceModels:
        is_own = config.agent_id == agent.agent_id
        return own if is_own else open_voice(config, folder=deployment.settings.agents_dir)

    call = VoiceCall.start(
        agent,
        open_models=open_models,
        recorder=_new_file(out),
        knowledge_base=deployment.knowledge_base(agent.agent_id),
        store=deployment.conversations,
        chat_model=deployment.chat_model(agent.llm),
        client_tool=_no_application,
        secrets=deployment.secrets,
        resolve_agent=deployment.resolved_agent,
        open_model=deployment.chat_model,
        metadata={"channel": "recording"},
    )
    async with call:
        await play_recording(call, sound, is_fast=is_fast, tell=_show)
        transcript = await call.end()
    if not any(turn.role == "user" for turn in transcript.turns):
        typer.echo("No voice was heard in the recording, so nothing was asked.", err=True)
    return transcript


def _new_file(out: Path) -> CallFile:
    try:
        out.unlink(missing_ok=True)
        return CallFile(out)
    except OSError as error:
        raise SoundFileError(f"{str(out)!r} cannot be written: {error.strerror}.") from error


def _show(event: CallEvent) -> None:
    match event:
        case UserTurn(text=text):
            typer.echo(f"user: {printable_lines(text)}")
        case DuringTurn(event=AgentTurn(turn=turn)):
            heard = printable_lines(turn.text) or "(nothing of it was heard)"
            typer.echo(f"agent: {heard}{_remark(turn)}")
        case SpeechFailed(message=message):
            typer.echo(f"! {message}", err=True)
        case _:
            return


def _remark(turn: Turn) -> str:
    sound = turn.sound
    waited_ms = None if sound is None else sound.speech_end_to_first_audio_ms
    waited = f"  [heard after {waited_ms / 1_000:.2f} s]" if waited_ms is not None else ""
    return f" (interrupted){waited}" if turn.interrupted else waited


def _no_application(call: ToolCall) -> str:
    raise ToolError(f"there is no application behind a recording, so {call.tool_name} did nothing")
