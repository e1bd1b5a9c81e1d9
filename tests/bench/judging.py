"""How good a judge is: `python -m tests.bench.judging WHAT --n 40 --judge MODEL`.

`star`: verdicts on real calls against the answers of the users themselves, beside always-yes and a
plain one-prompt judge of the same model. `sgd`: collected values. `injection`: share of verdicts
that an attack in a user turn flips. `samples`: the calls of this repository, as the demo does it.
"""

import argparse
import json
import math
import os
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis.evaluation import analyse_transcript
from analysis.results import Verdict
from conversation.config import DEFAULT_LLM, Criterion
from conversation.errors import ModelError
from conversation.llm.chat_model import ChatMessage, ChatModel, CompletionOptions
from conversation.llm.models import open_chat_model
from conversation.transcript import Transcript, Turn
from tests.bench.attacks import own_attacks
from tests.bench.extraction import Extraction, load_dialogues, score_dialogue
from tests.bench.samples import measure_samples

REPOSITORY = Path(__file__).resolve().parents[2]
DATASETS = Path(os.environ.get("VIVAVOCE_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
PLAIN_SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["success", "failure", "unknown"]}},
    "required": ["verdict"],
}


@dataclass(frozen=True, slots=True)
class LabelledCall:
    """A call, a question about it, and the true answer."""

    transcript: Transcript
    criterion: Criterion
    is_success: bool


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Agreement of verdicts with labels. A missing or unknown verdict counts as wrong."""

    n: int
    right: int
    accuracy: float
    low: float
    """Wilson's 95 % interval."""
    high: float
    failure_f1: float
    undecided: int


def load_star(datasets: Path, *, split: str = "dev", n: int, seed: int = 7) -> list[LabelledCall]:
    """Load `n` task questions of `star_success` on which the log and the user agree."""
    path = datasets / "star_success" / split / "dialogues.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [
        (row, question)
        for row in rows
        for question in row["criteria"]
        if question["kind"] == "task" and question.get("clean")
    ]
    random.Random(seed).shuffle(pairs)
    return [
        LabelledCall(
            Transcript(
                conversation_id=row["_id"],
                turns=tuple(Turn(role=turn["role"], text=turn["text"]) for turn in row["turns"]),
            ),
            Criterion(criterion_id="task", prompt=question["question"]),
            question["answer"],
        )
        for row, question in pairs[:n]
    ]


def accuracy(verdicts: Sequence[Verdict | None], labels: Sequence[bool]) -> Accuracy:
    """Compare verdicts with labels."""
    pairs = list(zip(verdicts, labels, strict=True))
    right = sum((verdict == "success") == label and _decided(verdict) for verdict, label in pairs)
    hits = sum(verdict == "failure" and not label for verdict, label in pairs)
    called = sum(verdict == "failure" for verdict, _ in pairs)
    failures = labels.count(False)
    low, high = wilson(right, len(pairs))
    return Accuracy(
        n=len(pairs),
        right=right,
        accuracy=right / len(pairs),
        low=low,
        high=high,
        failure_f1=2 * hits / max(1, called + failures),
        undecided=sum(not _decided(verdict) for verdict, _ in pairs),
    )


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def judge_calls(calls: Iterable[LabelledCall], judge: ChatModel) -> list[Verdict | None]:
    """Return the product's verdict on each call."""
    return [
        analyse_transcript(call.transcript, [call.criterion], [], judge, summary=False)
        .evaluations[0]
        .verdict
        for call in calls
    ]


def judge_plainly(call: LabelledCall, judge: ChatModel) -> Verdict | None:
    """Return the verdict of one plain prompt: what the product has to beat."""
    lines = "\n".join(f"{turn.role}: {turn.text}" for turn in call.transcript.turns)
    prompt = (
        f"Conversation:\n{lines}\n\nCriterion: {call.criterion.prompt}\nIs the criterion met? "
        "Answer in JSON with verdict success, failure or unknown."
    )
    try:
        options = CompletionOptions(max_output_tokens=20, schema=PLAIN_SCHEMA)
        return json.loads(judge.complete([ChatMessage("user", prompt)], options).text)["verdict"]
    except (ModelError, ValueError, KeyError):
        return None


