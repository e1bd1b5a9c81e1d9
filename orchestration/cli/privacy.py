"""Commands about what is kept of people: forget, retention."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.deployment import opened_deployment, progress
from orchestration.terminal.tables import text_table

if TYPE_CHECKING:
    from orchestration.operations.forgetting import Receipt, ReceiptLine
    from orchestration.operations.retention import Due

app = typer.Typer()


@app.command(name="forget")
def forget_command(
    conversation: Annotated[
        str | None, typer.Option(help="Id of the conversation to forget.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="`user_id` whose conversations to forget.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a conversation, or all of a user, everywhere, and print a receipt."""
    from orchestration.operations.forgetting import forget

    if not yes and sys.stdin.isatty():
        what = f"conversation {conversation!r}" if conversation else f"every word of user {user!r}"
        typer.confirm(f"Delete {what} for good?", abort=True)
    with opened_deployment(progress()) as deployment:
        receipt = forget(
            deployment, now=datetime.now(UTC), conversation_id=conversation, user_id=user
        )
    typer.echo(receipt_text(receipt))


@app.command()
def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be deleted.")
    ] = False,
) -> None:
    """Delete what is older than the agent files allow (`privacy: {transcripts_days: 90}`)."""
    from orchestration.operations.retention import apply_retention, due_for_deletion

    now = datetime.now(UTC)
    with opened_deployment(progress()) as deployment:
        if dry_run:
            due = due_for_deletion(deployment, now=now)
            typer.echo(_due_text(due) or "Nothing is kept longer than its agent allows.")
            return
        run = apply_retention(deployment, now=now)
    typer.echo(_due_text(run.due) or "Nothing is kept longer than its agent allows.")
    if run.lines:
        typer.echo(f"\n{_lines_text(run.lines)}")
    for place in run.not_reached:
        typer.echo(f"Not reached: {place}")


def receipt_text(receipt: Receipt) -> str:
    """The receipt for people: what was deleted where, and what was not reached."""
    count = len(receipt.conversation_ids)
    lines = [
        f"Forgotten at {receipt.forgotten_at:%Y-%m-%d %H:%M:%S} UTC: {count} "
        f"conversation{'s' if count != 1 else ''} ({', '.join(receipt.conversation_ids)})",
        "",
        _lines_text(receipt.lines),
        "",
        f"{receipt.files_searched} files below the store were searched afterwards for what the "
        "user said.",
        "Not reached:",
        *(f"- {place}" for place in receipt.not_reached),
    ]
    return "\n".join(lines)


def _lines_text(lines: tuple[ReceiptLine, ...]) -> str:
    rows = [[line.place, line.count, line.what] for line in lines]
    return text_table(["place", "count", "of what"], rows)


def _due_text(due: list[Due] | tuple[Due, ...]) -> str:
    if not due:
        return ""
    rows = [[each.agent_id, each.kept, each.days, len(each.conversation_ids)] for each in due]
    return text_table(["agent", "what", "days kept", "conversations older"], rows)
