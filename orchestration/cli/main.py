"""Entry point of the command `vivavoce`."""

import sys

import typer

from analysis.errors import AnalysisError
from conversation.errors import ConversationError
from kb.errors import KnowledgeBaseError
from orchestration.cli import (
    analysing,
    conversing,
    improving,
    ingesting,
    judging,
    labelling,
    operating,
    privacy,
    querying,
    serving,
    voice,
)
from orchestration.errors import OrchestrationError
from orchestration.processes.private_files import make_private

app = typer.Typer(
    name="vivavoce",
    help="Agents that answer from your documents, and reports on their conversations in SQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (
    *(ingesting, conversing, judging, analysing, querying, labelling, improving),
    *(privacy, operating, serving, voice),
):
    app.add_typer(module.app)


def main() -> None:
    """Run one command; an error raised on purpose is one message and exit code 1."""
    make_private()
    try:
        app()
    except (KnowledgeBaseError, ConversationError, AnalysisError, OrchestrationError) as error:
        print(f"vivavoce: {error}", file=sys.stderr)
        sys.exit(1)
