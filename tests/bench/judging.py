"""How good a judge is: `python -m tests.bench.judging WHAT --n 40 --judge MODEL`.

`star`: verdicts on real calls against the answers of the users themselves, beside always-yes and a
plain one-prompt judge of the same model. `sgd`: collected values. `injection`: share of verdicts
that an attack in a user turn flips. `tau`: whether a task was done, by the state that it left.
`faithful`: agreement with people on whether answers keep to their passages. `samples`: the calls of
this repository, as the demo does it. `overhead`: time per evaluation without any model.

Answers are kept, so that a run which stops after `--seconds` goes on the next time.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.evaluation.analyse import analyse_transcript
from analysis.results import Verdict
from conversation.agent.config import Criterion
from conversation.agent.models.llm_config import DEFAULT_LLM
from conversation.llm.chat_model import ChatModel
from conversation.llm.open_model import open_chat_model
from conversation.transcript import Transcript, Turn
from tests.bench.extraction import Extraction, load_dialogues, score_dialogue
from tests.bench.injection import measure_injection
from tests.bench.kept_judge import keep, measured
from tests.bench.outcomes import measure_faithfulness, measure_tau
from tests.bench.places import datasets
from tests.bench.samples import measure_samples
from tests.bench.verdicts import accuracy, judge_plainly, load_star, verdict_on, wilson
from tests.fakes import ScriptedChatModel


def measure_star(judge: ChatModel, *, datasets: Path, n: int, seed: int) -> dict[str, object]:
    """Measure verdicts on real calls, each beside a plain prompt's of the same judge."""
    done, left = measured(
        load_star(datasets, n=n, seed=seed),
        lambda call: (verdict_on(call, judge), judge_plainly(call, judge)),
    )
    labels = [call.is_success for call, _ in done]
    always_yes: list[Verdict | None] = ["success" for _ in done]
    return {
        "product": asdict(accuracy([product for _, (product, _) in done], labels)),
        "plain_prompt": asdict(accuracy([plain for _, (_, plain) in done], labels)),
        "always_yes": asdict(accuracy(always_yes, labels)),
        "left": left,
    }


def measure_sgd(
    judge: ChatModel, *, datasets: Path, n: int, seed: int, start: int = 0
) -> dict[str, object]:
    """Measure collected values."""
    counts = Extraction()
    dialogues = load_dialogues(datasets, n=n, seed=seed, start=start)
    done, left = measured(
        dialogues,
        lambda dialogue: analyse_transcript(
            dialogue.transcript, [], dialogue.fields, judge, summary=False
        ),
    )
    for dialogue, result in done:
        counts += score_dialogue(dialogue, result.collected)
    return {
        **asdict(counts),
        "filled_recall": counts.found / max(1, counts.filled),
        "filled_recall_interval": wilson(counts.found, max(1, counts.filled)),
        "invention_rate": counts.invented / max(1, counts.empty),
        "invention_rate_interval": wilson(counts.invented, max(1, counts.empty)),
        "left": left,
    }


def measure_overhead(judge: ChatModel, *, n: int, **_: object) -> dict[str, object]:
    """Measure what an evaluation costs beside the judge: a scripted one answers at once."""
    turns = tuple(
        Turn(role="agent" if index % 2 else "user", text=f"Turn {index}: {'word ' * 25}")
        for index in range(30)
    )
    transcript = Transcript(conversation_id="c1", turns=turns)
    criteria = [
        Criterion(criterion_id=f"c{number}", prompt=f"Criterion {number}.") for number in range(10)
    ]
    reply = {"verdict": "success", "turn": 3, "quote": "word word", "rationale": "It did."}
    times: list[float] = []
    for _number in range(n):
        instant = ScriptedChatModel(always=reply)
        started = time.perf_counter()
        analyse_transcript(transcript, criteria, [], instant, summary=False)
        times.append(1_000 * (time.perf_counter() - started) / len(criteria))
    times.sort()
    return {
        "conversations": n,
        "turns": len(turns),
        "evaluations": n * len(criteria),
        "ms_per_evaluation_median": round(times[len(times) // 2], 2),
        "ms_per_evaluation_p95": round(times[int(0.95 * len(times))], 2),
    }


MEASUREMENTS: dict[str, Callable[..., dict[str, object]]] = {
    "star": measure_star,
    "sgd": measure_sgd,
    "injection": measure_injection,
    "tau": measure_tau,
    "faithful": measure_faithfulness,
    "samples": measure_samples,
    "overhead": measure_overhead,
}


def main() -> None:
    """Print one measurement as JSON."""
    parser = argparse.ArgumentParser(prog="tests.bench.judging", description=__doc__)
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("--n", type=int, default=40, help="calls or dialogues")
    parser.add_argument("--start", type=int, default=0, help="number of the first dialogue (sgd)")
    parser.add_argument("--seed", type=int, default=7, help="which ones are drawn")
    parser.add_argument("--seconds", type=float, default=math.inf, help="ask nothing new after")
    parser.add_argument("--judge", default=DEFAULT_LLM, help="litellm model string")
    parser.add_argument("--datasets", type=Path, default=None)
    args = parser.parse_args()
    opened = open_chat_model(args.judge)
    if args.what != "overhead":
        opened.check()
    judge = keep(opened, seconds=args.seconds)
    asked: dict[str, Any] = {
        "n": args.n,
        "seed": args.seed,
        "datasets": args.datasets or datasets(),
    }
    if args.what == "sgd":
        asked["start"] = args.start
    figures = MEASUREMENTS[args.what](judge, **asked)
    print(json.dumps({"judge": args.judge, "measured": args.what, **figures}, indent=2))


if __name__ == "__main__":
    main()
