"""Commands about conversations: chat, simulate, replay, import."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.printable import printable_lines
from orchestration.cli.deployment import opened_deployment
from orchestration.settings import may_style
from orchestration.terminal.progress import ProgressDisplay
from orchestration.terminal.reply import show_reply

if TYPE_CHECKING:
    from conversation.importing.written_dates import Order
    from conversation.session.simulating import Follow
    from conversation.transcript import ToolCall, Transcript
    from kb.knowledge_base import KnowledgeBase
    from orchestration.deployment import Deployment

app = typer.Typer()

Agent = Annotated[str, typer.Argument(help="Id of the agent, or the path of its file.")]
Variables = Annotated[
    list[str] | None,
    typer.Option("--variable", help="NAME=VALUE for {{NAME}} in the agent's texts; repeatable."),
]


class DateOrder(StrEnum):
    """What dates of numbers begin with."""

    day = "day-first"
    month = "month-first"
    year = "year-first"


_ORDERS: dict[DateOrder, Order] = {
    DateOrder.day: "day first",
    DateOrder.month: "month first",
    DateOrder.year: "year first",
}


@app.command()
def chat(agent: Agent, variable: Variables = None) -> None:
    """Hold a conversation; it is stored turn by turn. Ctrl-D or /quit ends it."""
    from conversation.agent.models.llm_config import EXTRACTIVE
    from conversation.session.session import Session
    from orchestration.operations.operations import close_abandoned
    from orchestration.terminal.chat import ChatStyle, TerminalChat

    variables = _variables(variable or [])
    with opened_deployment() as deployment:
        configured = deployment.agent(agent).agent
        _warn_of_unread(deployment, agent)
        close_abandoned(deployment, datetime.now(UTC))
        knowledge_base = deployment.knowledge_base(agent)
        session = Session.start(
            configured,
            knowledge_base=knowledge_base,
            store=deployment.conversations,
            chat_model=deployment.chat_model(configured.llm),
            variables=variables,
            client_tool=_no_application,
            secrets=deployment.secrets,
            resolve_agent=deployment.resolved_agent,
            open_model=deployment.chat_model,
            metadata={"channel": "terminal"},
        )
        # Models load while the user reads and types. What goes wrong is told with the first turn.
        warming = threading.Thread(target=_warm_up, args=[knowledge_base], daemon=True)
        warming.start()
        if configured.llm.model == EXTRACTIVE:
            # Where the setting says it, what the agent file says is not in force.
            where = "`llm.model` in the agent file, or VIVAVOCE_LLM"
            where = "VIVAVOCE_LLM, which names none now" if deployment.settings.llm else where
            typer.echo(
                f"({EXTRACTIVE} quotes sentences of the documents. To have answers in words, name "
                f"a language model: {where}.)"
            )
        with session:
            style = ChatStyle.of_terminal(may_style=may_style(sys.stdout))
            store = deployment.conversations
            TerminalChat(session, store, name=configured.name, style=style).run()
        warming.join()
    typer.echo(f"Stored as {session.conversation_id}. `vivavoce evaluate` judges it.")


@app.command()
def simulate(
    agent: Agent,
    persona: Annotated[str, typer.Option(help="Who the user is, in words.")] = "a customer",
    goal: Annotated[str, typer.Option(help="What the user wants, in words.")] = "",
    turns: Annotated[int, typer.Option(min=1, max=100, help="Turns of the user at most.")] = 6,
    script: Annotated[
        Path | None, typer.Option(help="A text file with what the user says, a line a turn.")
    ] = None,
    user_model: Annotated[
        str | None, typer.Option(help="Model string that plays the user; unset: the agent's.")
    ] = None,
    variable: Variables = None,
) -> None:
    """Let a program be the user. The conversation is stored and marked as simulated."""
    from conversation.agent.models.llm_config import EXTRACTIVE
    from conversation.session.simulating import scripted_user
    from conversation.session.simulating import simulate as simulate_conversation
    from orchestration.operations.operations import close_abandoned

    variables = _variables(variable or [])
    said = None if script is None else _lines_of(script)
    with opened_deployment() as deployment:
        configured = deployment.agent(agent).agent
        _warn_of_unread(deployment, agent)
        close_abandoned(deployment, datetime.now(UTC))
        played_by = configured.llm if user_model is None else configured.llm.named(user_model)
        if said is None and played_by.model == EXTRACTIVE:
            raise typer.BadParameter(
                f"{EXTRACTIVE} can only quote documents, it cannot play a user; name a language "
                "model, or give what the user says with --script",
                param_hint="--user-model",
            )
        transcript = simulate_conversation(
            configured,
            persona,
            goal,
            max_turns=turns if said is None else len(said) + 1,
            user=None if said is None else scripted_user(said),
            user_model=deployment.chat_model(played_by),
            knowledge_base=deployment.knowledge_base(agent),
            store=deployment.conversations,
            chat_model=deployment.chat_model(configured.llm),
            begun=lambda session: _show_first(configured.name, session.first_message),
            follow=_printing(configured.name),
            variables=variables,
            client_tool=_no_application,
            secrets=deployment.secrets,
            resolve_agent=deployment.resolved_agent,
            open_model=deployment.chat_model,
        )
    _show_end(transcript)


@app.command()
def replay(
    conversation: Annotated[str, typer.Argument(help="Id of the recorded conversation.")],
    agent: Annotated[
        str | None, typer.Option(help="Who answers now; unset: the same agent as it is today.")
    ] = None,
    variable: Variables = None,
) -> None:
    """Ask everything again that a user said, and show the answers of then and now."""
    from conversation.session.simulating import paired_answers
    from conversation.session.simulating import replay as replay_conversation

    variables = _variables(variable or [])
    with opened_deployment() as deployment:
        recorded = deployment.conversations.transcript(conversation)
        answering = agent or recorded.agent_id
        configured = deployment.agent(answering).agent
        _warn_of_unread(deployment, answering)
        transcript = replay_conversation(
            recorded,
            configured,
            knowledge_base=deployment.knowledge_base(answering),
            store=deployment.conversations,
            chat_model=deployment.chat_model(configured.llm),
            variables=variables,
            client_tool=_no_application,
            secrets=deployment.secrets,
            resolve_agent=deployment.resolved_agent,
            open_model=deployment.chat_model,
        )
    for said, then, now in paired_answers(recorded, transcript):
        typer.echo(f"user: {printable_lines(said)}")
        if then == now:
            typer.echo(f"  then and now: {printable_lines(now)}\n")
        else:
            typer.echo(f"  then: {printable_lines(then)}\n  now:  {printable_lines(now)}\n")
    _show_end(transcript)


@app.command(name="import")
def import_command(
    paths: Annotated[
        list[Path], typer.Argument(help="Transcripts and recordings, or folders of them.")
    ],
    agent: Annotated[str, typer.Option(help="Agent of transcripts that name none.")],
    agent_speaker: Annotated[
        list[str] | None,
        typer.Option(
            help="Name that the files give to an agent, or channel of recordings that is the "
            "agent's (left, right); repeat it for several."
        ),
    ] = None,
    user_speaker: Annotated[
        list[str] | None,
        typer.Option(help="Name that the files give to a user; repeat it for several."),
    ] = None,
    date_column: Annotated[
        str | None, typer.Option(help="Column of tables with the moment of each message.")
    ] = None,
    user_column: Annotated[
        str | None, typer.Option(help="Column of tables with the id of the user.")
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="What a column of tables means, MEANING=COLUMN with one of id, speaker, text, "
            "time, user; repeat it for several.",
        ),
    ] = None,
    date_order: Annotated[
        DateOrder | None,
        typer.Option(
            help="What dates such as 05/06/26 in tables and texts begin with, where no other date "
            "of the file tells."
        ),
    ] = None,
) -> None:
    """Take in finished conversations from elsewhere; those that are there already are left."""
    from conversation.importing.files import ImportFailedError, ImportReport, RejectedRecord
    from orchestration.operations.operations import import_transcripts
    from orchestration.terminal.rows import import_summary

    columns = _columns(mapped or [], time=date_column, user=user_column)
    report = ImportReport()
    with opened_deployment() as deployment:
        agent_id = deployment.agent(agent).agent.agent_id
        for path in paths:
            try:
                report += import_transcripts(
                    deployment,
                    path,
                    agent_id,
                    agent_speakers=agent_speaker or (),
                    user_speakers=user_speaker or (),
                    columns=columns,
                    date_order=_ORDERS[date_order] if date_order else None,
                )
            except ImportFailedError as error:
                if len(paths) == 1:
                    raise
                # A name that is wrong costs the other files nothing, nor their summary.
                report.rejected.append(RejectedRecord(str(path), str(error)))
    typer.echo(import_summary(report))
    if report.rejected or report.differing:
        raise typer.Exit(1)


def _columns(mapped: Sequence[str], **named: str | None) -> dict[str, str]:
    """Columns of tables by what they mean."""
    from conversation.importing.tables import MEANINGS

    columns = {meaning: column for meaning, column in named.items() if column is not None}
    for entry in mapped:
        meaning, equals, column = entry.partition("=")
        if not equals or not column or meaning not in MEANINGS:
            raise typer.BadParameter(
                f"{entry!r}: write MEANING=COLUMN, with one of {', '.join(MEANINGS)}",
                param_hint="--map",
            )
        columns[meaning] = column
    return columns


def _no_application(call: ToolCall) -> str:
    """What a client tool gives where there is no client."""
    return f"There is no application behind this terminal, so {call.tool_name} did nothing."


def _warm_up(knowledge_base: KnowledgeBase) -> None:
    from kb.errors import KnowledgeBaseError

    with suppress(KnowledgeBaseError):
        knowledge_base.warm_up()


def _variables(given: Iterable[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--variable")
        values[name.strip()] = value
    return values


def _lines_of(script: Path) -> list[str]:
    try:
        lines = [line.strip() for line in script.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(
            f"{script} cannot be read: {error}", param_hint="--script"
        ) from error
    said = [line for line in lines if line]
    if not said:
        raise typer.BadParameter(f"{script} has no words in it", param_hint="--script")
    return said


def _warn_of_unread(deployment: Deployment, agent: str) -> None:
    from orchestration.knowledge.sources import unread_sources

    unread = unread_sources(deployment, agent)
    failed = [
        document.name
        for document in deployment.knowledge_base(agent).documents()
        if document.status == "failed"
    ]
    if failed:
        typer.echo(
            f"Could not be read, so not known to the agent: {printable_lines(', '.join(failed))}. "
            f"`vivavoce kb status {agent}` says why.\n",
            err=True,
        )
    if unread:
        typer.echo(
            f"Not read yet, so not known to the agent: {', '.join(unread)}. "
            f"`vivavoce ingest {agent}` reads them.\n",
            err=True,
        )


def _printing(name: str) -> Follow:
    from conversation.turn.events import SessionEvent

    progress = ProgressDisplay(sys.stdout)

    def follow(said: str, events: Iterable[SessionEvent]) -> None:
        progress.say(f"\nuser: {printable_lines(said)}")
        show_reply(name, events, progress)

    return follow


def _show_first(name: str, first_message: str) -> None:
    if first_message:
        typer.echo(f"{name}: {printable_lines(first_message)}")


def _show_end(transcript: Transcript) -> None:
    typer.echo(
        f"Stored as {transcript.conversation_id}, simulated, {transcript.end_reason}. "
        "Reports keep it apart from those of real users."
    )
