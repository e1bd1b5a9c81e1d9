"""What is asked of a finished conversation: success criteria and data collection fields.

Plain records of an agent's file; `analysis` reads them. Each has a version, a hash of what it asks,
under which its answers are kept.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, cast, get_args

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    field_validator,
    model_validator,
)

from conversation.agent.models.judges import judge_from_judges
from conversation.agent.models.reached_model import ReachedModel

ScalarType = Literal["string", "integer", "number", "boolean", "date", "time", "datetime"]
FieldType = Literal[ScalarType, "list", "object"]
JudgeVariant = Literal["logprobs", "json"]
"""`logprobs` asks for single words and reads their probability, with evidence asked afterwards;
`json` takes answer and evidence from one JSON object."""

CODE_JUDGE = "code/"
"""How the names of evaluators begin that decide without a judge, where a judge's would stand."""
Reach = Literal["throughout", "once", "overall"]

_OF_A_JUDGE = ("judge", "judges", "judge_endpoints", "variant", "threshold", "scale", "holds")
_KEY = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Scale(_Section):
    """Bounds of a numeric score, both included."""

    min: FiniteFloat = 1
    max: FiniteFloat = 5

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.min >= self.max:
            raise ValueError(f"`min` {self.min:g} of a scale must lie below `max` {self.max:g}")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether both bounds are whole numbers, so that the judge answers with whole ones."""
        return self.min == int(self.min) and self.max == int(self.max)


class Criterion(_Section):
    """One question about a conversation, answered by a judge after it ended."""

    criterion_id: str = Field(
        validation_alias=AliasChoices("criterion_id", "id"), pattern=r"^[a-z][a-z0-9_]{0,63}$"
    )
    prompt: str = Field(min_length=1, max_length=2_000)
    """When is the verdict success? With a `scale`: what do low and high scores mean?"""
    name: str | None = None
    scale: Scale | None = None
    """Asks for a score within bounds in place of success, failure or unknown."""
    judge: str | None = None
    """Model string of this criterion's own judge; None takes the agent's."""
    judges: tuple[str, ...] = ()
    """Two or more judges in place of one; the majority decides."""
    judge_endpoints: tuple[ReachedModel, ...] = ()
    """Where judges of this criterion are reached; see `analysis.judge_endpoints`."""
    variant: JudgeVariant | None = None
    """How its judge is asked; None takes the agent's way, or what suits the judge best."""
    threshold: float | None = Field(default=None, gt=0, lt=1)
    """Probability from which a verdict is success, where the judge gives one; None: 0.5."""
    holds: Reach | None = None
    """How the parts of a conversation count that its judge cannot read at once: `throughout` is a
    failure when any part shows one, `once` a success when any part shows one, `overall` is judged
    once more on what was found in all parts. None reads it from words such as "never"."""
    reveals_gap: bool = False
    """Whether a failure means that the documents lacked something: its turns count as unanswered
    questions in `vivavoce gaps`."""

    kind: str = Field(default="judged", pattern=r"^[a-z][a-z0-9_]{0,63}$")
    """`judged` for a question to a judge, with or without a `scale`; else the kind of evaluator
    that decides without one, such as `rule`, `faithfulness` or `answered`."""
    settings: dict[str, Any] = {}
    """Of that kind of evaluator."""

    @model_validator(mode="before")
    @classmethod
    def _is_judged_or_decided(cls, section: Any) -> Any:
        if isinstance(section, str):
            section = {"id": section, "kind": section}
        if not isinstance(section, Mapping):
            return section
        given = dict(cast("Mapping[str, Any]", section))
        kind = given.get("kind", "judged")
        if kind == "judged":
            if given.get("settings"):
                raise ValueError("`settings` belong to a `kind` that decides without a judge")
            return judge_from_judges(given)
        asked = [
            name
            for name in _OF_A_JUDGE
            if given.get(name) and given.get(name) != f"{CODE_JUDGE}{kind}"
        ]
        if asked:
            raise ValueError(f"{asked} ask a judge; a criterion of kind {kind!r} has none")
        given.setdefault("prompt", f"What the evaluator `{kind}` checks.")
        return given | {"judge": f"{CODE_JUDGE}{kind}"}

    @model_validator(mode="after")
    def _threshold_is_of_a_verdict(self) -> Self:
        if self.scale is not None and self.threshold is not None:
            raise ValueError("a `threshold` belongs to verdicts; a criterion on a `scale` has none")
        return self

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change when the question changes."""
        parts = [self.criterion_id, self.prompt]
        if self.scale is not None:
            parts.append(f"scale {self.scale.min:g} {self.scale.max:g}")
        if self.threshold is not None:
            parts.append(f"threshold {self.threshold:g}")
        if self.kind != "judged":
            parts.append(f"{self.kind} {json.dumps(self.settings, sort_keys=True, default=str)}")
        if self.holds is not None:
            parts.append(f"holds {self.holds}")
        return version_of(*parts)


class ValueShape(_Section):
    """The type of a value."""

    type: FieldType = "string"
    description: str = Field(default="", max_length=2_000)
    enum: tuple[str, ...] | None = None
    """Allowed values of a string; the extracted value is one of them or nothing."""
    items: "ValueShape | None" = None
    """What each entry of a list is: a single value or an object."""
    parts: tuple["FieldPart", ...] = ()
    """Named parts of an object."""

    @model_validator(mode="before")
    @classmethod
    def _enum_is_a_string(cls, section: Any) -> Any:
        if not isinstance(section, Mapping):
            return section
        given = dict(cast("Mapping[str, Any]", section))
        if given.get("type") == "enum":
            if not given.get("enum"):
                raise ValueError("a field of type enum lists its values under `enum`")
            given["type"] = "string"
        return given

    @field_validator("type", mode="before")
    @classmethod
    def _type_is_known(cls, kind: object) -> object:
        if kind not in get_args(FieldType):
            raise ValueError(f"write one of {', '.join((*get_args(FieldType), 'enum'))}")
        return kind

    @field_validator("enum")
    @classmethod
    def _enum_has_values(cls, enum: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if enum is not None and not enum:
            raise ValueError("`enum` lists at least one value")
        return enum

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.type == "list") != (self.items is not None):
            raise ValueError("a list says under `items` what each entry is; nothing else does")
        if (self.type == "object") != bool(self.parts):
            raise ValueError("an object names its `parts`; nothing else does")
        if self.items is not None and self.items.type == "list":
            raise ValueError("entries of a list are single values or objects, not lists")
        if self.enum and self.type in ("list", "object", "boolean"):
            raise ValueError(f"`enum` cannot stand at a {self.type}; for a list, put it in `items`")
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise ValueError(f"the names of `parts` repeat: {names}")
        return self

    @property
    def is_composite(self) -> bool:
        """Whether it is a list or an object."""
        return self.type in ("list", "object")


class FieldPart(ValueShape):
    """One named part of an object; a single value."""

    name: str = Field(pattern=_KEY)
    required: bool = False
    """An object without it is invalid."""

    @model_validator(mode="after")
    def _is_single(self) -> Self:
        if self.is_composite:
            raise ValueError(f"part {self.name!r} must be a single value, not a {self.type}")
        return self


class Condition(_Section):
    """What another field must have come to."""

    field: str
    equals: str | int | float | bool | None = None
    one_of: tuple[str | int | float | bool, ...] = ()
    """Neither `equals` nor `one_of`: any value will do."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.equals is not None and self.one_of:
            raise ValueError("give either `equals` or `one_of`, not both")
        return self

    @property
    def text(self) -> str:
        """The condition in words."""
        if self.equals is None and not self.one_of:
            return f"{self.field} has a value"
        allowed = self.one_of or (self.equals,)
        return f"{self.field} is {' or '.join(str(value) for value in allowed)}"

    def holds(self, value: object) -> bool:
        """Whether it holds when the other field came to `value`, None for nothing."""
        if value is None:
            return False
        allowed = self.one_of or ((self.equals,) if self.equals is not None else ())
        return not allowed or any(
            value == each and isinstance(value, bool) == isinstance(each, bool) for each in allowed
        )


