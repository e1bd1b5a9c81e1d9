"""Time to the first token of the embedded model, with and without a prefix that it has read.

    python -m tests.bench.first_token [MODEL] [TURNS]

A session of TURNS turns about a few passages. The first turn reads the whole prompt; each later one
shares the beginning of its prompt with the turn before, which the engine keeps. For comparison,
every prompt is read once more with another word in front, so that nothing of it is known.
"""

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.llm.chat_model import ChatMessage, ChatModel, CompletionOptions
from conversation.llm.open_model import open_chat_model
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from tests.bench.turn_overhead import ReadyPassages
from tests.fakes import ScriptedChatModel

MODEL = "embedded/qwen2.5-coder-1.5b-instruct"
QUESTIONS = (
    "How do I send something back?",
    "How long does a refund take?",
    "Can gift cards be returned?",
    "What does shipping back cost?",
    "Where do I start a return?",
)
ANSWER = "Refunds are paid to the original card within 14 days."
ONE_TOKEN = CompletionOptions(max_output_tokens=1)


def prompts(turns: int) -> list[list[ChatMessage]]:
    """The prompts that a session of so many turns sends."""
    recorder = ScriptedChatModel(always=ANSWER)
    agent = AgentConfig(
        agent_id="bench",
        name="Bench",
        system_prompt="You help customers of a shop. " * 20,
        llm=LLMConfig(model=MODEL),
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        ConversationStore.open(f"sqlite:///{Path(folder) / 'bench.sqlite'}") as store,
        Session.start(
            agent, knowledge_base=ReadyPassages(), store=store, chat_model=recorder
        ) as session,
    ):
        for number in range(turns):
            list(session.reply(QUESTIONS[number % len(QUESTIONS)]))
    return recorder.prompts


def first_token_ms(model: ChatModel, prompt: Sequence[ChatMessage]) -> tuple[float, int, int]:
    """Milliseconds to the first token, tokens read, and how many of them came from the cache."""
    completion = model.complete(prompt, ONE_TOKEN)
    taken = completion.request_to_first_token_ms or completion.request_to_last_token_ms or 0.0
    return taken, completion.usage.input_tokens, completion.usage.cached_input_tokens


def unknown(prompt: Sequence[ChatMessage], number: int) -> list[ChatMessage]:
    """The same prompt, different from its first word on."""
    first, *rest = prompt
    return [ChatMessage(first.role, f"Number {number}. {first.content}"), *rest]


def told(
    name: str, number: int, model: ChatModel, prompt: Sequence[ChatMessage]
) -> tuple[float, int, int]:
    """Measure one prompt, and print it at once: a run that is stopped has told something."""
    measured = first_token_ms(model, prompt)
    ms, read, cached = measured
    print(
        f"turn {number} {name}: {ms:,.0f} ms ({cached:,} of {read:,} tokens from the cache)",
        flush=True,
    )
    return measured


def main() -> None:
    """Print the figures."""
    model = open_chat_model(sys.argv[1] if len(sys.argv) > 1 else MODEL)
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    model.check()
    model.complete([ChatMessage("user", "Hi")], ONE_TOKEN)
    sent = prompts(turns)
    warm = [told("with the prefix", n, model, prompt) for n, prompt in enumerate(sent, start=1)]
    cold = [
        told("without", n, model, unknown(prompt, 100 + n))
        for n, prompt in enumerate(sent, start=1)
    ]
    later = [ms for ms, _, _ in warm[1:]]
    print(
        f"median of later turns: {statistics.median(later):.0f} ms with, "
        f"{statistics.median([ms for ms, _, _ in cold[1:]]):.0f} ms without; "
        f"first turn {warm[0][0]:.0f} ms"
    )


if __name__ == "__main__":
    main()
