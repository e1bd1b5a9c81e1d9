"""How well a model chooses tools: which one, with which parameters, and when none.

    python -m tests.bench.tool_choice [MODEL] [shop|library] [SECONDS]

Each case is one turn of a real session whose agent has six or seven tools; the answers of the
agent are scripted, only the decisions are the model's. The flow was chosen on the shop; the library
is there to see whether it holds elsewhere. With SECONDS it stops after so long and reports what it
has, with as many turns that need a tool as turns that need none.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conversation.agent.config import AgentConfig
from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    ChatModel,
    Completion,
    CompletionOptions,
)
from conversation.llm.open_model import open_chat_model
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import ToolCall, Usage
from conversation.turn.speaker import ResolvedAgent
from tests.fakes import ScriptedChatModel

MODEL = "embedded/qwen2.5-coder-1.5b-instruct"
NOTHING = '{"action": {"tool": "none"}}'


@dataclass(frozen=True, slots=True)
class Case:
    """What a user says, and what the agent is to do about it."""

    said: str
    tool: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those that matter."""
    before: tuple[tuple[str, str], ...] = ()
    """What the user said and the agent answered earlier."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the model did about a case."""

    case: Case
    calls: tuple[ToolCall, ...]
    model_calls: int
    output_tokens: int
    seconds: float

    @property
    def chose_right(self) -> bool:
        """Whether the tool is the right one, and the only one; or none, where none is right."""
        return [call.tool_name for call in self.calls] == [
            name for name in [self.case.tool] if name
        ]

    @property
    def filled_right(self) -> bool:
        """Whether the parameters that matter are right as well."""
        return self.chose_right and all(
            _same(call.parameters.get(name), value)
            for call in self.calls
            for name, value in self.case.parameters.items()
        )


def _tool(name: str, description: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
    }


_NUMBER = {"type": "integer"}
_TEXT = {"type": "string"}

SHOP = AgentConfig.model_validate(
    {
        "agent_id": "shop",
        "name": "Shop",
        "system_prompt": "You help customers of a shop.",
        "first_message": "Welcome to the shop. How can I help?",
        "tools": [
            _tool("order_status", "Look up where an order is.", order=_NUMBER),
            _tool("cancel_order", "Cancel an order that was not sent yet.", order=_NUMBER),
            _tool("request_callback", "Have a person call the user back.", phone=_TEXT),
            _tool(
                "send_invoice",
                "Send the invoice of an order by e-mail.",
                order=_NUMBER,
                email=_TEXT,
            ),
            {"name": "end_call"},
            {"name": "skip_turn"},
            {
                "name": "transfer_to_agent",
                "agents": [{"agent_id": "repairs", "when": "something is broken, or needs repair"}],
            },
        ],
    }
)
_WHICH_ORDER = ("Where is my parcel?", "I can look. What is the number of your order?")
_HOURS = ("When are you open?", "We are open from nine to six, Monday to Friday.")
_SHIPPED = ("Where is order 3305?", "Order 3305 left our warehouse yesterday.")
SHOP_CASES = (
    Case("Where is order 4711?", "order_status", {"order": 4711}),
    Case("It's 58213.", "order_status", {"order": 58213}, (_WHICH_ORDER,)),
    Case("Could you check on my order 9920 for me please", "order_status", {"order": 9920}),
    Case("Please cancel order 1208.", "cancel_order", {"order": 1208}),
    Case("I don't want it any more, call it off.", "cancel_order", {"order": 3305}, (_SHIPPED,)),
    Case("Have somebody ring me at 555 0143.", "request_callback", {"phone": "5550143"}),
    Case(
        "Send the invoice for order 770 to ada@example.org",
        "send_invoice",
        {"order": 770, "email": "ada@example.org"},
    ),
    Case("That's all, thank you. Bye!", "end_call", before=(_HOURS,)),
    Case("Okay, goodbye then.", "end_call", before=(_SHIPPED,)),
    Case("Hold on a second, I have to find my glasses.", "skip_turn", before=(_WHICH_ORDER,)),
    Case("My kettle stopped working, it needs a repair.", "transfer_to_agent"),
    Case("Can I talk to the people who do repairs?", "transfer_to_agent", {"agent_id": "repairs"}),
    Case("Hello!"),
    Case("What are your opening hours?"),
    Case("How do I cancel an order?"),
    Case("How long does delivery take?"),
    Case("Thanks, that helps. And do you open on Saturdays?", before=(_HOURS,)),
    Case("Where is my order?"),
    Case("I want to cancel my order."),
    Case("Do you sell kettles?"),
    Case("Is there a guarantee on repairs?"),
    Case("What does an invoice look like?"),
    Case("Great, thank you.", before=(_SHIPPED,)),
    Case("I don't understand, why yesterday?", before=(_SHIPPED,)),
)

