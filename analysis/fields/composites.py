"""Lists and objects taken apart into single values, each checked alone, and put together again.

One part that nobody said costs only itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.fields.claims import NOT_DISCUSSED, CheckedClaim
from analysis.fields.values import missing_parts
from analysis.results import FieldValue, Scalar
from conversation.agent.criteria import DataCollectionField, ValueShape


@dataclass(frozen=True, slots=True)
class Leaf:
    """One single value inside of a list or object."""

    entry: int
    """Position in the list; 0 in an object."""
    part: str | None
    """Name of the object's part; None for an entry that is a single value."""
    field: DataCollectionField
    """The single value as a field of its own."""
    value: Scalar


def leaves_of(field: DataCollectionField, value: FieldValue) -> list[Leaf]:
    """Return the single values of a list or object, in order."""
    entries = value if isinstance(value, list) else [value]
    shape = field.items or field
    leaves: list[Leaf] = []
    for position, entry in enumerate(entries):
        if isinstance(entry, dict):
            leaves += [
                Leaf(position, part.name, _alone(field, part, part.name), entry[part.name])
                for part in shape.parts
                if part.name in entry
            ]
        elif entry is not None and not isinstance(entry, list):
            leaves.append(Leaf(position, None, _alone(field, shape, None), entry))
    return leaves


def put_together(
    field: DataCollectionField,
    leaves: Sequence[Leaf],
    findings: Sequence[CheckedClaim],
    refused: Sequence[str] = (),
) -> CheckedClaim:
    """Return what a list or object came to: the values that were supported, with their evidence.

    An object that loses a required part is invalid; such an entry of a list is left out of it.
    The rationale counts what was left out, and says why: nothing disappears without a word.

    Args:
        field: The list or object.
        leaves: Its single values.
        findings: What each came to.
        refused: What was wrong with entries that are no values of the list.
    """
    kept: dict[int, dict[str | None, Scalar]] = {}
    for leaf, finding in zip(leaves, findings, strict=True):
        if finding.status == "supported":
            kept.setdefault(leaf.entry, {})[leaf.part] = leaf.value
    shape = field.items or field
    complete = {position: entry for position, entry in kept.items() if not _lacks(shape, entry)}
    evidence = tuple(
        dict.fromkeys(
            each
            for leaf, finding in zip(leaves, findings, strict=True)
            if leaf.entry in complete
            for each in finding.evidence
        )
    )
    quotes = tuple(quote for finding in findings for quote in finding.unsupported_quotes)
    if not complete:
        return _nothing_left(field, kept, findings, quotes)
    values = [_entry(entry) for entry in complete.values()]
    value: FieldValue = values
    if field.type == "object" and isinstance(values[0], dict):
        value = values[0]
    left_out = _left_out(leaves, findings, refused)
    return CheckedClaim(
        "supported", value, rationale=left_out, evidence=evidence, unsupported_quotes=quotes
    )


def _left_out(
    leaves: Sequence[Leaf], findings: Sequence[CheckedClaim], refused: Sequence[str]
) -> str | None:
    """Return what did not get into a list or object, and why; None where everything did."""
    reasons = [
        finding.rationale or f"{leaf.value!r} was not told."
        for leaf, finding in zip(leaves, findings, strict=True)
        if finding.status != "supported"
    ]
    reasons += [f"The judge's answer {each}." for each in refused]
    if not reasons:
        return None
    count = "1 value was" if len(reasons) == 1 else f"{len(reasons)} values were"
    return f"{count} left out. {' '.join(reasons)}"


def _nothing_left(
    field: DataCollectionField,
    kept: Mapping[int, Mapping[str | None, Scalar]],
    findings: Sequence[CheckedClaim],
    quotes: tuple[str, ...],
) -> CheckedClaim:
    if kept:
        missing = ", ".join(_lacks(field.items or field, kept[min(kept)]))
        return CheckedClaim(
            "invalid",
            rationale=f"Nothing that was said tells the required {missing}.",
            unsupported_quotes=quotes,
        )
    failed = next((each for each in findings if each.status not in ("not_discussed",)), None)
    if failed is None:
        return NOT_DISCUSSED
    return CheckedClaim(failed.status, rationale=failed.rationale, unsupported_quotes=quotes)


def _lacks(shape: ValueShape, entry: Mapping[str | None, Scalar]) -> list[str]:
    return missing_parts(shape, {name: value for name, value in entry.items() if name})


def _entry(entry: Mapping[str | None, Scalar]) -> Scalar | dict[str, Scalar]:
    if None in entry:
        return entry[None]
    return {name: value for name, value in entry.items() if name}


def _alone(field: DataCollectionField, shape: ValueShape, part: str | None) -> DataCollectionField:
    words = f"{field.description} {shape.description}".strip() if part else field.description
    return DataCollectionField(
        field_id=f"{field.field_id}.{part}"[:128] if part else field.field_id,
        type=shape.type,
        description=words[:2_000],
        enum=shape.enum,
    )
