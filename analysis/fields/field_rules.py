"""Rules between fields: which values may stand beside each other, and which must exist. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.fields.claims import CheckedClaim
from analysis.results import FieldValue
from conversation.agent.criteria import DataCollectionField


@dataclass(frozen=True, slots=True)
class Violation:
    """A finding that breaks a rule of its field."""

    field: DataCollectionField
    reason: str
    """For the judge, who is asked again, and for the record."""


def violations(
    fields: Sequence[DataCollectionField],
    findings: Mapping[str, CheckedClaim],
    known: Mapping[str, FieldValue],
) -> list[Violation]:
    """Return the findings that break an `only_when`, and the required fields without a value.

    Args:
        fields: Those that were asked for.
        findings: What they came to.
        known: Values of fields that were not asked for now, because they are answered already.
    """
    found = dict(known) | {field_id: finding.value for field_id, finding in findings.items()}
    broken: list[Violation] = []
    for field in fields:
        finding = findings[field.field_id]
        unmet = [each for each in field.only_when if not each.holds(found.get(each.field))]
        if finding.status == "supported" and unmet:
            others = ", ".join(f"{each.field} is {_shown(found.get(each.field))}" for each in unmet)
            rules = " and ".join(each.text for each in field.only_when)
            broken.append(
                Violation(field, f"{field.field_id} has a value only when {rules}, but {others}.")
            )
        elif finding.status == "not_discussed" and field.required and not unmet:
            broken.append(Violation(field, f"{field.field_id} is required and was left out."))
    return broken


def to_ask_again(
    broken: Sequence[Violation], fields: Sequence[DataCollectionField]
) -> list[DataCollectionField]:
    """Return the fields of `broken` and those that their conditions name, in order."""
    named = {violation.field.field_id for violation in broken}
    named |= {each.field for violation in broken for each in violation.field.only_when}
    return [field for field in fields if field.field_id in named]


def recorded(violation: Violation, finding: CheckedClaim) -> CheckedClaim:
    """Return the finding of a field that still breaks its rule after it was asked again.

    A value against a rule is invalid. A required value that nobody told stays not discussed: it
    is missing from the conversation, and nothing may be invented in its place.
    """
    if finding.status != "supported":
        return CheckedClaim(finding.status, rationale=violation.reason)
    return CheckedClaim(
        "invalid",
        rationale=f"The judge answered {finding.value!r}, but {violation.reason}",
        evidence=finding.evidence,
    )


def _shown(value: FieldValue) -> str:
    return "not told" if value is None else repr(value)
