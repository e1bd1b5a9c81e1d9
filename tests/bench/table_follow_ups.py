"""Questions about rows of tables, and what is asked on from there: does the row come back?

    python -m tests.bench.table_follow_ups

A price list, opening hours, a product matrix and long catalogues in four languages lie in one
knowledge base. Each conversation asks for one cell ("What does Plus cost?"), then goes on without
saying it all again ("And Team?", "And how much storage?", "And the next bigger one?"). The row that
holds the answer counts as found where it stands within the first characters that a system gives
back: the same number for each, since their passages differ in length. The baselines get the turns
before a question too, in the way that each offers. What is said of it without a language model is
counted beside: the right cell, another cell, or that it is not known.
"""

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.grounding.checking.stated_values import values_in
from conversation.grounding.not_knowing import admits_not_knowing
from conversation.llm.open_model import open_chat_model
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn
from kb.config import KnowledgeBaseConfig, Limits
from kb.knowledge_base import KnowledgeBase
from tests.bench.baselines import BASELINES, OURS, Search, System
from tests.bench.embedders import remembering
from tests.bench.figures import mean_figure, record
from tests.bench.measures import interval, mean
from tests.bench.tables import markdown

SEED = 23
_WITHIN_CHARS = 1_500
"""About what five chunks of 256 tokens hold of a table's rows, headings repeated."""
_LIMIT = 8
_CHAINS = 3
"""Conversations about each table."""


