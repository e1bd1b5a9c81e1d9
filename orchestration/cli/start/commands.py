"""Every command with the module that holds it, so that one command loads one module."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a group of them."""

    module: str
    """In `orchestration.cli`."""
    told: str
    """What it does, in one line; the first of its help."""


COMMANDS = {
    "init": Command(
        "start.beginning",
        "Make a folder for agents: an agent file, documents, `.env` and `.gitignore`.",
    ),
    "ask": Command(
        "start.asking",
        "Answer one question from the documents in a folder, with where the answer stands.",
    ),
    "agents": Command(
        "ingesting",
        "List the agents, also the files that cannot be used, each with the reason.",
    ),
    "ingest": Command(
        "ingesting",
        "Read the agent's files, links, sites and texts; only what changed is read again.",
    ),
    "kb": Command(
        "ingesting",
        "Look into an agent's knowledge base.",
    ),
    "chat": Command(
        "conversing",
        "Hold a conversation; it is stored turn by turn. Ctrl-D or /quit ends it.",
    ),
    "simulate": Command(
        "conversing",
        "Let a program be the user. The conversation is stored and marked as simulated.",
    ),
    "replay": Command(
        "conversing",
        "Ask everything again that a user said, and show the answers of then and now.",
    ),
    "import": Command(
        "conversing",
        "Take in finished conversations from elsewhere; those that are there already are left.",
    ),
    "evaluate": Command(
        "judging",
        "Judge what has not been judged yet, then publish the reports.",
    ),
    "compare": Command(
        "judging",
        "List the conversations on which two versions of a criterion, or two judges, disagree.",
    ),
    "report": Command(
        "analysing",
        "Show success rates, topics, gaps, conversations to look at, cost and latency.",
    ),
    "dictionary": Command(
        "analysing",
        "Print what every table, view and column of the reports means, as Markdown.",
    ),
    "why": Command(
        "analysing",
        "Follow a verdict or a value back to quoted turns, passages, documents and their source.",
    ),
    "sql": Command(
        "querying",
        "Run a query on the published reports; it can read them and nothing else.",
    ),
    "shell": Command(
        "querying",
        "Ask the published reports query after query; they can be read and nothing else.",
    ),
    "export": Command(
        "querying",
        "Write a table, a view or what a query finds to a file.",
    ),
    "label": Command(
        "labelling",
        "Go through the conversations whose label tells most about the judge.",
    ),
    "calibration": Command(
        "labelling",
        "Show how far each judge can be believed, and the success rate that people would give.",
    ),
    "labels": Command(
        "labelling",
        "Take labels in from a file, or write them to one.",
    ),
    "gaps": Command(
        "improving",
        "Show what users asked and the documents do not answer; after an ingest, what is fixed.",
    ),
    "topics": Command(
        "improving",
        "Find what conversations are about, and how many there are of each topic.",
    ),
    "impact": Command(
        "improving",
        "Show what a change of the documents does to past turns, before it is switched on.",
    ),
    "forget": Command(
        "privacy",
        "Delete a conversation, or all of a user, everywhere, and print a receipt.",
    ),
    "retention": Command(
        "privacy",
        "Delete what is older than the agent files allow (`privacy: {transcripts_days: 90}`).",
    ),
    "settings": Command(
        "operating",
        "Show every setting, its value in force and what it means; passwords are masked.",
    ),
    "demo": Command(
        "operating",
        "Run the whole path on sample data: ingest, converse, evaluate, publish, report.",
    ),
    "ui": Command(
        "operating",
        "Start the Dagster UI with its daemon, and the API server; Ctrl-C stops them all.",
    ),
    "worker": Command(
        "operating",
        "Take steps of runs from the broker of VIVAVOCE_CELERY_BROKER_URL until stopped.",
    ),
    "dagster": Command(
        "operating",
        "Run Dagster's webserver or its daemon alone, e.g. in a container; `ui` runs both.",
    ),
    "doctor": Command(
        "operating",
        "Look at every part that the settings point at; say what is wrong and what to do about it.",
    ),
    "serve": Command(
        "serving",
        "Serve the agents over HTTP and WebSocket; Ctrl-C lets running turns finish.",
    ),
    "widget": Command(
        "serving",
        "Print the code that puts an agent on a page, and what that page has to allow.",
    ),
    "keys": Command(
        "serving",
        "API keys of the server.",
    ),
    "voice": Command(
        "voice",
        "What voice calls hear and speak with.",
    ),
    "call": Command(
        "voice",
        "Play a recording to an agent as a user's voice; write the call and its transcript.",
    ),
    "conversations": Command(
        "start.reading",
        "List kept conversations, the newest first.",
    ),
    "show": Command(
        "start.reading",
        "Show a conversation: what was said, the passages behind it, verdicts and values.",
    ),
}


_TOLD = "Agents that answer from your documents, and reports on their conversations in SQL."


def version() -> str:
    """The installed version."""
    from importlib.metadata import version as installed

    return installed("vivavoce")


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vivavoce {version()}")
        raise typer.Exit


def _callback(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_tell_version, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Does nothing: its option answers by itself."""


def whole_app() -> typer.Typer:
    """Every command, with everything loaded."""
    return _app_of(dict.fromkeys(command.module for command in COMMANDS.values()))


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """The command that `arguments` name; for a list of commands, all of them by name alone."""
    named = next((each for each in arguments if not each.startswith("-")), None)
    if named in COMMANDS:
        return _app_of([COMMANDS[named].module])
    app = _empty_app()
    for name, command in COMMANDS.items():
        app.command(name=name, short_help=command.told)(_stands_for_it)
    return app


def _app_of(modules: Sequence[str] | dict[str, None]) -> typer.Typer:
    app = _empty_app()
    for module in modules:
        loaded: typer.Typer = import_module(f"orchestration.cli.{module}").app
        for each in (*loaded.registered_commands, *loaded.registered_groups):
            callback = getattr(each, "callback", None)
            name = each.name or getattr(callback, "__name__", "").replace("_", "-")
            # Else the list of commands cuts what they do.
            each.short_help = COMMANDS[name].told if name in COMMANDS else None
        app.add_typer(loaded)
    return app


def _empty_app() -> typer.Typer:
    app = typer.Typer(
        name="vivavoce",
        help=_TOLD,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(help=_TOLD)(_callback)
    return app


def _stands_for_it() -> None:
    """Is listed, and never run: a command that is named is loaded."""
