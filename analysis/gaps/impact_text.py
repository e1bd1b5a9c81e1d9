"""What a change does to past turns, as text for a terminal."""

from collections.abc import Mapping
from typing import Final

from analysis.gaps.impact import EFFECTS, Effect, Impact, PassageChange, TurnImpact
from analysis.labels.paired import PairedDifference
from analysis.printable import counted, printable

EFFECT_TEXTS: Final[Mapping[Effect, str]] = {
    "loses_citation": "lose a passage that their answer cites",
    "loses_answer": "found a passage that fits, and find none any more",
    "gains_answer": "found nothing that fits, and find something now",
    "other_passages": "find other passages",
    "other_order": "find the same passages in another order",
}
_EXCERPT = 90


def impact_as_text(impact: Impact, *, shown: int = 10, width: int = 100) -> str:
    """Return how many turns are affected how, and the gravest of them with their passages."""
    if impact.turns == 0:
        return "No turn of the past can be searched for again: nobody has asked anything yet.\n"
    same = impact.turns - len(impact.changed)
    lines = [
        f"{counted(impact.turns, 'turn')} of {counted(impact.conversations, 'conversation')} "
        "searched for again:"
    ]
    counts = [(impact.count(effect), EFFECT_TEXTS[effect]) for effect in EFFECTS]
    for count, text in [*counts, (same, "find the same passages in the same order")]:
        if count:
            lines.append(f"{count:7,}  {text}")
    for turn in impact.changed[:shown]:
        lines += ["", *_turn_lines(turn, width)]
    if len(impact.changed) > shown:
        lines += ["", f"and {len(impact.changed) - shown:,} more; `--show` shows more of them."]
    return "\n".join([*lines, ""])


def _turn_lines(turn: TurnImpact, width: int) -> list[str]:
    asked = turn.question
    lines = [
        f'{asked.conversation_id} turn {asked.turn_index}: "{asked.query}"',
        f"  {turn.effect.replace('_', ' ')}; best passage {turn.score_before:.2f} -> "
        f"{turn.score_after:.2f}",
        *(_change_line(change) for change in turn.changes),
    ]
    return [_cut(line, width) for line in lines]


def _change_line(change: PassageChange) -> str:
    if change.rank_after is None:
        what = f"lost   {change.rank_before} ->  "
    elif change.rank_before is None:
        what = f"gained    -> {change.rank_after}"
    else:
        what = f"moved  {change.rank_before} -> {change.rank_after}"
    cited = " (cited)" if change.cited else ""
    passage = change.passage
    text = " ".join(passage.text.split())[:_EXCERPT]
    return f'  {what}  {passage.document_name}{cited}: "{text}"'


def differences_as_text(
    differences: Mapping[str, PairedDifference], *, scored: frozenset[str] = frozenset()
) -> str:
    """Return old against new for each criterion, with the interval of the difference."""
    lines: list[str] = []
    for criterion_id, found in differences.items():
        if found.n == 0:
            lines.append(f"{criterion_id}: no conversation was decided both times.")
            continue
        share = criterion_id not in scored
        old, new = _shown(found.old, share=share), _shown(found.new, share=share)
        difference, low, high = (
            _shown(value, share=share, signed=True)
            for value in (found.difference, found.low, found.high)
        )
        unit = " points" if share else ""
        lines.append(
            f"{criterion_id}: {old} -> {new}, difference {difference}{unit}, 95 % interval {low} "
            f"to {high}; {found.improved} better, {found.worsened} worse of {found.n}"
            + (f", {found.undecided} undecided" if found.undecided else "")
            + f" (p = {found.p_value:.2f}; {'clear' if found.is_clear else 'may be chance'})"
        )
    return "\n".join([*lines, ""])


def _shown(value: float | None, *, share: bool, signed: bool = False) -> str:
    if value is None:
        return "-"
    sign = "+" if signed else ""
    if not share:
        return f"{value:{sign}.2f}"
    return f"{100 * value:{sign}.0f}" + ("" if signed else " %")


def _cut(line: str, width: int) -> str:
    plain = printable(line)
    return plain if len(plain) <= width else plain[: width - 1] + "…"
