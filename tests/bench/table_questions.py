"""Questions about tables: how often a wrong value is said, with a citation or without.

    python -m tests.bench.table_questions [N] [MODEL] [N_OF_MODEL] [CPU_SECONDS]

N questions are made up about price lists, opening hours, product matrices and a long catalogue in
four languages. Without a model, each is answered in fixed words with the right cell, and with the
cells of another row and of another column: what of that is said shows the check alone. With MODEL,
the first N_OF_MODEL are asked, each in a session of its own; what the model wrote before the check
is the baseline of the same run.
"""

import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.grounding.checking.held_back import HeldBack
from conversation.grounding.checking.stated_values import values_in
from conversation.grounding.citations import attribute
from conversation.grounding.not_knowing import admits_not_knowing
from conversation.llm.chat_model import ChatModel
from conversation.llm.open_model import open_chat_model
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn
from kb.knowledge_base import KnowledgeBase

SEED = 11


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one cell."""

    kind: str
    document: str
    """Name of the document that holds the table."""
    text: str
    language: str
    asked: str
    answer: str
    """In fixed words, with `{}` for a cell."""
    cell: str
    wrong: tuple[str, ...]
    """Other cells that a model may take for it."""


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (columns, *rows)]
    lines.insert(1, "|" + "---|" * len(columns))
    return f"# {title}\n\n" + "\n".join(lines) + "\n"


def _price_list(chance: random.Random, number: int) -> Iterator[Question]:
    names = chance.sample(
        ["Basic", "Plus", "Pro", "Pro Plus", "Team", "Business", "Enterprise", "Solo"], 6
    )
    prices = chance.sample(range(5, 95), 6)
    users = chance.sample([1, 3, 5, 10, 25, 50, 100, 250], 6)
    gigabytes = chance.sample([2, 8, 20, 40, 80, 160, 500], 6)
    rows = [
        (name, f"${price}", str(count), f"{size} GB")
        for name, price, count, size in zip(names, prices, users, gigabytes, strict=True)
    ]
    text = _table("Plans", ("Plan", "Price per month", "Users", "Storage"), rows)
    for column, asked, answer in (
        (1, "What does {} cost?", "{name} costs {{}} per month."),
        (1, "How much is the {} plan a month?", "It is {{}} a month."),
        (2, "How many users can {} have?", "{name} allows {{}} users."),
        (3, "How much storage comes with {}?", "{name} comes with {{}} of storage."),
    ):
        row = chance.randrange(6)
        yield Question(
            "price list",
            f"plans-{number}.md",
            text,
            "en",
            asked.format(rows[row][0]),
            answer.format(name=rows[row][0]),
            rows[row][column],
            _others(rows, row, column),
        )


def _hours(chance: random.Random, number: int) -> Iterator[Question]:
    opens = [chance.choice([7, 8, 9]), chance.choice([10, 11]), 12]
    closes = [chance.choice([17, 18, 19]), chance.choice([14, 15]), 16]
    german = number % 2 == 1
    labels = (
        ("Mo.-Fr.", "Samstag", "Sonntag") if german else ("Monday-Friday", "Saturday", "Sunday")
    )
    rows = [
        (label, f"{first}:00-{last}:00")
        for label, first, last in zip(labels, opens, closes, strict=True)
    ]
    columns = ("Tag", "Öffnungszeiten") if german else ("Day", "Opening hours")
    text = _table(columns[1], columns, rows)
    days = ("Mittwoch", "Samstag", "Sonntag") if german else ("Wednesday", "Saturday", "Sunday")
    for row, day in enumerate(days):
        yield Question(
            "opening hours",
            f"hours-{number}.md",
            text,
            "de" if german else "en",
            f"Wann habt ihr am {day} auf?" if german else f"When are you open on {day}?",
            f"Am {day} haben wir {{}} auf." if german else f"On {day} we are open {{}}.",
            rows[row][1],
            tuple(each[1] for each in rows if each is not rows[row]),
        )


def _matrix(chance: random.Random, number: int) -> Iterator[Question]:
    plans = ("Basic", "Pro", "Team")
    features = chance.sample(
        ["Single sign-on", "Webhooks", "Audit log", "Own domain", "Backups"], 3
    )
    limits = [[str(chance.randrange(2, 90)) for _ in plans] for _ in range(2)]
    answers = [chance.sample(["yes", "no", "no"], 3) for _ in features]
    rows = [
        ("Projects", *limits[0]),
        ("Seats", *limits[1]),
        *((feature, *given) for feature, given in zip(features, answers, strict=True)),
    ]
    text = _table("Features by plan", ("Feature", *plans), rows)
    for row, asked in ((0, "How many projects does {} have?"), (1, "How many seats has {}?")):
        column = chance.randrange(3)
        yield Question(
            "product matrix",
            f"matrix-{number}.md",
            text,
            "en",
            asked.format(plans[column]),
            f"{plans[column]} has {{}} {rows[row][0].lower()}.",
            rows[row][column + 1],
            tuple(cell for cell in rows[row][1:] if cell != rows[row][column + 1]),
        )
    row, column = chance.randrange(3), chance.randrange(3)
    given = answers[row][column]
    yield Question(
        "product matrix",
        f"matrix-{number}.md",
        text,
        "en",
        f"Does {plans[column]} include {features[row].lower()}?",
        f"{{}}, that is so for {plans[column]}.",
        given,
        ("no" if given == "yes" else "yes",),
    )


def _catalogue(chance: random.Random, number: int) -> Iterator[Question]:
    japanese = number % 2 == 1
    codes = [f"K-{code}" for code in chance.sample(range(100, 999), 24)]
    prices = chance.sample(range(100, 9_000), 24)
    rows = [
        (
            code,
            f"{price:,}円" if japanese else f"€{price / 100:.2f}",
            f"{chance.randrange(1, 60)} kg",
        )
        for code, price in zip(codes, prices, strict=True)
    ]
    columns = ("品番", "価格", "重さ") if japanese else ("Code", "Price", "Weight")
    text = _table("カタログ" if japanese else "Catalogue", columns, rows)
    for row in chance.sample(range(24), 2):
        yield Question(
            "catalogue",
            f"catalogue-{number}.md",
            text,
            "ja" if japanese else "en",
            f"{codes[row]}の価格は?" if japanese else f"What does {codes[row]} cost?",
            f"{codes[row]}は{{}}です。" if japanese else f"{codes[row]} costs {{}}.",
            rows[row][1],
            _others(rows, row, 1)[:2],
        )


def _others(rows: Sequence[Sequence[str]], row: int, column: int) -> tuple[str, ...]:
    """A cell above or below, and one beside it."""
    beside = [cell for at, cell in enumerate(rows[row][1:], start=1) if at != column]
    near = [each[column] for each in (rows[row - 1], rows[(row + 1) % len(rows)])]
    own = {form for value in values_in(rows[row][column]) for form in value.forms}
    return tuple(
        cell
        for cell in (*near, *beside)
        if not own & {form for value in values_in(cell) for form in value.forms}
    )


def questions(count: int, *, seed: int = SEED) -> list[Question]:
    """So many questions, all kinds mixed."""
    chance = random.Random(seed)
    made: list[Question] = []
    number = 0
    while len(made) < count:
        for kind in (_price_list, _hours, _matrix, _catalogue):
            made += kind(chance, number)
        number += 1
    chance.shuffle(made)
    return made[:count]


def is_right(question: Question, text: str) -> bool:
    """Whether an answer gives the cell that was asked for."""
    wanted = values_in(question.cell, question.language)
    said = {form for value in values_in(text, question.language) for form in value.forms}
    if wanted:
        return all(value.forms & said for value in wanted)
    words = text.casefold().replace(",", " ").replace(".", " ").split()
    is_negative = bool({"no", "not", "doesn't", "don't"} & set(words))
    return is_negative == (question.cell == "no")


def check_alone(asked: Sequence[Question]) -> None:
    """What the check lets through of answers in fixed words."""
    right = wrong = said_right = said_wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, question in enumerate(asked):
            with KnowledgeBase.open(Path(folder) / str(number)) as base:
                base.add_text(question.document, question.text)
                found = tuple(base.retrieve(question.asked, limit=4))
            check = AnswerCheck(found, question.asked, language=question.language)
            for cell in (question.cell, *question.wrong):
                held = HeldBack(check)
                held.take(question.answer.format(cell))
                held.end()
                if cell == question.cell:
                    right, said_right = right + 1, said_right + (not held.is_refuted)
                else:
                    wrong, said_wrong = wrong + 1, said_wrong + (not held.is_refuted)
                if held.is_refuted is (cell == question.cell):
                    print(f"  {question.asked} -> {question.answer.format(cell)}", flush=True)
    print(
        f"check alone, {len(asked)} questions: right answers said {said_right} of {right}, "
        f"wrong ones said {said_wrong} of {wrong} (without it: all)"
    )


def _ask(question: Question, model: ChatModel, folder: Path) -> tuple[AgentTurn, str]:
    """The turn, and what the model wrote before the check."""
    agent = AgentConfig(
        agent_id="bench",
        name="Bench",
        system_prompt="You answer questions.",
        language=question.language,
        llm=LLMConfig(model=model.model),
        not_known_message="",
    )
    with (
        KnowledgeBase.open(folder / "kb" / question.document) as base,
        ConversationStore.open(f"sqlite:///{folder / 'store.sqlite'}") as store,
    ):
        if not base.documents():
            base.add_text(question.document, question.text)
        with Session.start(agent, knowledge_base=base, store=store, chat_model=model) as session:
            turn = list(session.reply(question.asked))[-1]
            stopped = store.events(session.conversation_id, kind="answer_not_in_documents")
    assert isinstance(turn, AgentTurn)
    return turn, stopped[0].payload["text"] if stopped else turn.text


def with_model(asked: Sequence[Question], model: ChatModel, cpu_limit_s: float) -> None:
    """Ask a model and print what came of it."""
    began_s = sum(os.times()[:2])
    names: list[str] = ["asked", "failed", "right", "refused", "wrong", "wrong and cited"]
    counts = dict.fromkeys(names, 0)
    before = dict.fromkeys(names, 0)
    with tempfile.TemporaryDirectory() as folder:
        for question in asked:
            if sum(os.times()[:2]) - began_s > cpu_limit_s:
                break
            turn, written = _ask(question, model, Path(folder))
            if not turn.is_answered or turn.error:
                counts["asked"], counts["failed"] = counts["asked"] + 1, counts["failed"] + 1
                print(f"  {question.asked} failed: {turn.error}", flush=True)
                continue
            _count(counts, question, turn.text, is_cited=bool(turn.citations))
            with KnowledgeBase.open(Path(folder) / "kb" / question.document) as base:
                found = base.retrieve(question.asked, limit=4)
            _count(before, question, written, is_cited=bool(attribute(written, found).citations))
            print(f"  {question.asked} [{question.cell}] {written!r} -> {turn.text!r}", flush=True)
    taken_s = sum(os.times()[:2]) - began_s
    print(f"without the check: {before}\nwith it: {counts}; {taken_s:.0f} s cpu")


def _count(counts: dict[str, int], question: Question, text: str, *, is_cited: bool) -> None:
    is_refused = admits_not_knowing(text)
    is_wrong = not is_refused and not is_right(question, text)
    counts["asked"] += 1
    counts["right"] += not is_refused and not is_wrong
    counts["refused"] += is_refused
    counts["wrong"] += is_wrong
    counts["wrong and cited"] += is_wrong and is_cited


def main() -> None:
    """Print the figures."""
    asked = questions(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
    check_alone(asked)
    if len(sys.argv) > 2:
        model = open_chat_model(sys.argv[2])
        model.check()
        count = int(sys.argv[3]) if len(sys.argv) > 3 else 30
        limit_s = float(sys.argv[4]) if len(sys.argv) > 4 else float("inf")
        with_model(asked[:count], model, limit_s)


if __name__ == "__main__":
    main()
