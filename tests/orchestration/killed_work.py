"""Work of a deployment that is killed at some moment; what it has acknowledged stands in a file."""

import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from conversation.session.session import Session
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.forgetting import forget
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.orchestration.sample import AGENT_FILE, sample_deployment

AGENT = "shop-desk"
MASKED = AGENT_FILE + "privacy: {redact: true}\n"
WORK = ("turns", "ingest", "evaluate", "publish", "forget", "mask", "dagster")

Acknowledge = Callable[[str], None]


def settings_of(folder: Path, store_url: str | None) -> Settings:
    return Settings(data_dir=folder, store_url=store_url)


def work(folder: Path, store_url: str | None, seed: int, acknowledged: Path) -> None:
    """Do one kind of work after the other, and never end."""
    chosen = random.Random(seed)
    descriptor = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def acknowledge(said: str) -> None:
        os.write(descriptor, f"{said}\n".encode())

    with sample_deployment(settings_of(folder, store_url)) as deployment:
        acknowledge("ready")
        number = 0
        while True:
            number += 1
            # The first kind follows the seed, so that every kind is met from its beginning.
            kind = WORK[seed % len(WORK)] if number == 1 else chosen.choice(WORK)
            acknowledge(f"begin {kind}")
            _one(kind, deployment, f"{seed}x{number}", chosen, acknowledge)


def _one(
    kind: str, deployment: Deployment, mark: str, chosen: random.Random, acknowledge: Acknowledge
) -> None:
    if kind == "turns":
        _turns(deployment, mark, acknowledge)
    elif kind == "ingest":
        _ingest(deployment, mark, acknowledge)
    elif kind == "evaluate":
        evaluate(deployment)
    elif kind == "publish":
        publish_reports(deployment)
    elif kind == "forget":
        _forget(deployment, chosen, acknowledge)
    elif kind == "mask":
        path = deployment.settings.agents_dir / "shop-desk.yaml"
        following = path.with_suffix(".next")
        following.write_text(chosen.choice((AGENT_FILE, MASKED)))
        following.replace(path)
        publish_reports(deployment)
    else:
        with opened_instance(deployment) as instance:
            run_job("publish_reports", deployment, definitions=defs, instance=instance)


def _turns(deployment: Deployment, mark: str, acknowledge: Acknowledge) -> None:
    agent = deployment.resolved_agent(AGENT)
    session = Session.start(
        agent.agent,
        knowledge_base=deployment.knowledge_base(AGENT),
        store=deployment.conversations,
        chat_model=deployment.chat_model(agent.agent.llm),
    )
    acknowledge(f"begun {session.conversation_id}")
    for number in range(3):
        words = f"How long do refunds take, {mark} {number}?"
        for _ in session.reply(words):
            pass
        acknowledge(f"turn {session.conversation_id} {words}")
    session.end()
    acknowledge(f"ended {session.conversation_id}")


def _ingest(deployment: Deployment, mark: str, acknowledge: Acknowledge) -> None:
    document = deployment.settings.data_dir / "documents" / "refunds.md"
    document.write_text(f"# Refunds\n\nRefunds take five days. Edition {mark}.\n")
    ingest(deployment, AGENT)
    acknowledge(f"ingested {mark}")


def _forget(deployment: Deployment, chosen: random.Random, acknowledge: Acknowledge) -> None:
    ended = deployment.conversations.conversations(status="done")
    if ended:
        gone = chosen.choice(ended).conversation_id
        acknowledge(f"forgetting {gone}")
        forget(deployment, conversation_id=gone, now=datetime.now(UTC))
        acknowledge(f"forgotten {gone}")
