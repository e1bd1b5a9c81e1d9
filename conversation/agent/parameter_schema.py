"""The JSON schema of a tool's parameters, checked before a model can trip over it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

_LITERALS = frozenset({"enum", "const", "default", "examples"})
"""What stands under these is no schema."""
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""What stands under these are schemas by name."""


def check_parameters(schema: dict[str, Any]) -> None:
    """Raise `ValueError` with the reason when no call could be checked by this schema."""
    from jsonschema import Draft202012Validator, SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    if schema.get("type") != "object":
        raise ValueError("`parameters` is a JSON schema of type object")
    try:
        Draft202012Validator.check_schema(schema)  # pyright: ignore[reportUnknownMemberType]
    except SchemaError as error:
        place = "parameters" + error.json_path.removeprefix("$")
        # Its own message would repeat what stands there.
        rule = f"breaks the rule {error.validator!r} of JSON schemas"
        if error.validator == "format":
            rule = f"is not a {error.validator_value!r}"
        raise ValueError(f"`parameters` is no JSON schema: `{place}` {rule}") from error
    new_registry: Any = Registry
    resolver: Any = new_registry().resolver_with_root(DRAFT202012.create_resource(schema))
    for each in _schemas(schema):
        for key in ("$ref", "$dynamicRef"):
            target = each.get(key)
            if target is None:
                continue
            if not target.startswith("#"):
                raise ValueError(
                    "`parameters` refers to another document: nothing is fetched for a schema. "
                    "Copy what stands there under `$defs`, and refer to '#/$defs/NAME'"
                )
            try:
                resolver.lookup(target)
            except Unresolvable as error:
                raise ValueError(
                    f"`parameters` refers to {target!r}, which is not there"
                ) from error


def _schemas(value: object) -> Iterator[Mapping[str, Any]]:
    """The schema and all schemas within it."""
    if isinstance(value, list):
        for each in cast(list[object], value):
            yield from _schemas(each)
    if not isinstance(value, dict):
        return
    schema = cast(dict[str, Any], value)
    yield schema
    for key, inner in schema.items():
        if key in _NAMED and isinstance(inner, dict):
            yield from _schemas(list(cast(dict[str, object], inner).values()))
        elif key not in _LITERALS:
            yield from _schemas(inner)