@dataclass(frozen=True, slots=True)
class Said:
    """A turn before the question."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """What one language calls the columns, and how it asks."""

    language: str
    title: str
    columns: tuple[str, str, str]
    first: str
    """Asks for the first column of `{}`."""
    answer: str
    others: str
    """Goes on to another row."""
    columns_asked: tuple[str, str]
    """Goes on to the two other columns of the same row."""
    bigger: str
    """Goes on to the row with the next higher value in the first column."""


_PLANS = (
    Words(
        "en", "Plans", ("Price per month", "Users", "Storage"), "What does {} cost?",
        "{} costs {} per month.", "And {}?", ("How many users is that?", "And how much storage?"),
        "And the next dearer one?",
    ),
    Words(
        "de", "Tarife", ("Preis im Monat", "Nutzer", "Speicher"), "Was kostet {}?",
        "{} kostet {} im Monat.", "Und {}?", ("Für wie viele Nutzer?", "Und wie viel Speicher?"),
        "Und der nächstteurere?",
    ),
    Words(
        "es", "Planes", ("Precio al mes", "Usuarios", "Almacenamiento"), "¿Cuánto cuesta {}?",
        "{} cuesta {} al mes.", "¿Y {}?", ("¿Para cuántos usuarios?", "¿Y cuánto almacenamiento?"),
        "¿Y el siguiente más caro?",
    ),
    Words(
        "zh", "套餐", ("每月价格", "用户数", "存储空间"), "{}多少钱？", "{}每月{}。", "那{}呢？",
        ("可以有多少用户？", "存储空间呢？"), "再贵一档的呢？",
    ),
)  # fmt: skip
_GOODS = {
    "en": ("Pump", "Fan", "Heater", "Valve", "Display", "Sensor", "Motor", "Filter"),
    "de": ("Pumpe", "Lüfter", "Heizung", "Ventil", "Anzeige", "Fühler", "Motor", "Filter"),
    "es": ("Bomba", "Ventilador", "Calefactor", "Válvula", "Pantalla", "Sensor", "Motor", "Filtro"),
    "zh": ("水泵", "风扇", "加热器", "阀门", "显示屏", "传感器", "电机", "滤芯"),
}
_NAME = {"en": "Name", "de": "Name", "es": "Nombre", "zh": "名称"}
_NAMES = ("Basic", "Plus", "Pro", "Team", "Business", "Enterprise", "Solo", "Campus")


@dataclass(frozen=True, slots=True)
class Asked:
    """One turn that asks for a cell."""

    way: str
    """How it is asked: first, or going on to another row, column, or the next bigger."""
    language: str
    text: str
    history: tuple[Said, ...]
    document: str
    row: str
    """The line of the table that holds the answer."""
    cell: str
    others: tuple[str, ...]
    """Cells of the same column, of other rows."""


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_line(columns), "|" + "---|" * len(columns), *(_line(row) for row in rows)]
    return f"# {title}\n\n" + "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _chain(
    words: Words,
    rows: Sequence[Sequence[str]],
    ranks: Sequence[float],
    draw: random.Random,
    document: str,
) -> Iterator[Asked]:
    """A first question and three that go on from it: another row, another column, the next bigger.

    Args:
        words: How it is asked.
        rows: Name and three cells each.
        ranks: Of each row, by which "bigger" is meant.
        draw: Chooses the rows.
        document: Name of the table's document.
    """
    order = sorted(range(len(rows)), key=lambda at: ranks[at])
    at = draw.choice(order[:-1])
    other = draw.choice([each for each in range(len(rows)) if each != at])
    bigger = order[order.index(at) + 1]
    onward = draw.randrange(2)
    first = words.first.format(rows[at][0])
    said = (Said("user", first), Said("agent", words.answer.format(rows[at][0], rows[at][1])))
    for way, text, history, row, column in (
        ("first", first, (), at, 1),
        ("another row", words.others.format(rows[other][0]), said, other, 1),
        ("another column", words.columns_asked[onward], said, at, 2 + onward),
        ("next bigger", words.bigger, said, bigger, 1),
    ):
        yield Asked(
            way,
            words.language,
            text,
            history,
            document,
            _line(rows[row]),
            rows[row][column],
            tuple(each[column] for each in rows if each is not rows[row]),
        )


def _price_list(draw: random.Random, words: Words, document: str) -> tuple[str, list[Asked]]:
    prices = draw.sample(range(5, 95), len(_NAMES))
    users = draw.sample([1, 3, 5, 10, 25, 50, 100, 250], len(_NAMES))
    storage = draw.sample([2, 8, 20, 40, 80, 160, 320, 500], len(_NAMES))
    rows = [
        (name, f"€{price}", str(count), f"{size} GB")
        for name, price, count, size in zip(_NAMES, prices, users, storage, strict=True)
    ]
    text = _table(words.title, (_NAME[words.language], *words.columns), rows)
    return text, [
        each for _ in range(_CHAINS) for each in _chain(words, rows, prices, draw, document)
    ]


_PARTS = {
    "en": ("Spare parts", ("Price", "In stock", "Weight"),
           ("How many are in stock?", "And how heavy is it?")),
    "de": ("Ersatzteile", ("Preis", "Vorrat", "Gewicht"),
           ("Wie viele sind vorrätig?", "Und wie schwer ist das?")),
    "es": ("Recambios", ("Precio", "Existencias", "Peso"),
           ("¿Cuántas existencias hay?", "¿Y cuánto pesa?")),
    "zh": ("配件", ("价格", "库存", "重量"), ("有多少库存？", "重量呢？")),
}  # fmt: skip


def _catalogue(draw: random.Random, words: Words, document: str) -> tuple[str, list[Asked]]:
    """120 articles, so that the table is cut into many chunks."""
    title, columns, ways = _PARTS[words.language]
    prices = draw.sample(range(100, 9_000), 120)
    rows = [
        (
            f"{draw.choice(_GOODS[words.language])} K-{code}",
            f"€{price / 100:.2f}",
            str(draw.randrange(1, 60)),
            f"{draw.randrange(2, 900)} g",
        )
        for code, price in zip(draw.sample(range(100, 999), 120), prices, strict=True)
    ]
    asked = replace(words, columns=columns, columns_asked=ways, answer="{}: {}")
    chains = [_chain(asked, rows, prices, draw, document) for _ in range(_CHAINS)]
    # The next dearer of 120 is a question for SQL, not for a search.
    return _table(title, (_NAME[words.language], *columns), rows), [
        each for chain in chains for each in chain if each.way != "next bigger"
    ]


_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}
_HOURS = {
    "en": ("Opening hours", "When are you open on {}?", "On {} we are open {}.", "And on {}?"),
    "de": ("Öffnungszeiten", "Wann habt ihr am {} auf?", "Am {} haben wir {} auf.", "Und am {}?"),
    "es": ("Horario", "¿A qué hora abren el {}?", "El {} abrimos {}.", "¿Y el {}?"),
    "zh": ("营业时间", "{}几点开门？", "{}营业时间是{}。", "那{}呢？"),
}


def _hours(draw: random.Random, words: Words, document: str) -> tuple[str, list[Asked]]:
    title, first, answer, onward = _HOURS[words.language]
    rows = [
        (day, f"{draw.randrange(6, 12)}:{draw.choice(('00', '30'))}-{draw.randrange(14, 22)}:15")
        for day in _DAYS[words.language]
    ]
    asked: list[Asked] = []
    for _ in range(_CHAINS):
        at, other = draw.sample(range(len(rows)), 2)
        said = (Said("user", first.format(rows[at][0])), Said("agent", answer.format(*rows[at])))
        for way, text, history, row in (
            ("first", said[0].text, (), at),
            ("another row", onward.format(rows[other][0]), said, other),
        ):
            others = tuple(each[1] for each in rows if each is not rows[row])
            line, cell = _line(rows[row]), rows[row][1]
            asked.append(Asked(way, words.language, text, history, document, line, cell, others))
    return _table(title, (_NAME[words.language], title), rows), asked


_FEATURES = {
    "en": ("Limits", "How many {} does {} have?", "{1} has {2} {0}.", "And {}?",
           ("projects", "forms", "webhooks", "brands", "backups", "domains")),
    "de": ("Grenzen", "Wie viele {} hat {}?", "{1} hat {2} {0}.", "Und {}?",
           ("Projekte", "Formulare", "Webhooks", "Marken", "Sicherungen", "Domains")),
    "es": ("Límites", "¿Cuántos {} tiene {}?", "{1} tiene {2} {0}.", "¿Y {}?",
           ("proyectos", "formularios", "webhooks", "logotipos", "respaldos", "dominios")),
    "zh": ("限额", "{1}可以有多少{0}？", "{1}可以有{2}个{0}。", "那{}呢？",
           ("项目", "表单", "回调", "品牌", "备份", "域名")),
}  # fmt: skip
_PLAN_COLUMNS = ("Starter", "Growth", "Scale")


def _matrix(draw: random.Random, words: Words, document: str) -> tuple[str, list[Asked]]:
    """Features by plan: what goes on asks for another column of the row, by the column's name."""
    title, first, answer, onward, features = _FEATURES[words.language]
    numbers = draw.sample(range(2, 99), 3 * len(features))
    rows = [
        (feature, *(str(each) for each in numbers[3 * at : 3 * at + 3]))
        for at, feature in enumerate(features)
    ]
    asked: list[Asked] = []
    for _ in range(_CHAINS):
        row = draw.choice(rows)
        column, other = draw.sample(range(3), 2)
        text = first.format(row[0], _PLAN_COLUMNS[column])
        said = (
            Said("user", text),
            Said("agent", answer.format(row[0], _PLAN_COLUMNS[column], row[column + 1])),
        )
        for way, question, history, place in (
            ("first", text, (), column),
            ("another column", onward.format(_PLAN_COLUMNS[other]), said, other),
        ):
            cell = row[place + 1]
            others = tuple(each for each in row[1:] if each != cell)
            asked.append(
                Asked(way, words.language, question, history, document, _line(row), cell, others)
            )
    return _table(title, (_NAME[words.language], *_PLAN_COLUMNS), rows), asked


