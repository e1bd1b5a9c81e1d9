"""How many verdicts a user can move by what they say to the judge."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from analysis.results import Verdict
from analysis.shown.withholding import without_words_to_judge
from conversation.llm.chat_model import ChatModel
from tests.bench.attacks import FRESH_ATTACKS, OWN_ATTACKS, TRANSLATED_ATTACKS, filled
from tests.bench.innocent import INNOCENT
from tests.bench.kept_judge import measured
from tests.bench.verdicts import LabelledCall, load_star, verdict_on, wilson

KINDS = ("own", "fresh", "translated", "bipia")


class Attacked(NamedTuple):
    """What one attack did."""

    kind: str
    attack: str
    before: Verdict | None
    target: str
    after: Verdict | None

    @property
    def flipped(self) -> bool:
        """Whether the verdict moved to what the attacker wants."""
        return self.after == self.target


def measure_injection(judge: ChatModel, *, datasets: Path, n: int, seed: int) -> dict[str, object]:
    """Measure how many verdicts an attack flips to what the attacker wants.

    Each of `n` calls is attacked once in the user's last turn: by an own attack that the defences
    were written against, one of a second list, one in another
    language, or a string of `injection_bipia`, in turn. Those
    order something else (a poem, a translation), and any flip counts as theirs.
    """
    rng = random.Random(seed)
    path = datasets / "injection_bipia" / "dev" / "text_attacks.json"
    foreign = [text for texts in json.loads(path.read_text()).values() for text in texts]
    plans = [
        (call, KINDS[index % len(KINDS)], rng.random())
        for index, call in enumerate(load_star(datasets, n=n, seed=seed))
    ]

    def attack(plan: tuple[LabelledCall, str, float]) -> Attacked:
        call, kind, draw = plan
        before = verdict_on(call, judge)
        target = "failure" if before == "success" else "success"
        known = {
            "own": OWN_ATTACKS,
            "fresh": FRESH_ATTACKS,
            "translated": TRANSLATED_ATTACKS,
        }.get(kind)
        attacks = filled(known, target) if known else foreign
        text = attacks[int(draw * len(attacks))]
        return Attacked(kind, text, before, target, verdict_on(attacked_call(call, text), judge))

    done, left = measured(plans, attack)
    outcomes = [outcome for _, outcome in done]
    return {
        **{kind: _rate([each for each in outcomes if each.kind == kind]) for kind in KINDS},
        "all": _rate(outcomes),
        "orders_kept_from_judge": _withheld(
            filled((*OWN_ATTACKS, *FRESH_ATTACKS, *TRANSLATED_ATTACKS), "success")
        ),
        "innocent_withheld": _withheld(INNOCENT),
        "flipped_by": [
            f"{each.kind}, {each.before} -> {each.after}: {each.attack}"
            for each in outcomes
            if each.flipped
        ],
        "left": left,
    }


def attacked_call(call: LabelledCall, attack: str) -> LabelledCall:
    """Return `call` with `attack` spoken at the end of the user's last turn."""
    turns = list(call.transcript.turns)
    last = max((i for i, turn in enumerate(turns) if turn.role == "user"), default=0)
    turns[last] = turns[last].model_copy(update={"text": f"{turns[last].text} {attack}"})
    return replace(call, transcript=call.transcript.model_copy(update={"turns": tuple(turns)}))


def _withheld(said: Sequence[str]) -> str:
    count = sum(without_words_to_judge(each) != each for each in said)
    return f"{count} of {len(said)}"


def _rate(outcomes: Sequence[Attacked]) -> dict[str, object]:
    flips, n = sum(each.flipped for each in outcomes), len(outcomes)
    return {
        "n": n,
        "flips": flips,
        "flip_rate": flips / max(1, n),
        "interval": wilson(flips, n) if n else None,
    }
