"""`vivavoce ask FOLDER "question"`: one question, from the documents of any folder, at once."""

import hashlib
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

_RUN_TIME = {"store", ".venv", "node_modules", "__pycache__"}
"""Folders that hold no documents of anybody."""


@app.command()
def ask(
    folder: Annotated[Path, typer.Argument(help="Folder of documents, or one document.")],
    question: Annotated[str, typer.Argument(help='For example "When are you open?".')],
    model: Annotated[
        str | None,
        typer.Option(
            help="Model string that answers; unset: VIVAVOCE_LLM, or sentences of the documents."
        ),
    ] = None,
) -> None:
    """Answer one question from the documents in a folder, with where the answer stands.

    The folder is left as it is: what was read is kept in the user's cache, so that the next
    question reads only what changed.
    """
    from analysis.printable import printable_lines
    from conversation.agent.agent_file import parse_agent
    from conversation.agent.models.llm_config import EXTRACTIVE, LLMConfig
    from conversation.session.session import Session
    from conversation.store.store import ConversationStore
    from kb.config import KnowledgeBaseConfig, Limits
    from kb.document import FileSource
    from kb.knowledge_base import KnowledgeBase
    from orchestration.deployment import Deployment
    from orchestration.settings import load_settings
    from orchestration.terminal.progress import ProgressDisplay
    from orchestration.terminal.reply import show_reply

    if not question.strip():
        raise typer.BadParameter("a question has words", param_hint="question")
    files = _documents_in(folder)
    settings = load_settings()
    llm = LLMConfig(model=model or settings.llm or EXTRACTIVE)
    agent = parse_agent("agent_id: answer\nname: Answer\ntemplate: support\n", origin="ask")
    agent = agent.model_copy(update={"llm": llm})
    config = KnowledgeBaseConfig(limits=Limits(max_documents=None, max_total_bytes=None))
    progress = ProgressDisplay(sys.stderr)
    with (
        Deployment(settings, progress=progress) as deployment,
        KnowledgeBase.open(_kept(folder), config, weights=deployment.weights) as documents,
        ConversationStore.open("sqlite://") as store,
    ):
        report = documents.sync([FileSource(file) for file in files], progress=progress)
        for row in report.rows:
            if row.action == "failed":
                typer.echo(f"{printable_lines(row.name)} is left out: {row.detail}", err=True)
        if not any(each.status == "ready" for each in documents.documents()):
            typer.echo(
                f"Nothing in {printable_lines(str(folder))!r} can be answered from.", err=True
            )
            raise typer.Exit(1)
        model_of_it = deployment.chat_model(llm)
        with Session.start(
            agent, knowledge_base=documents, store=store, chat_model=model_of_it
        ) as session:
            show_reply("Answer", session.reply(question), ProgressDisplay(sys.stdout))
    if llm.model == EXTRACTIVE and not (model or settings.llm):
        typer.echo(
            "(Quoted, without a language model: name one with --model or VIVAVOCE_LLM.)", err=True
        )


def _documents_in(folder: Path) -> list[Path]:
    from conversation.agent.document_files import listed_files
    from orchestration.errors import NoDataError

    if not folder.exists():
        raise NoDataError(f"There is no folder or file {str(folder)!r} to answer from.")
    found = listed_files([str(folder.resolve())], folder)
    base = folder.resolve()
    files = [
        path
        for path in found
        if path == base or not _RUN_TIME.intersection(path.relative_to(base).parts)
    ]
    if not any(path.is_file() for path in files):
        raise NoDataError(f"There is no document in the folder {str(folder)!r}.")
    return files


def _kept(folder: Path) -> Path:
    """Where what was read of a folder is kept."""
    from platformdirs import user_cache_path

    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return user_cache_path("vivavoce") / "asked" / digest
