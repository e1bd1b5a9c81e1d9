"""Typed facts from a conversation: asked of the judge, checked in code against what was said."""

from collections.abc import Mapping, Sequence
from datetime import date

from analysis.fields.claims import NOT_DISCUSSED, CheckedClaim
from analysis.fields.field_rules import Violation, recorded, to_ask_again, violations
from analysis.fields.source import SearchedTurns
from analysis.fields.value_answers import AskFields, ask_claims, ask_values
from analysis.judge.asking import Meter, Question
from analysis.judge.prompts import JudgeVariant
from analysis.judge.windows import Window
from analysis.results import FieldValue
from conversation.agent.criteria import DataCollectionField
from conversation.errors import ModelError, ModelOutputError, ModelSetupError
from conversation.transcript import Turn

_FIELDS_PER_CALL = 24


def collect_fields(
    fields: Sequence[DataCollectionField],
    turns: Sequence[Turn],
    windows: Sequence[Window],
    *,
    variant: JudgeVariant,
    meter: Meter,
    today: date | None = None,
    known: Mapping[str, FieldValue] | None = None,
) -> Question[dict[str, CheckedClaim]]:
    """Collect `fields`, window by window; a later window replaces an earlier one's value.

    A value that breaks a rule of its field is asked for once more, and is invalid when that does
    not mend it.

    Args:
        fields: What to collect.
        turns: The whole conversation.
        windows: It, cut to what fits a prompt.
        variant: How the judge is asked.
        meter: Receives the usage of each call.
        today: Day of the conversation, for words such as tomorrow.
        known: Values of other fields that conditions may name.

    Raises:
        ModelError: The judge failed. An answer whose form cannot be used is a finding.
    """
    ask: AskFields = ask_values if variant == "logprobs" else ask_claims
    findings = {field.field_id: NOT_DISCUSSED for field in fields}
    for window in windows:
        source = SearchedTurns(turns, window, meter, today)
        for start in range(0, len(fields), _FIELDS_PER_CALL):
            group = fields[start : start + _FIELDS_PER_CALL]
            found = yield from _asked(ask, group, source)
            for field_id, finding in found.items():
                findings[field_id] = _later(findings[field_id], finding)
    broken = violations(fields, findings, known or {})
    if not broken:
        return findings
    source = SearchedTurns(turns, _telling_window(broken, findings, windows), meter, today)
    return (yield from _mended(ask, fields, findings, broken, source=source, known=known or {}))


def _mended(
    ask: AskFields,
    fields: Sequence[DataCollectionField],
    findings: dict[str, CheckedClaim],
    broken: Sequence[Violation],
    *,
    source: SearchedTurns,
    known: Mapping[str, FieldValue],
) -> Question[dict[str, CheckedClaim]]:
    """Ask once more for what breaks a rule; keep the answers that mend it, record the others."""
    complaint = " ".join(violation.reason for violation in broken)
    again = to_ask_again(broken, fields)
    answered: dict[str, CheckedClaim] | None = None
    try:
        answered = yield from ask(again, source, complaint=complaint)
    except ModelSetupError:
        raise
    except ModelError:
        # What stands already must not be lost because it could not be mended.
        pass
    kept = findings
    if answered is not None:
        kept = _better(fields, findings, broken=broken, answered=answered, known=known)
    still = {each.field.field_id: each for each in violations(fields, kept, known)}
    return kept | {field_id: recorded(still[field_id], kept[field_id]) for field_id in still}


def _better(
    fields: Sequence[DataCollectionField],
    findings: dict[str, CheckedClaim],
    *,
    broken: Sequence[Violation],
    answered: Mapping[str, CheckedClaim],
    known: Mapping[str, FieldValue],
) -> dict[str, CheckedClaim]:
    """Return `findings` with what was answered again wherever that breaks fewer rules."""
    kept = findings
    for violation in broken:
        field_id = violation.field.field_id
        named = {condition.field for condition in violation.field.only_when}
        mended = {each: answered[each] for each in named & answered.keys()}
        trial = kept | mended | {field_id: answered.get(field_id, NOT_DISCUSSED)}
        if len(violations(fields, trial, known)) < len(violations(fields, kept, known)):
            kept = trial
    return kept


def _asked(
    ask: AskFields, fields: Sequence[DataCollectionField], source: SearchedTurns
) -> Question[dict[str, CheckedClaim]]:
    """Ask for all at once; where the answer has no usable form, for each field alone."""
    try:
        return (yield from ask(fields, source))
    except ModelOutputError:
        pass
    findings: dict[str, CheckedClaim] = {}
    for field in fields:
        try:
            findings |= yield from ask([field], source)
        except ModelOutputError as error:
            findings[field.field_id] = CheckedClaim("error", rationale=str(error))
    return findings


def _telling_window(
    broken: Sequence[Violation], findings: Mapping[str, CheckedClaim], windows: Sequence[Window]
) -> Window:
    """Return the window that the first value against a rule was read from, or the last one."""
    for violation in broken:
        for evidence in findings[violation.field.field_id].evidence:
            for window in reversed(windows):
                if window.first_turn <= evidence.turn_index <= window.last_turn:
                    return window
    return windows[-1]


def _later(earlier: CheckedClaim, later: CheckedClaim) -> CheckedClaim:
    told = later.status == "supported" or earlier.status == "not_discussed"
    return later if told else earlier
