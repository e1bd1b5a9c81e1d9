"""Commands about people's own verdicts: label, labels, calibration."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from analysis.columns import wrapped
from analysis.printable import printable_lines
from orchestration.cli.deployment import opened_deployment, progress

if TYPE_CHECKING:
    from analysis.labels.labelling import Answered, LabellingSession
    from conversation.store.store import ConversationStore
    from conversation.transcript import Transcript
    from orchestration.deployment import Deployment

app = typer.Typer()
labels = typer.Typer(help="Take labels in from a file, or write them to one.", no_args_is_help=True)
app.add_typer(labels, name="labels")

_WIDTH = 100
_KEYS = "[s]uccess  [f]ailure  [u]nknown  [n]ote  s[k]ip  [b]ack  [q]uit: "
_HELP = (
    "s, f, u: your verdict. n: write a note, then the verdict. k: leave it for another time. "
    "b: take the last answer back. q or Ctrl-D: stop; every answer is stored already."
)
Key = Literal["success", "failure", "unknown", "note", "skip", "back", "quit", "help"]
_MEANING: dict[str, Key] = {
    "s": "success",
    "f": "failure",
    "u": "unknown",
    "n": "note",
    "k": "skip",
    "b": "back",
    "q": "quit",
}
_WORDS: dict[str, Key] = {meaning: meaning for meaning in (*_MEANING.values(), "help")}


@app.command()
def label(
    criterion: Annotated[
        str | None, typer.Argument(help="Criterion to judge by; unset: the least labelled one.")
    ] = None,
    agent: Annotated[str | None, typer.Option(help="Only this agent's conversations.")] = None,
    annotator: Annotated[
        str | None, typer.Option(help="Who you are; unset: your user name here.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Conversations to go through.")] = 20,
    second_opinion: Annotated[
        bool,
        typer.Option("--second-opinion", help="Those that others labelled and you did not."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Another one draws other conversations.")] = 0,
) -> None:
    """Go through the conversations whose label tells most about the judge."""
    from analysis.labels.agreement import conversations_to_label
    from analysis.labels.calibration import calibrations, next_criterion
    from analysis.labels.labelling import LabellingSession
    from analysis.reports import open_reports
    from orchestration.operations.operations import publish_reports

    who = annotator or getpass.getuser()
    with opened_deployment(progress()) as deployment:
        _publish_if_outdated(deployment)
        with open_reports(deployment.reports_file) as connection:
            asked = criterion or next_criterion(connection, agent_id=agent)
            calibrations(connection, criterion_id=asked, agent_id=agent)
            ids = conversations_to_label(
                connection,
                asked,
                agent_id=agent,
                limit=limit,
                seed=seed,
                second_opinion_of=who if second_opinion else None,
            )
        session = LabellingSession(
            deployment.evaluations, asked, annotator=who, conversation_ids=ids
        )
        _walk(deployment, session, asked)
        if session.answered:
            publish_reports(deployment)
    typer.echo(_closing(session, asked, second_opinion))


@labels.command(name="import")
def import_labels(
    path: Annotated[Path, typer.Argument(help="CSV with a header.")],
) -> None:
    """Take in labels: columns conversation_id, criterion_id, verdict, annotator, and note.

    A newer label of the same person replaces the older one.
    """
    from analysis.labels.agreement import read_labels

    found = read_labels(path)
    with opened_deployment() as deployment:
        known = {row.conversation_id for row in deployment.conversations.conversations()}
        deployment.evaluations.add_labels(found, now=datetime.now(UTC))
    typer.echo(f"{len(found)} labels taken in.")
    if unknown := sorted({each.conversation_id for each in found} - known):
        typer.echo(
            f"{len(unknown)} conversations of them are not here, so their labels count nothing "
            f"yet: {', '.join(unknown[:5])}{' ...' if len(unknown) > 5 else ''}"
        )


@labels.command(name="export")
def export_labels(
    path: Annotated[Path, typer.Argument(help="CSV file to write.")],
    criterion: Annotated[str | None, typer.Option(help="Only this criterion.")] = None,
    annotator: Annotated[str | None, typer.Option(help="Only this person.")] = None,
) -> None:
    """Write labels to a CSV file that `labels import` reads."""
    from analysis.labels.agreement import write_labels
    from analysis.labels.labelling import all_labels

    with opened_deployment() as deployment:
        found = all_labels(deployment.evaluations, criterion_id=criterion, annotator=annotator)
    typer.echo(f"{write_labels(found, path)} labels written to {path}.")


@app.command()
def calibration(
    criterion: Annotated[str | None, typer.Argument(help="Only this criterion.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only this agent.")] = None,
) -> None:
    """Show how far each judge can be believed, and the success rate that people would give."""
    from analysis.labels.calibration import calibrations
    from analysis.labels.calibration_text import calibrations_as_text
    from analysis.reports import open_reports

    with opened_deployment(progress()) as deployment:
        _publish_if_outdated(deployment)
        with open_reports(deployment.reports_file) as connection:
            found = calibrations(connection, criterion_id=criterion, agent_id=agent)
    typer.echo(calibrations_as_text(found))


def _publish_if_outdated(deployment: Deployment) -> None:
    from orchestration.operations.operations import outdated_days, publish_reports

    if not deployment.reports_file.exists() or outdated_days(deployment):
        publish_reports(deployment)


def _walk(deployment: Deployment, session: LabellingSession, criterion_id: str) -> None:
    from orchestration.operations.masking import redacted_conversations, usable_agents

    conversations = redacted_conversations(deployment)
    questions = {
        agent.agent_id: criterion.prompt
        for agent in usable_agents(deployment)
        for criterion in agent.criteria
        if criterion.criterion_id == criterion_id
    }
    shown: str | None = None
    while (conversation_id := session.current) is not None:
        if shown != conversation_id:
            _show(conversations, session, criterion_id, questions)
            shown = conversation_id
        key = _asked()
        if key == "quit":
            return
        note = None
        if key == "note":
            note, key = _line("note: "), _asked()
        if key in ("success", "failure", "unknown"):
            typer.echo(_outcome(session.answer(key, note)))
        elif key == "skip":
            session.skip()
        elif key == "back" and session.undo() is None:
            typer.echo("This is the first one.")
        elif key in ("help", "note", "quit"):
            typer.echo(_HELP)


def _show(
    conversations: ConversationStore,
    session: LabellingSession,
    criterion_id: str,
    questions: dict[str, str],
) -> None:
    transcript = conversations.transcript(str(session.current))
    question = questions.get(transcript.agent_id, "(the agent file has no such criterion any more)")
    typer.echo(
        f"\n--- {session.position} of {session.total}: {session.current} "
        f"({transcript.agent_id}, {len(transcript.turns)} turns)\n"
    )
    typer.echo(transcript_text(transcript))
    typer.echo(f"\n{criterion_id}: {printable_lines(question)}")


def transcript_text(transcript: Transcript) -> str:
    """A conversation as the person who labels it reads it, uses of tools included."""
    from analysis.shown.tools import tool_lines

    lines: list[str] = []
    for index, turn in enumerate(transcript.turns):
        for used in tool_lines(turn.tool_calls):
            lines += wrapped(f"{index:>3}  {'tool':<6} ", printable_lines(used), _WIDTH)
        cut = " [interrupted]" if turn.interrupted else ""
        lines += wrapped(
            f"{index:>3}  {turn.role:<6} ", f"{printable_lines(turn.text)}{cut}", _WIDTH
        )
    return "\n".join(lines)


def _asked() -> Key:
    said = _line(_KEYS)
    if said is None:
        return "quit"
    word = said.strip().lower()
    return _MEANING.get(word) or _WORDS.get(word) or "help"


def _line(prompt: str) -> str | None:
    """A line of the person; None at the end of the input, and at Ctrl-C."""
    # `input` would write it to standard error.
    typer.echo(prompt, nl=False)
    try:
        return input()
    except (EOFError, KeyboardInterrupt):
        typer.echo()
        return None


def _outcome(answered: Answered) -> str:
    judged = answered.judged
    if judged is None or judged.verdict is None:
        return "The judge has no verdict on it."
    sure = f" ({judged.confidence:.2f})" if judged.confidence is not None else ""
    agrees = "as you do" if answered.agrees else "you do not"
    because = f": {printable_lines(judged.rationale)}" if judged.rationale else ""
    return f"The judge says {judged.verdict}{sure}, {agrees}{because}"


def _closing(session: LabellingSession, criterion_id: str, second_opinion: bool) -> str:
    if session.total == 0:
        what = "that others labelled" if second_opinion else "without a label"
        return f"No conversation judged by {criterion_id!r} is left {what}."
    decided = [each.agrees for each in session.answered if each.agrees is not None]
    agreed = f", the judge agrees on {sum(decided)} of {len(decided)}" if decided else ""
    return (
        f"\n{len(session.answered)} of {session.total} labelled{agreed}. "
        f"`vivavoce calibration {criterion_id}` shows what follows; `vivavoce label "
        f"{criterion_id}` goes on."
    )
