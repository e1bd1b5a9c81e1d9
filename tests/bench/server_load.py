"""What the server costs and holds, with a scripted model and clients in another process.

    python -m tests.bench.server_load [hundred] [five_hundred] [idle] [soak] [CONVERSATIONS]

The model answers at once, so the time from a user's message to the whole answer is what the server,
the session and the store take together. The server and the clients share the machine's cores.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from conversation.agent.config import AgentConfig
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.server.app import make_app
from conversation.server.context import ServerContext
from conversation.server.limits import ServerLimits
from conversation.server.serving import make_server, run_until_signalled
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from tests.bench.turn_overhead import ANSWER, ReadyPassages, describe
from tests.conversation.server.served import ScriptedAgents
from tests.fakes import ScriptedChatModel

AGENT = AgentConfig.model_validate(
    {
        "agent_id": "bench",
        "name": "Bench",
        "first_message": "Hello!",
        "system_prompt": "You help. " * 60,
        "access": {"public": True},
    }
)
LIMITS = ServerLimits(
    conversations=None, conversations_per_address=None, starts_per_minute=10_000_000
)
INIT = json.dumps({"type": "conversation_initiation_client_data"})
CONNECTS_AT_ONCE = 25


class ForgetfulModel(ScriptedChatModel):
    """Answers the same for ever and keeps nothing, so that only the server can grow."""

    def _next_answer(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> Completion:
        try:
            return super()._next_answer(messages, options)
        finally:
            self.prompts.clear()
            self.options.clear()


class BenchAgents(ScriptedAgents):
    """One agent that always finds four passages."""

    def knowledge_base(self, agent: AgentConfig) -> ReadyPassages:
        return ReadyPassages()


def serve(url: str) -> None:
    """The server process: says its port, and stops on a signal."""
    with ConversationStore.open(url) as store:
        agents = BenchAgents([AGENT], ForgetfulModel(always=ANSWER))
        context = ServerContext(agents=agents, store=store, limits=LIMITS)
        server = make_server(make_app(context), context, host="127.0.0.1", port=0)
        server.when_listening(lambda address: print(address, flush=True))
        run_until_signalled(server)


@contextmanager
def served() -> Generator[tuple[str, Callable[[], float]]]:
    """Address of a fresh server in a process of its own, and its memory in kB."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite'}"
        command = [sys.executable, "-m", "tests.bench.server_load", "serve", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            address = process.stdout.readline().strip().replace("http", "ws")
            try:
                yield (
                    f"{address}/v1/convai/conversation?agent_id=bench",
                    lambda: resident_kb(process.pid),
                )
            finally:
                process.terminate()
                process.wait(60)


def resident_kb(pid: int | str) -> float:
    """Memory of a process, as the kernel counts it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return float(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


class Caller:
    """One conversation of a client."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def until(self, kind: str) -> dict[str, Any]:
        while (frame := json.loads(await self._socket.recv()))["type"] != kind:
            if frame["type"] == "ping":
                pong = {"type": "pong", "event_id": frame["ping_event"]["event_id"]}
                await self._socket.send(json.dumps(pong))
            if frame["type"] == "error":
                raise RuntimeError(frame["error_event"]["message"])
        return frame

    async def turn_ms(self, text: str) -> float:
        """Milliseconds from the user's message to the whole answer."""
        began_s = time.perf_counter()
        await self._socket.send(json.dumps({"type": "user_message", "text": text}))
        await self.until("agent_response")
        return (time.perf_counter() - began_s) * 1_000

    async def idle(self, seconds: float) -> None:
        """Answer pings, and nothing else."""
        try:
            async with asyncio.timeout(seconds):
                await self.until("never")
        except TimeoutError:
            pass

    async def close(self) -> None:
        await self._socket.close()


async def dial(url: str) -> Caller:
    """A conversation whose first message has come."""
    socket = await connect(url, compression=None, proxy=None, ping_interval=None, open_timeout=60)
    await socket.send(INIT)
    caller = Caller(socket)
    await caller.until("agent_response")
    return caller


async def dial_many(url: str, count: int) -> list[Caller]:
    at_once = asyncio.Semaphore(CONNECTS_AT_ONCE)

    async def one() -> Caller:
        async with at_once:
            return await dial(url)

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def talk_together(url: str, *, callers: int, turns: int, every_s: float) -> list[float]:
    """Milliseconds of every turn while so many talk, each once in `every_s` seconds."""
    took: list[float] = []

    async def talk(caller: Caller, delay_s: float) -> None:
        await caller.idle(delay_s)
        for number in range(turns):
            spent_ms = await caller.turn_ms(f"Question {number}: how do I send something back?")
            took.append(spent_ms)
            await caller.idle(max(0.0, every_s - spent_ms / 1_000))
        await caller.close()

    opened = await dial_many(url, callers)
    await asyncio.gather(*(talk(each, every_s * n / callers) for n, each in enumerate(opened)))
    return took


async def idle_kb(url: str, memory_kb: Callable[[], float], *, callers: int) -> float:
    """Memory of one conversation in which nobody talks: socket, tasks and session together."""
    for caller in await dial_many(url, CONNECTS_AT_ONCE):
        await caller.close()
    await asyncio.sleep(1)
    before_kb = memory_kb()
    opened = await dial_many(url, callers)
    await asyncio.sleep(1)
    grown_kb = memory_kb() - before_kb
    for caller in opened:
        await caller.close()
    return grown_kb / callers


def session_kb(*, sessions: int) -> float:
    """Memory of one session without a server, counted the same way."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ConversationStore.open(f"sqlite:///{Path(folder) / 'bench.sqlite'}") as store,
    ):
        model = ForgetfulModel(always=ANSWER)

        def start() -> Session:
            return Session.start(
                AGENT, knowledge_base=ReadyPassages(), store=store, chat_model=model
            )

        warm = [start() for _ in range(50)]
        before_kb = resident_kb("self")
        kept = [start() for _ in range(sessions)]
        grown_kb = resident_kb("self") - before_kb
        del warm
        return grown_kb / len(kept)


async def soak(url: str, memory_kb: Callable[[], float], *, conversations: int) -> str:
    """Short conversations one after another; what the server holds as they pass."""
    marks: list[str] = []
    done = 0
    at_once = asyncio.Semaphore(CONNECTS_AT_ONCE)
    began_s = time.perf_counter()

    async def one() -> None:
        nonlocal done
        async with at_once:
            caller = await dial(url)
            await caller.turn_ms("How do I send something back?")
            await caller.close()
        done += 1
        if done % max(1, conversations // 5) == 0:
            marks.append(f"{done:,}: {memory_kb() / 1_024:.0f} MB")

    await asyncio.gather(*(one() for _ in range(conversations)))
    rate = conversations / (time.perf_counter() - began_s)
    return f"{conversations:,} conversations, {rate:.0f}/s; memory after {', '.join(marks)}"


async def hundred(_soak: int) -> str:
    """Turns while a hundred talk."""
    with served() as (url, _):
        took = await talk_together(url, callers=100, turns=5, every_s=4.0)
    return describe("100 talk, one turn in 4 s", took)


async def five_hundred(_soak: int) -> str:
    """Turns while five hundred talk; any error ends the bench."""
    with served() as (url, _):
        took = await talk_together(url, callers=500, turns=3, every_s=20.0)
    return describe("500 talk, one turn in 20 s", took)


async def idle(_soak: int) -> str:
    """Memory of conversations in which nobody talks."""
    with served() as (url, memory_kb):
        whole = await idle_kb(url, memory_kb, callers=500)
    alone = session_kb(sessions=500)
    label = "idle conversation"
    return f"{label:<34} n=500   {whole:.0f} kB each, of which the session {alone:.0f} kB"


async def soaked(conversations: int) -> str:
    """Memory as many conversations pass."""
    with served() as (url, memory_kb):
        return f"soak: {await soak(url, memory_kb, conversations=conversations)}"


PARTS = {"hundred": hundred, "five_hundred": five_hundred, "idle": idle, "soak": soaked}


def main() -> None:
    """Be the server, or measure one."""
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
        return
    numbers = [int(each) for each in sys.argv[1:] if each.isdigit()]
    for name in [each for each in sys.argv[1:] if not each.isdigit()] or PARTS:
        print(asyncio.run(PARTS[name](numbers[0] if numbers else 10_000)), flush=True)


if __name__ == "__main__":
    main()
