"""How far judges can be believed, as text for a terminal. Pure."""

from collections.abc import Sequence

from analysis.labels.calibration import Calibration
from analysis.labels.correction import MIN_LABELS
from analysis.labels.thresholds import ThresholdFit


def calibrations_as_text(found: Sequence[Calibration]) -> str:
    """Return one block of lines a criterion version and judge."""
    if not found:
        return "Nothing was judged yet. Run `vivavoce evaluate` first."
    blocks = [
        "\n".join([_heading(each), *_judge_lines(each), *_people_lines(each)]) for each in found
    ]
    return "\n\n".join([*blocks, _NOTE])


_NOTE = (
    "(kappa: 1 is perfect, 0 is chance. sensitivity: share of people's successes that the judge "
    "finds;\nspecificity: of their failures. The corrected rate is the one that people would give, "
    "with its 95 %\ninterval; double sampling, Tenenbein 1970.)"
)


def _heading(found: Calibration) -> str:
    simulated = ", simulated users" if found.judge.simulated else ""
    return f"{found.name}, agent {found.judge.agent_id}, judge {found.judge.judge_model}{simulated}"


def _judge_lines(found: Calibration) -> list[str]:
    agreement = found.judge.agreement
    lines = [
        f"  judged        {found.judge.judged:,} conversations, success rate "
        f"{_percent(found.judged_rate)}",
        f"  labels        {agreement.n_labels:,} by {found.judge.annotators} "
        f"{'person' if found.judge.annotators == 1 else 'people'}",
    ]
    if agreement.n_labels:
        lines.append(
            f"  agreement     {_percent(agreement.agreement)}, kappa {_number(agreement.kappa)}, "
            f"sensitivity {_number(agreement.sensitivity)}, "
            f"specificity {_number(agreement.specificity)}"
        )
    if agreement.labels_missing:
        lines.append(
            f"  corrected     not with under {MIN_LABELS} labels: {agreement.labels_missing} more "
            f"are needed (`vivavoce label {found.judge.criterion_id}`)"
        )
    else:
        lines.append(
            f"  corrected     {_percent(agreement.corrected_rate)} "
            f"[{_percent(agreement.corrected_low)}, {_percent(agreement.corrected_high)}]"
        )
    if found.threshold is not None:
        lines += _threshold_lines(found.threshold)
    return lines


def _threshold_lines(fit: ThresholdFit) -> list[str]:
    advice = (
        f"write `threshold: {fit.threshold:.2f}` to the criterion"
        if fit.is_better
        else "no reason to change it"
    )
    lines = [
        f"  threshold     best {fit.threshold:.2f}: agreement {_percent(fit.agreement_validated)} "
        f"cross-validated, {_percent(fit.agreement_at_half)} at 0.50; {advice}",
        f"  probability   Brier score {fit.brier:.3f}, mean error {fit.expected_error:.3f}",
        "                said      labels  mean  people say success",
    ]
    return lines + [
        f"                {each.low:.1f}-{each.high:.1f}  {each.n:>8,}  "
        f"{each.mean_probability:.2f}  {_percent(each.success_share):>18}"
        for each in fit.bins
    ]


def _people_lines(found: Calibration) -> list[str]:
    people = found.people
    if people.annotators < 2:
        return []
    if not people.n_shared:
        return ["  people        nobody labelled what another did: `vivavoce label "
                f"{found.judge.criterion_id} --second-opinion`"]  # fmt: skip
    lines = [
        f"  people        {people.n_shared:,} conversations labelled twice, Krippendorff's alpha "
        f"{_number(people.alpha)}"
    ]
    return lines + [
        f"                {pair.first} and {pair.second}: {pair.n:,}, agreement "
        f"{_percent(pair.agreement)}, kappa {_number(pair.kappa)}"
        for pair in people.pairs
    ]


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
