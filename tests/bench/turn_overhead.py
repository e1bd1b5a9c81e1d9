"""What a turn costs in this project's own code, with a scripted model and a real store.

    python -m tests.bench.turn_overhead [TURNS]
    python -m tests.bench.turn_overhead sessions

The second form reports many sessions in one process: 1,000 idle ones and 100 that all take a turn
at the same moment.

Each turn stores the user's words, takes four ready passages, builds the prompt, streams 60 words,
attributes every sentence, and stores the agent's turn; embedding and language model take no time.
"""

import asyncio
import gc
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

from conversation.agent.config import AgentConfig
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Turn
from kb.document import RetrievedPassage
from tests.fakes import ScriptedChatModel

AGENT = AgentConfig(
    agent_id="bench", name="Bench", first_message="Hello!", system_prompt="You help. " * 60
)
ANSWER = (
    "Refunds are paid to the original card within 14 days after the parcel arrived. "
    "You start a return in your account under the item Orders. Gift cards cannot be returned. "
    "Shipping back is free in all countries of the union and costs 9.50 EUR elsewhere. "
    "Is there anything else that I can help you with today?"
)
FILLER = (
    "Orders can be returned within 30 days. Refunds are paid to the original card within 14 days. "
    "Returns are started in the account under the item Orders. Gift cards cannot be returned. "
    "Shipping back is free in the union. Elsewhere it costs 9.50 EUR and takes 5 to 7 working "
    "days, depending on customs. "
)
TURNS_PER_CONVERSATION = 10


class ReadyPassages:
    """Finds four passages of 400 characters in no time."""

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        return [
            RetrievedPassage(
                document_id=f"doc_{number}",
                document_name=f"handbook-{number}.md",
                chunk_id=f"chunk_{number}",
                text=f"{FILLER[number:400]} Part {number}.",
                start_char=0,
                end_char=400,
                heading_path=("Returns",),
                page=None,
                score=1.0 / (number + 1),
                rank=number + 1,
            )
            for number in range(4)
        ]


def start(store: ConversationStore, model: ScriptedChatModel | None = None) -> Session:
    """A session whose model answers at once."""
    return Session.start(
        AGENT,
        knowledge_base=ReadyPassages(),
        store=store,
        chat_model=model or ScriptedChatModel(always=ANSWER),
    )


def sequential_ms(store: ConversationStore, turns: int) -> list[float]:
    """Milliseconds of each turn, one after the other, in conversations of ten turns."""
    took: list[float] = []
    while len(took) < turns:
        session = start(store)
        for number in range(TURNS_PER_CONVERSATION):
            began_s = time.perf_counter()
            for _ in session.reply(f"Question {number}: how do I send something back?"):
                pass
            took.append((time.perf_counter() - began_s) * 1_000)
        session.end()
    return took


async def concurrent_ms(store: ConversationStore, *, sessions: int, turns: int) -> list[float]:
    """Milliseconds of each turn while `sessions` conversations run at once, a second apart."""
    took: list[float] = []

    async def talk(session: Session, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        for number in range(turns):
            began_s = time.perf_counter()
            async for _ in session.areply(f"Question {number}: how do I send something back?"):
                pass
            spent_s = time.perf_counter() - began_s
            took.append(spent_s * 1_000)
            await asyncio.sleep(max(0.0, 4.0 - spent_s))

    opened = [start(store) for _ in range(sessions)]
    await asyncio.gather(*(talk(each, 4.0 * n / sessions) for n, each in enumerate(opened)))
    return took


async def burst_ms(store: ConversationStore, *, sessions: int) -> list[float]:
    """Milliseconds until each of `sessions` turns, all begun at the same moment, is stored."""
    opened = [start(store) for _ in range(sessions)]
    began_s = time.perf_counter()

    async def talk(session: Session) -> float:
        async for _ in session.areply("How do I send something back?"):
            pass
        return (time.perf_counter() - began_s) * 1_000

    return list(await asyncio.gather(*(talk(session) for session in opened)))


def idle_kilobytes(store: ConversationStore, sessions: int, *, turns: int = 0) -> float:
    """Memory of one session that was started, took `turns` turns, and says nothing more."""
    gc.collect()
    tracemalloc.start()
    model = ScriptedChatModel(always=ANSWER)
    kept = [start(store, model) for _ in range(sessions)]
    for session in kept:
        for _ in range(turns):
            list(session.reply("How do I send something back?"))
    model.prompts.clear()  # the script's own memory is none of the session's
    model.options.clear()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(kept) / 1_024


def resident_megabytes() -> float:
    """What the process holds in memory."""
    status = Path("/proc/self/status").read_text("utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1_024


def report_sessions(store: ConversationStore) -> None:
    """Many sessions in one process."""
    before_mb = resident_megabytes()
    kept = [start(store) for _ in range(1_000)]
    grown_mb = resident_megabytes() - before_mb
    print(f"1,000 idle sessions: {grown_mb:.1f} MB more in memory, {len(kept)} kept")
    print(f"an idle session: {idle_kilobytes(store, 200):.1f} kB")
    print(f"after 10 turns:  {idle_kilobytes(store, 20, turns=10):.1f} kB")
    burst = asyncio.run(burst_ms(store, sessions=100))
    print(describe("100 turns begun at once, until stored", burst))
    took = asyncio.run(concurrent_ms(store, sessions=100, turns=3))
    print(describe("100 conversations, one turn in 4 s", took))


def describe(name: str, took_ms: Sequence[float]) -> str:
    """One line with n and percentiles."""
    ordered = sorted(took_ms)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    p50 = statistics.median(ordered)
    return f"{name:<38} n={len(ordered):<5} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms"


def main() -> None:
    """Print the figures."""
    argument = sys.argv[1] if len(sys.argv) > 1 else "500"
    with (
        tempfile.TemporaryDirectory() as folder,
        ConversationStore.open(f"sqlite:///{Path(folder) / 'bench.sqlite'}") as store,
    ):
        sequential_ms(store, 20)
        if argument == "sessions":
            report_sessions(store)
            return
        worked_s = time.process_time()
        took = sequential_ms(store, int(argument))
        worked_s = time.process_time() - worked_s
        print(describe("one conversation at a time", took))
        print(
            f"{'of that, work of this processor':<38} {worked_s / len(took) * 1_000:.1f} ms a turn"
        )
        took = asyncio.run(concurrent_ms(store, sessions=100, turns=3))
        print(describe("100 conversations, one turn in 4 s", took))
        print(f"{'idle session':<38} n=1000  {idle_kilobytes(store, 1_000):.1f} kB each")


if __name__ == "__main__":
    main()