class DataCollectionField(ValueShape):
    """One typed fact to extract from a conversation after it ended."""

    field_id: str = Field(
        validation_alias=AliasChoices("field_id", "id"), pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,127}$"
    )
    description: str = Field(min_length=1, max_length=2_000)
    required: bool = False
    """Asked for once more, alone, when the first answer leaves it out."""
    only_when: tuple[Condition, ...] = ()
    """Conditions on other fields that must all hold for this one to have a value."""

    @field_validator("only_when", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, given: Any) -> Any:
        return (given,) if isinstance(given, (Mapping, Condition)) else given

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change when what is asked for changes."""
        further = self.model_dump(
            mode="json", include={"items", "parts", "required", "only_when"}, exclude_defaults=True
        )
        parts = [self.field_id, self.type, self.description, *(self.enum or ())]
        return version_of(*parts, *([json.dumps(further, sort_keys=True)] if further else ()))


def check_conditions(fields: Sequence[DataCollectionField]) -> None:
    """Refuse a condition on a field that does not exist or depends on the field it steers.

    Raises:
        ValueError: Names the field and the condition.
    """
    by_id = {field.field_id: field for field in fields}
    for field in fields:
        for condition in field.only_when:
            other = by_id.get(condition.field)
            if other is None or other is field:
                raise ValueError(
                    f"`only_when` of field {field.field_id!r} names {condition.field!r}, which is "
                    f"no other field; there are {sorted(by_id.keys() - {field.field_id})}"
                )
            if other.only_when:
                raise ValueError(
                    f"`only_when` of field {field.field_id!r} names {condition.field!r}, which "
                    "has a condition itself; state that condition here as well instead"
                )


def version_of(*parts: str) -> str:
    """Return twelve hexadecimal digits that change when any part does."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]