LIBRARY = AgentConfig.model_validate(
    {
        "agent_id": "library",
        "name": "Library",
        "system_prompt": "You help readers of a library.",
        "first_message": "Welcome to the library desk.",
        "languages": {"de": {}, "es": {}},
        "tools": [
            _tool("renew_loan", "Extend the loan of a book by two weeks.", title=_TEXT),
            _tool("reserve_book", "Reserve a book that is lent out.", title=_TEXT),
            _tool("book_room", "Book a reading room.", people=_NUMBER, hour=_NUMBER),
            {"name": "language_detection"},
            {"name": "report_knowledge_gap"},
            {"name": "end_call"},
        ],
    }
)
_LENT = ("Do you have Middlemarch?", "We do, but it is lent out until Friday.")
_RULES = ("How long may I keep a book?", "Four weeks, and you can extend that twice.")
_ROOMS = ("Can I book a room?", "Yes. For how many people, and at what hour?")
LIBRARY_CASES = (
    Case("Please renew Dracula for me.", "renew_loan", {"title": "Dracula"}),
    Case("Then extend my loan of Emma.", "renew_loan", {"title": "Emma"}, (_RULES,)),
    Case("I need Ulysses for two more weeks, can you do that?", "renew_loan", {"title": "Ulysses"}),
    Case("Then reserve it for me.", "reserve_book", {"title": "Middlemarch"}, (_LENT,)),
    Case("Put me down for The Trial as soon as it is back.", "reserve_book"),
    Case("Book a room for 4 people at 15 o'clock.", "book_room", {"people": 4, "hour": 15}),
    Case("For 6 people, at 10.", "book_room", {"people": 6, "hour": 10}, (_ROOMS,)),
    Case("Können wir bitte Deutsch sprechen?", "language_detection", {"language": "de"}),
    Case("Prefiero hablar en español.", "language_detection", {"language": "es"}),
    Case(
        "Your rules say nothing about magazines, somebody should add that.",
        "report_knowledge_gap",
        before=(_RULES,),
    ),
    Case("No, that was everything. Goodbye!", "end_call", before=(_RULES,)),
    Case("Bye bye", "end_call", before=(_LENT,)),
    Case("Good morning"),
    Case("How many books may I borrow?"),
    Case("Can loans be extended?"),
    Case("How do I reserve a book?"),
    Case("Is there a room where one can talk?"),
    Case("Who wrote Dracula?"),
    Case("Do you have books in Spanish?"),
    Case("Thank you so much", before=(_LENT,)),
    Case("And on Sundays?", before=(("When are you open?", "From Tuesday to Saturday."),)),
    Case("I see. What does a lost book cost?", before=(_RULES,)),
    Case("I would like to book a room."),
    Case("What is Middlemarch about?", before=(_LENT,)),
)
SETS: dict[str, tuple[AgentConfig, Sequence[Case]]] = {
    "shop": (SHOP, SHOP_CASES),
    "library": (LIBRARY, LIBRARY_CASES),
}