def made(seed: int = SEED) -> tuple[dict[str, str], list[Asked]]:
    """Sixteen documents of one knowledge base and the questions, the same in every run."""
    draw = random.Random(seed)
    texts: dict[str, str] = {}
    asked: list[Asked] = []
    for words in _PLANS:
        for kind, make in (
            ("plans", _price_list),
            ("parts", _catalogue),
            ("hours", _hours),
            ("matrix", _matrix),
        ):
            document = f"{kind}-{words.language}.md"
            texts[document], questions = make(draw, words, document)
            asked += questions
    return texts, asked


def hits(search: Search, texts: dict[str, str], asked: Sequence[Asked]) -> list[float]:
    """For each question 1 where its row stands whole within the first characters."""
    found: list[float] = []
    for each in asked:
        start = texts[each.document].index(each.row)
        end = start + len(each.row)
        left, is_found = _WITHIN_CHARS, False
        for place in search(each.text, each.history, _LIMIT):
            reach = min(place.end, place.start + left)
            is_found |= place.name == each.document and place.start <= start and end <= reach
            left -= reach - place.start
            if left <= 0:
                break
        found.append(float(is_found))
    return found


def compared(texts: dict[str, str], asked: Sequence[Asked]) -> dict[str, list[float]]:
    """Each system's hits."""
    systems: Sequence[System] = (OURS, *BASELINES)
    held: dict[str, list[float]] = {}
    for system in systems:
        with (
            tempfile.TemporaryDirectory() as folder,
            system.open(texts, Path(folder) / "made", remembering(queries_too=True)) as search,
        ):
            held[system.name] = hits(search, texts, asked)
    return held


