"""Measured, target and best baseline, figure by figure: `python -m tests.bench.summary`.

Reads what the parts kept, so that it can be made again at any time, and writes `summary.md` into
the bench's folder. Each row says on how much it was measured, when, on which revision, and how
busy the machine was.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.bench.comparison import CHUNKING
from tests.bench.figures import Figure, recorded
from tests.bench.places import reports
from tests.bench.tables import markdown

OURS = "vivavoce"
LANGUAGE_MODEL_PARTS = (
    ("verdicts on labelled calls (>= .92)", "judging star"),
    ("values found and invented (>= .75, <= .10)", "judging sgd"),
    ("answers of an agent, with their sources", "answers"),
    ("ten questions to a help centre", "help_centre"),
)
"""Figures that need a language model, with the part that measures them."""
Verdict = Literal["met", "MISSED", "not measured"]


@dataclass(frozen=True, slots=True)
class Target:
    """One figure that the design sets."""

    what: str
    figure: str
    limit: float
    at_least: bool = True
    compared: str | None = None
    """`SET/MEASURE` of the comparison that shows what others reach."""

    def verdict(self, figures: Mapping[str, Figure]) -> Verdict:
        """Whether it is reached."""
        found = figures.get(self.figure)
        if found is None:
            return "not measured"
        met = found.value >= self.limit if self.at_least else found.value <= self.limit
        return "met" if met else "MISSED"


WAIT_P50 = "voice/wait on finished turns p50 s"
WAIT_P95 = "voice/wait on finished turns p95 s"

TARGETS = (
    Target("SciFact nDCG@10", "retrieval/scifact nDCG@10", 0.735, compared="scifact/nDCG@10"),
    Target("SciFact nDCG@10, reranked", "options/scifact, reranked nDCG@10", 0.76),
    Target("MTRAG nDCG@10, own history", "retrieval/mtrag nDCG@10", 0.93, compared="mtrag/nDCG@10"),
    Target("DSTC10 spoken FAQ R@5", "retrieval/dstc10 R@5", 0.80, compared="dstc10/R@5"),
    Target("XQuAD en nDCG@10", "retrieval/xquad nDCG@10", 0.985, compared="xquad/nDCG@10"),
    Target("XQuAD de on en nDCG@10", "retrieval/xquad_de_en nDCG@10", 0.83),
    Target("XQuAD zh by words R@5", "retrieval/xquad_zh words R@5", 0.90),
    Target("help centre R@5", "retrieval/helpcentre R@5", 0.90, compared="helpcentre/R@5"),
    Target(
        "help centre nDCG@10",
        "retrieval/helpcentre nDCG@10",
        0.87,
        compared="helpcentre/nDCG@10",
    ),
    Target(
        "help centre nDCG@10 surely ahead of every baseline by",
        "surely ahead/helpcentre/nDCG@10",
        0.0,
    ),
    *(
        Target(
            f"identifiers, {kind}: among the first two",
            f"identifiers {kind}/{OURS}/top 2",
            1.0,
            compared=f"identifiers {kind}/top 2",
        )
        for kind in ("article", "error code", "part", "telephone")
    ),
    Target("identifiers, one document: the same", "identifiers/one document top 2", 1.0),
    Target(
        "turns that need no search, DSTC10: precision",
        "calibration/dstc10 should_search precision",
        0.80,
    ),
    Target(
        "turns that need no search, DSTC10: recall",
        "calibration/dstc10 should_search recall",
        0.98,
    ),
    Target(
        "chunking, 4,000 characters: recall",
        f"{CHUNKING}/{OURS}/recall@4000",
        0.91,
        compared=f"{CHUNKING}/recall@4000",
    ),
    Target(
        "chunking, 4,000 characters: recall ahead of every baseline by",
        f"ahead/{CHUNKING}/recall@4000",
        0.0,
    ),
    Target(
        "chunking, 4,000 characters: IoU ahead of every baseline by",
        f"ahead/{CHUNKING}/IoU@4000",
        0.0,
        compared=f"{CHUNKING}/IoU@4000",
    ),
    Target(
        "chunking, 2,000 characters: recall",
        f"{CHUNKING}/{OURS}/recall@2000",
        0.81,
        compared=f"{CHUNKING}/recall@2000",
    ),
    Target(
        "chunking, 2,000 characters: IoU",
        f"{CHUNKING}/{OURS}/IoU@2000",
        0.13,
        compared=f"{CHUNKING}/IoU@2000",
    ),
    Target("ingest, chunks/s over LlamaIndex's default", "ingest/chunks ratio, default", 3.0),
    Target("ingest, characters/s over it at 256 tokens", "ingest/characters ratio, 256", 3.0),
    Target("query p95 at 100,000 chunks, ms", "speed/100000 query_p95_ms", 40.0, at_least=False),
    Target("the same with history, ms", "speed/100000 turn_p95_ms", 60.0, at_least=False),
    Target("recall at 10 of the index, 100,000", "speed/100000 recall_at_10", 0.99),
    Target(
        "p95 while another process ingests, ms",
        "speed/100000 other_process_p95_ms",
        150.0,
        at_least=False,
    ),
    Target(
        "p95 while the same process ingests, ms",
        "speed/100000 same_process_p95_ms",
        150.0,
        at_least=False,
    ),
    Target("cold process to first passage, s", "speed/100000 cold_s", 3.0, at_least=False),
    Target("own time in a turn, p95 ms", "turn_overhead/p95_ms", 20.0, at_least=False),
    Target("HTML main text F1", "parsing/html_article shingle F1, as stored", 0.97),
    Target("PDF text word F1, worst manual", "parsing/worst PDF word F1", 0.97),
    Target("good files in among corrupt ones", "parsing/corrupt_files good documents in", 1.0),
    Target("slowest corrupt file, s", "parsing/corrupt_files slowest_s", 10.0, at_least=False),
    Target("publish of 1,000,000 turns, s", "publish/1000000 turns", 15.0, at_least=False),
    Target("slowest view, s", "publish/slowest view", 1.0, at_least=False),
    # Of `python -m tests.bench.voice`.
    Target("voice: word errors", "voice/word errors", 0.055, at_least=False),
    Target("voice: transcripts that run away", "voice/runaways", 0, at_least=False),
    Target(
        "voice: end of speech to first audio, cpu path, s",
        "voice/end of speech to first audio s",
        0.65,
        at_least=False,
    ),
    Target("voice: onset to last audio, s", "voice/onset to last audio s", 0.2, at_least=False),
    Target("voice: backchannels resumed", "voice/backchannels resumed", 0.90),
    Target("voice: interruptions taken", "voice/interruptions taken", 0.97),
    Target("voice: turns cut in a pause, readers", "voice/turns cut, read", 0.08, at_least=False),
    Target("voice: turns cut in a pause, made", "voice/turns cut, made", 0.08, at_least=False),
    Target("voice: wait on finished turns, p50 s", WAIT_P50, 0.2, at_least=False),
    Target("voice: wait on finished turns, p95 s", WAIT_P95, 1.0, at_least=False),
    Target(
        "voice: gap with four callers, s", "voice/four calls, longest gap s", 0.15, at_least=False
    ),
    Target("voice: memory, MB", "voice/memory MB", 450, at_least=False),
)


def best_baseline(figures: Mapping[str, Figure], compared: str) -> tuple[str, float] | None:
    """The best of the others on `SET/MEASURE`, whether told the history or not."""
    wanted, measure = compared.split("/")
    found = [
        (system, figure.value)
        for name, figure in figures.items()
        if name.count("/") == 2
        for of, system, what in [name.split("/")]
        if (of, what) == (wanted, measure) and system != OURS
    ]
    return max(found, key=lambda pair: pair[1], default=None)


def with_margins(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """The figures, and how far we are ahead of the best baseline where that is a target."""
    found = dict(figures)
    for measure in ("recall@4000", "IoU@4000"):
        ours = figures.get(f"{CHUNKING}/{OURS}/{measure}")
        best = best_baseline(figures, f"{CHUNKING}/{measure}")
        name = f"ahead/{CHUNKING}/{measure}"
        if ours and best and name not in found:
            found[name] = Figure(
                name,
                ours.value - best[1],
                ours.n,
                measured_at=ours.measured_at,
                revision=ours.revision,
                load=ours.load,
            )
    return found


def turn_overhead(printed: str) -> list[Figure]:
    """The figures that `tests.bench.turn_overhead` printed."""
    line = re.search(
        r"one conversation at a time\s+n=(\d+)\s+p50\s+([\d.]+) ms\s+p95\s+([\d.]+)", printed
    )
    if line is None:
        return []
    n = int(line[1])
    return [
        Figure("turn_overhead/p50_ms", float(line[2]), n),
        Figure("turn_overhead/p95_ms", float(line[3]), n),
    ]


def rows_of(figures: Mapping[str, Figure], targets: Sequence[Target] = TARGETS) -> list[list[str]]:
    """The table, its head first."""
    rows = [["figure", "measured", "target", "", "best baseline", "n", "when, revision, load"]]
    for target in targets:
        found = figures.get(target.figure)
        best = best_baseline(figures, target.compared) if target.compared else None
        rows.append(
            [
                target.what,
                _measured(found),
                f"{'>=' if target.at_least else '<='} {target.limit:g}",
                target.verdict(figures),
                f"{best[1]:.3f} {best[0]}" if best else "",
                f"{found.n:,}" if found else "",
                f"{found.measured_at[:16]}, {found.revision}, {found.load:g}" if found else "",
            ]
        )
    return rows


def summary(figures: Mapping[str, Figure], failed: Sequence[str] = ()) -> str:
    """Everything as Markdown, ending with what is missed."""
    known = with_margins(figures)
    lines = ["# Bench", "", markdown(rows_of(known)), ""]
    lines.append("Needs a language model, so it is no part of this run:")
    lines += [f"* {what}: `python -m tests.bench.{part}`" for what, part in LANGUAGE_MODEL_PARTS]
    lines.append("")
    for verdict, label in (("not measured", "Not measured"), ("MISSED", "Missed")):
        named = [each.what for each in TARGETS if each.verdict(known) == verdict]
        lines.append(f"{label}: {'; '.join(named) if named else 'none'}.")
    lines.append(f"Parts that failed: {', '.join(failed) if failed else 'none'}.")
    return "\n".join(lines) + "\n"


def main(failed: Sequence[str] = ()) -> None:
    """Print the summary and write it."""
    text = summary(recorded(), failed)
    (reports() / "summary.md").write_text(text, encoding="utf-8")
    print(text)


def _measured(found: Figure | None) -> str:
    if found is None:
        return ""
    value = f"{found.value:.3f}" if abs(found.value) < 10 else f"{found.value:,.1f}"
    if found.low is None or found.high is None:
        return value
    return f"{value} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    main()
