"""What a million conversations need and cost, by simulation; every assumption is an option.

    python -m tests.bench.load_plan [--per-day 33000] [--input-usd 0.40] ...

Conversations begin at random with a daily rhythm; their lengths are drawn, not averaged, since the
peak decides how many machines are needed. Capacities are those measured on two shared cores.
"""

import argparse
from dataclasses import dataclass

import numpy as np

SECONDS_A_DAY = 86_400
PEAK_HOUR = 14


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Of one deployment. Prices in USD for a million tokens, or for an hour of one core."""

    per_day: int
    turns: float
    """Of the user, in the mean; geometric."""
    seconds_a_turn: float
    """From one turn of the user to the next, in the mean; gamma with shape 2."""
    prompt_tokens: int
    """Of one turn: instructions, history, passages."""
    cached_share: float
    """Of the prompt, at a provider that caches prefixes."""
    answer_tokens: int
    questions: int
    """Criteria, fields together, and a summary: prompts of the judge for one conversation."""
    judge_tokens: int
    """Of the transcript and one question; all but the first read it from the cache."""
    verdict_tokens: int
    input_usd: float
    cached_usd: float
    output_usd: float
    core_hour_usd: float
    peak_factor: float
    """The busiest hour against the mean hour."""
    sessions_a_core: int
    """Conversations in progress that one core of the API server holds with room to spare."""
    queries_a_core: float
    """Retrievals that one core answers in a second, embedding included."""


def begin_times(assumed: Assumptions, chance: np.random.Generator) -> np.ndarray:
    """Seconds of a day at which conversations begin; (n,), sorted."""
    hours = np.arange(24)
    weight = 1 + (assumed.peak_factor - 1) * np.cos((hours - PEAK_HOUR) / 24 * 2 * np.pi)
    weight = np.clip(weight, 0.05, None)
    chosen = chance.choice(hours, assumed.per_day, p=weight / weight.sum())
    return np.sort((chosen + chance.random(assumed.per_day)) * 3_600)


def simulate(assumed: Assumptions, chance: np.random.Generator) -> dict[str, float]:
    """One day: how much goes on at the same time, and how many turns there are."""
    begins = begin_times(assumed, chance)
    turns = chance.geometric(1 / assumed.turns, assumed.per_day)
    lasts = chance.gamma(2 * turns, assumed.seconds_a_turn / 2)
    moments = np.concatenate([begins, begins + lasts])
    change = np.concatenate([np.ones(len(begins)), -np.ones(len(begins))])
    open_ones = np.cumsum(change[np.argsort(moments)])
    asked = np.concatenate(
        [
            begin + np.sort(chance.random(count)) * last
            for begin, count, last in zip(begins, turns, lasts, strict=True)
        ]
    )
    in_a_second = np.bincount(asked.astype(int), minlength=SECONDS_A_DAY)
    return {
        "turns": float(turns.sum()),
        "open_peak": float(open_ones.max()),
        "queries_p999_s": float(np.quantile(in_a_second, 0.999)),
    }


def usd_a_million(assumed: Assumptions, turns_a_conversation: float) -> dict[str, float]:
    """Tokens of answering and of judging, in USD for a million conversations."""
    fresh = 1 - assumed.cached_share
    turn = assumed.prompt_tokens * (
        fresh * assumed.input_usd + assumed.cached_share * assumed.cached_usd
    )
    turn += assumed.answer_tokens * assumed.output_usd
    judged = assumed.judge_tokens * (
        assumed.input_usd + (assumed.questions - 1) * assumed.cached_usd
    )
    judged += assumed.questions * assumed.verdict_tokens * assumed.output_usd
    return {"answering": turn * turns_a_conversation, "judging": judged}


def main() -> None:
    """Print the plan."""
    assumed = _options()
    days = [simulate(assumed, np.random.default_rng(seed)) for seed in range(5)]
    worst = {name: max(day[name] for day in days) for name in days[0]}
    turns = worst["turns"] / assumed.per_day
    cores = max(1.0, worst["open_peak"] / assumed.sessions_a_core) + max(
        1.0, worst["queries_p999_s"] / assumed.queries_a_core
    )
    tokens = usd_a_million(assumed, turns)
    machine = cores * 24 * assumed.core_hour_usd / assumed.per_day * 1e6
    print(f"{assumed.per_day:,} conversations a day (worst of {len(days)} simulated days)")
    print(f"  open at the same time, peak      {worst['open_peak']:>10,.0f}")
    print(f"  retrievals a second, 99.9 %      {worst['queries_p999_s']:>10,.0f}")
    print(f"  cores for serving and retrieval  {cores:>10,.1f}")
    print("USD for a million conversations")
    for name, usd in (*tokens.items(), ("machines", machine)):
        print(f"  {name:<33}{usd:>10,.0f}")
    print(f"  {'together':<33}{sum(tokens.values()) + machine:>10,.0f}")


def _options() -> Assumptions:
    defaults = Assumptions(
        per_day=33_000,
        turns=6.0,
        seconds_a_turn=20.0,
        prompt_tokens=1_200,
        cached_share=0.4,
        answer_tokens=80,
        questions=5,
        judge_tokens=900,
        verdict_tokens=60,
        input_usd=0.40,
        cached_usd=0.10,
        output_usd=1.60,
        core_hour_usd=0.05,
        peak_factor=2.0,
        sessions_a_core=250,
        queries_a_core=40.0,
    )
    parser = argparse.ArgumentParser(description=__doc__)
    for name in Assumptions.__dataclass_fields__:
        value = getattr(defaults, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return Assumptions(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