def answered(texts: dict[str, str], asked: Sequence[Asked]) -> list[str]:
    """What is said without a language model: `right`, `wrong`, or `not known`, each question.

    The turns before a question are had in the same session.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        KnowledgeBase.open(
            Path(folder) / "kb", KnowledgeBaseConfig(limits=Limits(max_documents=None))
        ) as base,
        ConversationStore.open(f"sqlite:///{Path(folder) / 'store.sqlite'}") as store,
    ):
        base.add_texts(texts.items())
        return [_said(base, store, each) for each in asked]


def _said(base: KnowledgeBase, store: ConversationStore, asked: Asked) -> str:
    model = open_chat_model("embedded/extractive")
    agent = AgentConfig(
        agent_id="bench",
        name="Bench",
        system_prompt="You answer questions.",
        language=asked.language,
        llm=LLMConfig(model=model.model),
    )
    with Session.start(agent, knowledge_base=base, store=store, chat_model=model) as session:
        turns = [said.text for said in asked.history if said.role == "user"]
        done = [list(session.reply(text))[-1] for text in (*turns, asked.text)][-1]
    assert isinstance(done, AgentTurn)
    return outcome(asked, done.text)


def outcome(asked: Asked, text: str) -> str:
    """Whether the cell stands in an answer; one that quotes other rows beside it is right too."""
    forms = {form for value in values_in(text, asked.language) for form in value.forms}
    wanted = values_in(asked.cell, asked.language)
    if wanted and all(value.forms & forms for value in wanted):
        return "right"
    return "not known" if admits_not_knowing(text) or not forms else "wrong"


def main() -> None:
    """Print a line for each way of asking, and keep the figures."""
    texts, asked = made()
    held = compared(texts, asked)
    rows = [["asked", "n", *held, "said right", "not known", "wrong"]]
    said = answered(texts, asked)
    groups = [*dict.fromkeys(each.way for each in asked), *dict.fromkeys(e.language for e in asked)]
    for group in groups:
        places = [at for at, each in enumerate(asked) if group in (each.way, each.language)]
        rows.append(_row(group, places, held, said))
    rows.append(_row("all", range(len(asked)), held, said))
    print(markdown(rows))
    ours = held[OURS.name]
    for name, found in held.items():
        record("table_follow_ups", [mean_figure(f"table_follow_ups/{name}/row found", found)])
        if name != OURS.name:
            low, high = interval([a - b for a, b in zip(ours, found, strict=True)])
            print(f"ours minus {name}: [{low:+.3f}, {high:+.3f}]")


def _row(
    name: str, places: Sequence[int], held: dict[str, list[float]], said: Sequence[str]
) -> list[str]:
    figures = [f"{mean([found[at] for at in places]):.3f}" for found in held.values()]
    counts = [
        str(sum(said[at] == kind for at in places)) for kind in ("right", "not known", "wrong")
    ]
    return [name, str(len(places)), *figures, *counts]


if __name__ == "__main__":
    main()
