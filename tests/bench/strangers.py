"""Whether time tells a stranger which agents there are: private, broken and missing ones apart.

    python -m tests.bench.strangers [ROUNDS]

Each round asks a real server, in random order, for a private agent, one whose file cannot be used
and one that is not there, by socket and for its widget. Told are the medians, the probability that
an answer for one kind takes longer than one for a missing agent (0.5 where nobody can tell; a
Mann-Whitney test of that), and the 99 % interval of it by a bootstrap. A kind can be told when
the interval does not hold 0.5 and is more than 0.02 away from it.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from tests.conversation.server.served import Clock, Served
from tests.orchestration.deployed import served_deployment

KINDS = ("private", "broken", "missing")
ROUNDS = 1_000
BOOTSTRAPS = 400
WARM_UP = 30


def main(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, served_deployment(Path(folder)) as served:
        agents = served.settings.agents_dir
        (agents / "private.yaml").write_text("name: Private\n", "utf-8")
        (agents / "broken.yaml").write_text("nane: Broken\n", "utf-8")
        served.context.limits = replace(
            served.context.limits, requests_per_minute=10**9, starts_per_minute=10**9
        )
        del served.http.headers["xi-api-key"]
        client = Served(served.context, int(served.url.rpartition(":")[2]), Clock())

        def by_socket(agent_id: str) -> object:
            with client.dial(agent_id, init=None) as dialled:
                return dialled.closed()

        def by_widget(agent_id: str) -> object:
            return served.http.get(f"/v1/convai/agents/{agent_id}/widget").status_code

        for name, ask in (("socket", by_socket), ("widget", by_widget)):
            took = _measured(ask, rounds)
            for kind in KINDS:
                print(_line(name, kind, took[kind], took["missing"]))


def _measured(ask: Callable[[str], object], rounds: int) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    told: dict[str, object] = {}
    for number in range(WARM_UP + rounds):
        for kind in random.sample(KINDS, len(KINDS)):
            began_s = time.perf_counter()
            told[kind] = ask(kind)
            if number >= WARM_UP:
                took[kind].append(1_000 * (time.perf_counter() - began_s))
        if len({*told.values()}) != 1:
            raise SystemExit(f"the answers differ: {told}")
    return took


def _line(name: str, kind: str, own: list[float], missing: list[float]) -> str:
    line = f"{name} {kind:8} n={len(own)} median {statistics.median(own):.3f} ms"
    if kind == "missing":
        return line
    first, second = np.array(own), np.array(missing)
    p = float(mannwhitneyu(first, second).pvalue)
    rounds = np.arange(len(own))
    draws = [np.random.default_rng(seed).choice(rounds, len(rounds)) for seed in range(BOOTSTRAPS)]
    sampled = [_longer(first[draw], second[draw]) for draw in draws]
    low, high = np.quantile(sampled, [0.005, 0.995])
    told = not low <= 0.5 <= high and abs(_longer(first, second) - 0.5) > 0.02
    return (
        f"{line}, longer than missing {_longer(first, second):.3f} [{low:.3f}, {high:.3f}], "
        f"p={p:.2g}: {'CAN BE TOLD' if told else 'cannot be told'}"
    )


def _longer(own: NDArray[np.float64], missing: NDArray[np.float64]) -> float:
    """The probability that one of `own` is longer than one of `missing`."""
    ordered = np.sort(missing)
    below = np.searchsorted(ordered, own, "left") + np.searchsorted(ordered, own, "right")
    return float(below.sum() / (2 * len(own) * len(missing)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
