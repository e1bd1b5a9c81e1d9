"""Trains the text model of turn ends: `python -m tests.bench.voice.train_turn_words [--write]`.

Measures by cross-validation over dialogues, so that no turn is judged by a model that has seen its
dialogue, then trains on all of them. What it reads, and why, is said in
`conversation/voice/hearing/turn_words.md`.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conversation.voice.hearing.turn_words import BUCKETS, COEFFICIENTS, buckets, words_of
from tests.bench.places import datasets

CUTS_PER_TURN = 6
FOLDS = 5
STRENGTH = 1.0
SPOKEN_WEIGHT = 4.0
"""Of a spoken turn against a typed one: callers speak."""
CUT_WEIGHT = 0.5
"""Of a cut against an end: there are several of them in each turn."""
KEEP_AT = 0.1
"""Probability below which a turn is held, as the policy of turn ends has it."""
HESITATIONS = frozenset({"um", "and", "so", "the", "to", "a", "of", "for", "in", "is"})


@dataclass(frozen=True, slots=True)
class UserTurn:
    """One turn of a user."""

    dialogue: str
    words: tuple[str, ...]
    is_spoken: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A turn, or its beginning."""

    turn: UserTurn
    words: tuple[str, ...]
    is_done: bool


def read_turns(folder: Path) -> list[UserTurn]:
    """User turns of the development halves whose licences let a model be passed on freely."""
    found = [*_spoken(folder), *_star(folder), *_mtrag(folder)]
    return list(dict.fromkeys(turn for turn in found if turn.words))


def examples_of(turns: Sequence[UserTurn]) -> list[Example]:
    """Each turn whole, and cut at a few of the places where its speaker went on."""
    chance = random.Random(0)
    found: list[Example] = []
    for turn in turns:
        found.append(Example(turn, turn.words, True))
        places = range(1, len(turn.words))
        for cut in sorted(chance.sample(places, min(CUTS_PER_TURN, len(places)))):
            found.append(Example(turn, turn.words[:cut], False))
    return found


def trained(examples: Sequence[Example]) -> tuple[NDArray[np.float32], float]:
    """Coefficients and bias of the regression."""
    from sklearn.linear_model import LogisticRegression

    weights = [
        (SPOKEN_WEIGHT if each.turn.is_spoken else 1.0) * (1.0 if each.is_done else CUT_WEIGHT)
        for each in examples
    ]
    model = LogisticRegression(C=STRENGTH, max_iter=400, solver="liblinear")
    model.fit(matrix(examples), [each.is_done for each in examples], sample_weight=weights)
    return np.asarray(model.coef_, np.float32)[0], float(np.asarray(model.intercept_)[0])


def matrix(examples: Sequence[Example]):
    """Features as a sparse matrix of shape (examples, `BUCKETS`)."""
    from scipy.sparse import csr_matrix

    rows = [list(buckets(each.words)) for each in examples]
    starts = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.concatenate([np.asarray(row) for row in rows])
    values = np.ones(len(columns), np.float32)
    return csr_matrix((values, columns, starts), shape=(len(rows), BUCKETS))


def scores(examples: Sequence[Example], weights: NDArray[np.float32], bias: float):
    """Probabilities that each example is a whole turn."""
    return 1 / (1 + np.exp(-(matrix(examples) @ weights + bias)))


def cross_validated(examples: Sequence[Example]) -> NDArray[np.float64]:
    """The probability of each example by a model that has seen nothing of its dialogue."""
    names = sorted({each.turn.dialogue for each in examples})
    random.Random(1).shuffle(names)
    fold_of = {name: number % FOLDS for number, name in enumerate(names)}
    found = np.zeros(len(examples))
    for fold in range(FOLDS):
        inside = [n for n, each in enumerate(examples) if fold_of[each.turn.dialogue] == fold]
        seen = [each for each in examples if fold_of[each.turn.dialogue] != fold]
        found[inside] = scores([examples[n] for n in inside], *trained(seen))
    return found


def quantized(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], float]:
    """Coefficients as multiples of one step, in a byte each."""
    step = float(np.abs(weights).max()) / 127
    return np.round(weights / step).astype(np.int8), step


def report(examples: Sequence[Example], likely: NDArray[np.float64], name: str) -> float:
    """Print what the probabilities are worth; returns the area under the curve."""
    from sklearn.metrics import roc_auc_score

    done = np.array([each.is_done for each in examples])
    hesitant = np.array([each.words[-1] in HESITATIONS for each in examples])
    area = float(roc_auc_score(done, likely))
    kept, held = (likely[done] >= KEEP_AT).mean(), (likely[~done] < KEEP_AT).mean()
    after = (likely[~done & hesitant] < KEEP_AT).mean()
    print(
        f"{name}: {done.sum()} turns, {len(done)} points: AUC {area:.3f}; at {KEEP_AT} keeps "
        f"{kept:.1%} of true ends, holds {held:.1%} of cuts, {after:.1%} after a hesitation "
        f"(n={(~done & hesitant).sum()})"
    )
    return area


def main() -> None:
    """Measure, and write the coefficients where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the coefficients that ship")
    write = parser.parse_args().write
    examples = examples_of(read_turns(datasets()))
    likely = cross_validated(examples)
    is_spoken = np.array([each.turn.is_spoken for each in examples])
    for name, chosen in (("spoken", is_spoken), ("typed", ~is_spoken)):
        report(
            [each for each, is_in in zip(examples, chosen, strict=True) if is_in],
            likely[chosen],
            f"cross-validated, {name}",
        )
    if write:
        weights, bias = trained(examples)
        kept, step = quantized(weights)
        np.savez_compressed(COEFFICIENTS, weights=kept, step=np.float32(step), bias=bias)
        print(f"wrote {COEFFICIENTS.name}: {COEFFICIENTS.stat().st_size:,} bytes")


def _rows(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


def _turn(dialogue: str, text: str, *, is_spoken: bool) -> UserTurn:
    return UserTurn(dialogue, tuple(words_of(text)), is_spoken)


def _spoken(folder: Path) -> Iterator[UserTurn]:
    for row in _rows(folder / "dstc_faq" / "dev" / "dstc10_val_spoken.jsonl"):
        dialogue = f"dstc10 {row['turns'][0]['text']}"
        for turn in row["turns"]:
            if turn["speaker"] == "U":
                yield _turn(dialogue, turn["text"], is_spoken=True)


def _star(folder: Path) -> Iterator[UserTurn]:
    for row in _rows(folder / "star_success" / "dev" / "dialogues.jsonl"):
        for turn in row["turns"]:
            if turn["role"] == "user":
                yield _turn(row["_id"], turn["text"], is_spoken=False)


def _mtrag(folder: Path) -> Iterator[UserTurn]:
    for row in _rows(folder / "mtrag" / "dev" / "tasks.jsonl"):
        dialogue = f"mtrag {row['turns'][0]['text']}"
        for turn in row["turns"]:
            if turn["role"] == "user":
                yield _turn(dialogue, turn["text"], is_spoken=False)


if __name__ == "__main__":
    main()