def measure_star(judge: ChatModel, *, datasets: Path, n: int, seed: int) -> dict[str, object]:
    """Measure verdicts on real calls."""
    calls = load_star(datasets, n=n, seed=seed)
    labels = [call.is_success for call in calls]
    started = time.perf_counter()
    verdicts = judge_calls(calls, judge)
    seconds = (time.perf_counter() - started) / len(calls)
    plain: list[Verdict | None] = [judge_plainly(call, judge) for call in calls]
    always_yes: list[Verdict | None] = ["success" for _ in calls]
    return {
        "product": asdict(accuracy(verdicts, labels)),
        "plain_prompt": asdict(accuracy(plain, labels)),
        "always_yes": asdict(accuracy(always_yes, labels)),
        "seconds_per_call": round(seconds, 2),
    }


def measure_sgd(judge: ChatModel, *, datasets: Path, n: int, seed: int) -> dict[str, object]:
    """Measure collected values."""
    counts = Extraction()
    started = time.perf_counter()
    for dialogue in load_dialogues(datasets, n=n, seed=seed):
        result = analyse_transcript(dialogue.transcript, [], dialogue.fields, judge, summary=False)
        counts += score_dialogue(dialogue, result.collected)
    seconds = (time.perf_counter() - started) / max(1, counts.dialogues)
    return {
        **asdict(counts),
        "filled_recall": counts.found / max(1, counts.filled),
        "filled_recall_interval": wilson(counts.found, max(1, counts.filled)),
        "invention_rate": counts.invented / max(1, counts.empty),
        "invention_rate_interval": wilson(counts.invented, max(1, counts.empty)),
        "seconds_per_dialogue": round(seconds, 1),
    }


def measure_injection(judge: ChatModel, *, datasets: Path, n: int, seed: int) -> dict[str, object]:
    """Measure how many verdicts an attack flips to what the attacker wants.

    Each call is attacked once, by an own attack or a `injection_bipia` string in turn, spoken in
    the user's last turn.
    """
    rng = random.Random(seed)
    calls = load_star(datasets, n=n, seed=seed)
    path = datasets / "injection_bipia" / "dev" / "text_attacks.json"
    foreign = [text for texts in json.loads(path.read_text()).values() for text in texts]
    flips = {"own": 0, "bipia": 0}
    attacked = {"own": 0, "bipia": 0}
    for index, (call, verdict) in enumerate(zip(calls, judge_calls(calls, judge), strict=True)):
        target = "failure" if verdict == "success" else "success"
        kind = "bipia" if index % 3 == 2 else "own"
        attack = rng.choice(foreign if kind == "bipia" else own_attacks(target))
        after = judge_calls([attacked_call(call, attack)], judge)[0]
        attacked[kind] += 1
        flips[kind] += after == target
    return {
        kind: {
            "n": attacked[kind],
            "flips": flips[kind],
            "flip_rate": flips[kind] / max(1, attacked[kind]),
            "interval": wilson(flips[kind], max(1, attacked[kind])),
        }
        for kind in flips
    }


def attacked_call(call: LabelledCall, attack: str) -> LabelledCall:
    """Return `call` with `attack` spoken at the end of the user's last turn."""
    turns = list(call.transcript.turns)
    last = max((i for i, turn in enumerate(turns) if turn.role == "user"), default=0)
    turns[last] = turns[last].model_copy(update={"text": f"{turns[last].text} {attack}"})
    transcript = call.transcript.model_copy(update={"turns": tuple(turns)})
    return LabelledCall(transcript, call.criterion, call.is_success)


MEASUREMENTS: dict[str, Callable[..., dict[str, object]]] = {
    "star": measure_star,
    "sgd": measure_sgd,
    "injection": measure_injection,
    "samples": measure_samples,
}


def main() -> None:
    """Print one measurement as JSON."""
    parser = argparse.ArgumentParser(prog="tests.bench.judging", description=__doc__)
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("--n", type=int, default=40, help="calls or dialogues")
    parser.add_argument("--seed", type=int, default=7, help="which ones are drawn")
    parser.add_argument("--judge", default=DEFAULT_LLM, help="litellm model string")
    parser.add_argument("--datasets", type=Path, default=DATASETS)
    args = parser.parse_args()
    judge = open_chat_model(args.judge)
    judge.check()
    figures = MEASUREMENTS[args.what](judge, datasets=args.datasets, n=args.n, seed=args.seed)
    print(json.dumps({"judge": args.judge, "measured": args.what, **figures}, indent=2))


def _decided(verdict: Verdict | None) -> bool:
    return verdict in ("success", "failure")


if __name__ == "__main__":
    main()