class DecidingModel(ScriptedChatModel):
    """Decides with another model, and says a line of the script to the user."""

    def __init__(self, decides: ChatModel) -> None:
        super().__init__(model=decides.model)
        self.says = ""
        self.is_asked = False
        """Whether it decides at all; else no tool is chosen."""
        self.decisions: list[Completion] = []
        self._decides = decides

    def stream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Generator[str | Completion, None, None]:
        """A decision when one is asked for, else the line."""
        if "<conversation>" not in messages[-1].content:
            completion = Completion(self.says, Usage(model=self.model), "stop")
        elif not self.is_asked:
            nothing = '"none"' if "enum" in (options.schema or {}) else NOTHING
            completion = Completion(nothing, Usage(model=self.model), "stop")
        else:
            completion = self._decides.complete(messages, options)
            self.decisions.append(completion)
        yield completion.text
        yield completion


def decide(case: Case, agent: AgentConfig, model: ChatModel, store: ConversationStore) -> Decision:
    """Take the turn of a case in a session of its own."""
    deciding = DecidingModel(model)
    other = AgentConfig(agent_id="repairs", name="Repairs")
    session = Session.start(
        agent,
        store=store,
        chat_model=deciding,
        client_tool=lambda call: "done",
        resolve_agent=lambda agent_id: ResolvedAgent(other, None, deciding),
    )
    for said, deciding.says in case.before:
        list(session.reply(said))
    deciding.is_asked, deciding.says = True, "Fine."
    began_s = time.perf_counter()
    events = list(session.reply(case.said))
    seconds = time.perf_counter() - began_s
    return Decision(
        case,
        tuple(event for event in events if isinstance(event, ToolCall)),
        len(deciding.decisions),
        sum(completion.usage.output_tokens for completion in deciding.decisions),
        seconds,
    )


def mixed(cases: Sequence[Case]) -> list[Case]:
    """In turn one that needs a tool and one that needs none, so that part of them is fair."""
    needed = [case for case in cases if case.tool]
    none = [case for case in cases if not case.tool]
    return [case for pair in zip(needed, none, strict=True) for case in pair]


def report(decisions: Sequence[Decision]) -> list[str]:
    """Figures of turns that need a tool and of turns that need none."""
    lines: list[str] = []
    for name, kept in (
        ("a tool is needed", [each for each in decisions if each.case.tool]),
        ("none is needed", [each for each in decisions if not each.case.tool]),
    ):
        if not kept:
            continue
        right, filled = sum(d.chose_right for d in kept), sum(d.filled_right for d in kept)
        lines.append(
            f"{name:<16} n={len(kept):<3} right tool {right}, with right parameters {filled}; "
            f"median {statistics.median(d.model_calls for d in kept):g} calls, "
            f"{statistics.median(d.output_tokens for d in kept):g} tokens written, "
            f"{statistics.median(d.seconds for d in kept):.1f} s"
        )
    return lines


def main() -> None:
    """Print each case and the figures."""
    model = open_chat_model(sys.argv[1] if len(sys.argv) > 1 else MODEL)
    agent, cases = SETS[sys.argv[2] if len(sys.argv) > 2 else "shop"]
    stop_s = time.monotonic() + (float(sys.argv[3]) if len(sys.argv) > 3 else float("inf"))
    model.check()
    decisions: list[Decision] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        ConversationStore.open(f"sqlite:///{Path(folder) / 'bench.sqlite'}") as store,
    ):
        for case in mixed(cases):
            if time.monotonic() > stop_s:
                break
            decision = decide(case, agent, model, store)
            decisions.append(decision)
            print(described(decision), flush=True)
    print("\n".join(report(decisions)))


def described(decision: Decision) -> str:
    """One line: what was said, what was done, and what should have been done."""
    chosen = ", ".join(f"{call.tool_name} {call.parameters}" for call in decision.calls) or "none"
    mark = "right" if decision.filled_right else f"WRONG, not {decision.case.tool or 'none'}"
    return f"{mark:<10} {decision.case.said!r}: {chosen} ({decision.seconds:.1f} s)"


def _same(given: object, wanted: object) -> bool:
    return _plain(given) == _plain(wanted)


def _plain(value: object) -> str:
    return str(value).casefold().replace(" ", "").replace("-", "")


if __name__ == "__main__":
    main()
