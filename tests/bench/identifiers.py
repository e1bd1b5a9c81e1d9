"""What one chunk alone holds, asked for by its number: is it among the first two passages?

    python -m tests.bench.identifiers

Articles of a statute, error codes and parts, all alike but for their identifier; some questions
write it otherwise than the text. The baseline is plain BM25 over the same chunks.
"""

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.config import KnowledgeBaseConfig, Limits
from kb.knowledge_base import KnowledgeBase
from tests.bench.baselines import BASELINES, OURS, Search, System
from tests.bench.embedders import remembering
from tests.bench.figures import mean_figure, record
from tests.bench.measures import mean
from tests.bench.tables import markdown

SEED = 7
ASKED = 40
_FIRST = 2
_PEOPLE = ("member", "tenant", "driver", "operator", "owner", "visitor")
_DUTIES = ("shall pay", "may ask for", "has to announce", "is free of", "loses")
_THINGS = ("the fee", "the deposit", "the permit", "the insurance", "the licence", "the card")
_PARTS = ("pump", "fan", "heater", "valve", "display", "sensor", "motor", "belt", "filter", "fuse")


@dataclass(frozen=True, slots=True)
class Set:
    """Texts that differ in an identifier, and ways to ask for one of them."""

    name: str
    texts: dict[str, str]
    asked: tuple[tuple[str, str], ...]
    """Question, and the name of the text."""


def sets(seed: int = SEED) -> Iterator[Set]:
    """The same sets in every run."""
    draw = random.Random(seed)
    articles = {
        f"article {number}": f"Article {number}\n\nThe {draw.choice(_PEOPLE)} "
        f"{draw.choice(_DUTIES)} {draw.choice(_THINGS)} within ten days."
        for number in range(1, 201)
    }
    codes = {
        f"E-{number}": f"E-{number}: the {draw.choice(_PARTS)} is blocked. Replace the "
        f"{draw.choice(_PARTS)} and start again."
        for number in range(100, 400)
    }
    parts = {
        f"SKU-{number}{letter}": f"SKU-{number}{letter} is a {draw.choice(_PARTS)} of "
        f"{draw.randint(5, 90)} mm."
        for number in range(4400, 4450)
        for letter in "ABC"
    }
    numbers = {
        f"office {at}": f"The office of {draw.choice(_PEOPLE)}s is reached at +49 (0)30 "
        f"{1200 + 7 * at}-{100 + 3 * at}."
        for at in range(60)
    }
    for name, texts, ways in (
        ("article", articles, ("What does {0} say?", "{0}")),
        ("error code", codes, ("what should I do at {0}", "{1}")),
        ("part", parts, ("how long is {0}", "{1}", "{2}")),
        ("telephone", numbers, ("who is called at {3}",)),
    ):
        chosen = draw.sample(list(texts), ASKED)
        yield Set(
            name,
            texts,
            tuple(
                (draw.choice(ways).format(*_written(each, texts[each])), each) for each in chosen
            ),
        )


def _written(name: str, text: str) -> tuple[str, str, str, str]:
    """An identifier as it stands, without hyphens, apart, and a telephone number as dialled."""
    digits = "".join(sign for sign in text.split("+49 (0)")[-1] if sign.isdigit())
    return name, name.replace("-", "").lower(), name.replace("-", " "), f"0{digits}"


def found(search: Search, asked: Sequence[tuple[str, str]]) -> list[float]:
    """For each question 1 where its text is among the first."""
    return [
        float(name in [place.name for place in search(question, (), _FIRST)])
        for question, name in asked
    ]


def measure(system: System, each: Set) -> list[float]:
    """One system on one set."""
    with (
        tempfile.TemporaryDirectory() as folder,
        system.open(each.texts, Path(folder) / "made", remembering(queries_too=True)) as search,
    ):
        return found(search, each.asked)


def in_one_document() -> list[float]:
    """The articles as one text, so that the cut decides what stands together."""
    each = next(sets())
    config = KnowledgeBaseConfig(limits=Limits(max_documents=None, max_total_bytes=None))
    with tempfile.TemporaryDirectory() as folder, KnowledgeBase.open(folder, config) as kb:
        kb.add_text("statute", "\n\n".join(each.texts.values()))
        return [
            float(any(f"A{name[1:]}\n" in passage.text for passage in kb.retrieve(question)[:2]))
            for question, name in each.asked
        ]


def main() -> None:
    """Print a line a set, and keep the figures."""
    systems = (OURS, *(each for each in BASELINES if "bm25" in each.name.lower()))
    rows = [["set", "n", *(system.name for system in systems)]]
    for each in sets():
        hits = {system.name: measure(system, each) for system in systems}
        rows.append([each.name, f"{ASKED}", *(f"{mean(held):.3f}" for held in hits.values())])
        record(
            "identifiers",
            [
                mean_figure(f"identifiers {each.name}/{name}/top 2", held)
                for name, held in hits.items()
            ],
        )
    together = in_one_document()
    others = [""] * (len(systems) - 1)
    rows.append(["article, one document", f"{ASKED}", f"{mean(together):.3f}", *others])
    record("identifiers", [mean_figure("identifiers/one document top 2", together)])
    print(markdown(rows))


if __name__ == "__main__":
    main()
