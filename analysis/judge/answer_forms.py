"""JSON schemas of what a judge answers, and of the values that fields collect. Pure."""

from collections.abc import Sequence

from conversation.agent.criteria import DataCollectionField, Scale, ValueShape
from conversation.llm.chat_model import JSONSchema

_MAX_ENTRIES = 20
"""Of a list in one answer."""


def verdict_and_reason_schema() -> JSONSchema:
    """Return the form of a verdict with the turn and the reason; the verdict stands first.

    Small models talk themselves into success when they have to reason first: 24 of 34 calls of a
    public set right against 33 of 34 with the verdict first.
    """
    return {
        "type": "object",
        "properties": {
            "verdict": {"type": "string", "enum": ["success", "failure", "unknown"]},
            "turn": {"type": "integer"},
            "reason": {"type": "string", "maxLength": 120},
        },
        "required": ["verdict", "turn", "reason"],
        "additionalProperties": False,
    }


def verdict_and_turn_schema() -> JSONSchema:
    """Return the form of a verdict with the turn; a reason may follow."""
    return {**verdict_and_reason_schema(), "required": ["verdict", "turn"]}


def success_or_reason_schema() -> JSONSchema:
    """Return the form of an answer that ends behind the turn of a success; others give a reason.

    A judge that is held to it writes what it would write in `verdict_and_reason_schema`, up to
    there, and nothing is written twice to learn whether it is a success.
    """
    whole = verdict_and_reason_schema()
    properties = whole["properties"]
    success = {"verdict": {"type": "string", "enum": ["success"]}, "turn": properties["turn"]}
    others = {**properties, "verdict": {"type": "string", "enum": ["failure", "unknown"]}}
    return {
        "anyOf": [
            {**whole, "properties": success, "required": [*success]},
            {**whole, "properties": others},
        ]
    }


def verdict_schema() -> JSONSchema:
    """Return the form of a verdict with a quote; the verdict stands first here too.

    It stands last as well, as what the rationale comes to: whoever finds out while giving reasons
    that the verdict was wrong can say so there. A model that cannot be held to a schema may leave
    it out: its verdict is then one that nothing contradicts.
    """
    return {
        "type": "object",
        "properties": {
            "verdict": {"type": "string", "enum": ["success", "failure", "unknown"]},
            "turn": {"type": "integer"},
            "quote": {"type": "string", "maxLength": 160},
            "rationale": {"type": "string", "maxLength": 240},
            "conclusion": {"type": "string", "enum": ["success", "failure", "unknown"]},
        },
        "required": ["verdict", "turn", "quote", "rationale"],
        "additionalProperties": False,
    }


def score_and_reason_schema(scale: Scale) -> JSONSchema:
    """Return the form of a score with the turn and the reason; null says that it cannot be told."""
    return {
        "type": "object",
        "properties": {
            "score": _score_schema(scale),
            "turn": {"type": "integer"},
            "reason": {"type": "string", "maxLength": 120},
        },
        "required": ["score", "turn", "reason"],
        "additionalProperties": False,
    }


def score_schema(scale: Scale) -> JSONSchema:
    """Return the form of a score with a quote; null says that it cannot be told."""
    return {
        "type": "object",
        "properties": {
            "score": _score_schema(scale),
            "turn": {"type": "integer"},
            "quote": {"type": "string", "maxLength": 160},
            "rationale": {"type": "string", "maxLength": 240},
        },
        "required": ["score", "turn", "quote", "rationale"],
        "additionalProperties": False,
    }


def values_schema(fields: Sequence[DataCollectionField]) -> JSONSchema:
    """Return the form of an object of found fields: only what was talked about costs tokens."""
    return {
        "type": "object",
        "properties": {field.field_id: _value_schema(field) for field in fields},
        "additionalProperties": False,
    }


def claims_schema(fields: Sequence[DataCollectionField]) -> JSONSchema:
    """Return the form of a list of found fields with the turn that tells each.

    Every key is required, which the strict mode of some providers asks for.
    """
    items = [
        {
            "type": "object",
            "properties": {
                "field": {"type": "string", "enum": [field.field_id]},
                "turn": {"type": "integer"},
                "value": _value_schema(field),
            },
            "required": ["field", "turn", "value"],
            "additionalProperties": False,
        }
        for field in fields
    ]
    return {
        "type": "object",
        "properties": {
            "fields": {"type": "array", "items": {"anyOf": items}, "maxItems": len(fields)}
        },
        "required": ["fields"],
        "additionalProperties": False,
    }


def value_schema(shape: ValueShape) -> JSONSchema:
    """Return the JSON schema of what is collected: of `CollectedValue.value` when there is one.

    Days and times have the `format` that JSON schema calls `date`, `time` and `date-time`, without
    a time zone.
    """
    if shape.items is not None:
        return {"type": "array", "items": value_schema(shape.items), "minItems": 1}
    if shape.parts:
        return _object_schema(shape, {part.name: value_schema(part) for part in shape.parts})
    if shape.type in ("date", "time", "datetime"):
        named = "date-time" if shape.type == "datetime" else shape.type
        return {"type": "string", "format": named}
    if shape.enum and shape.type == "string":
        return {"type": "string", "enum": list(shape.enum)}
    return {"type": shape.type}


def _score_schema(scale: Scale) -> JSONSchema:
    kind = "integer" if scale.is_whole else "number"
    low, high = (int(scale.min), int(scale.max)) if scale.is_whole else (scale.min, scale.max)
    return {"anyOf": [{"type": kind, "minimum": low, "maximum": high}, {"type": "null"}]}


def _value_schema(shape: ValueShape) -> JSONSchema:
    """Return the form of an answer: days and times stand in it in the words that were said."""
    if shape.items is not None:
        return {"type": "array", "items": _value_schema(shape.items), "maxItems": _MAX_ENTRIES}
    if shape.parts:
        return _object_schema(shape, {part.name: _value_schema(part) for part in shape.parts})
    if shape.enum and shape.type == "string":
        return {"type": "string", "enum": list(shape.enum)}
    if shape.type in ("string", "date", "time", "datetime"):
        return {"type": "string", "maxLength": 120}
    return {"type": shape.type}


def _object_schema(shape: ValueShape, properties: JSONSchema) -> JSONSchema:
    required = [part.name for part in shape.parts if part.required]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }
