"""Every route by every odd value: a client is told what is wrong, and the server goes on."""

import base64
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from conversation.server.context import ServerContext
from conversation.server.keys.api_keys import Scope
from tests.analysis.calls import hold_call
from tests.orchestration.deployed import ServedDeployment, served_deployment

pytestmark = pytest.mark.hostile

LONG, WIDE = "a" * 3_000, "\u6f22" * 120
ODD_IDS = [
    LONG,
    WIDE,
    "..",
    "%2e%2e",
    "a%2Fb",
    "a%00b",
    "a%0d%0ab",
    "-",
    "%ED%A0%80",
    "'",
    '"',
    "{{secret__CRM}}",
    "con\u0301v",
    "9" * 40,
    "library",
    "a.yaml",
    "NaN",
    "\u202e",
]
ODD_TEXTS = [
    LONG,
    WIDE,
    "",
    "\0",
    "a\r\nb",
    "\u202e",
    "..",
    "/etc/passwd",
    "{{secret__CRM}}",
    "{",
    "\ufdd0",
]
ODD_NUMBERS = [-1, 0, 2**31, 2**53, 2**63 - 1, -(2**63), 1e300, -0.5]
ODD_RAW = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "9" * 400,
    '"\\ud800"',
    '"\\udfff\\ud800"',
    "9" * 30,
]
ODD_QUERY = [
    "",
    "nan",
    "inf",
    "-1",
    "9" * 30,
    "1e400",
    LONG,
    WIDE,
    "%00",
    "%ED%A0%80",
    "0000-00-00",
    "a,b",
    "[]",
]
SECRET = "sk-hunter2-hunter2"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    def unhurried(context: ServerContext) -> None:
        context.limits = replace(context.limits, requests_per_minute=10**9)

    folder: Path = tmp_path_factory.mktemp("hostile")
    with served_deployment(folder, prepare=unhurried) as opened:
        yield opened


def operations(served: ServedDeployment) -> list[tuple[str, str, dict[str, Any]]]:
    paths = served.http.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), path, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def filled(path: str, value: str) -> str:
    """`path` with every parameter replaced."""
    parts = [value if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def refused_or_done(served: ServedDeployment, method: str, path: str, **options: Any) -> str | None:
    """What is wrong with the answer, if anything is."""
    try:
        answer = served.http.request(method, path, **options)
    except httpx.TransportError as error:
        return f"{method} {path[:80]} {str(options)[:200]}: {error!r}"
    # Where documents are in use or not served it is said so, with a reason.
    if answer.status_code >= 500:
        return (
            f"{method} {path[:80]} {str(options)[:200]}: {answer.status_code} {answer.text[:200]}"
        )
    if SECRET in answer.text:
        return f"{method} {path[:80]} repeats a secret"
    return None


@pytest.mark.slow
def test_odd_ids_are_no_ids(served: ServedDeployment):
    wrong = [
        problem
        for method, path, _ in operations(served)
        if "{" in path
        for each in ODD_IDS
        if (problem := refused_or_done(served, method, filled(path, quote(each, safe="%"))))
    ]
    assert wrong == []


@pytest.mark.slow
def test_odd_parameters_are_refused(served: ServedDeployment):
    wrong = [
        problem
        for method, path, operation in operations(served)
        if method == "GET"
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
        for each in ODD_QUERY
        if (
            problem := refused_or_done(
                served,
                method,
                f"{filled(path, 'sample')}?{parameter['name']}={quote(each, safe='%')}",
            )
        )
    ]
    assert wrong == []


def examples(operation: dict[str, Any], schemas: dict[str, Any]) -> list[Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    reference = schema.get("$ref", "").rpartition("/")[2]
    named = schemas.get(reference, schema)
    return list(named.get("examples", ())) or [stub(named, schemas, 0)]


def stub(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    """Something with every key of the schema."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if depth < 4 and "properties" in schema:
        return {name: stub(each, schemas, depth + 1) for name, each in schema["properties"].items()}
    for way in schema.get("anyOf", ()):
        if way.get("type") != "null":
            return stub(way, schemas, depth + 1)
    kinds: dict[str, Any] = {
        "array": [],
        "integer": 1,
        "number": 1.0,
        "boolean": True,
        "object": {},
    }
    return kinds.get(schema.get("type", ""), "x")


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        for key in value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*path, 0))
    else:
        yield path


def with_leaf(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(body)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def bodies(served: ServedDeployment) -> Iterator[tuple[str, str, str]]:
    schemas = served.http.get("/openapi.json").json()["components"]["schemas"]
    for method, path, operation in operations(served):
        if "application/json" not in operation.get("requestBody", {}).get("content", {}):
            continue
        for example in examples(operation, schemas):
            for leaf in leaves(example):
                for odd in [*ODD_TEXTS, *ODD_NUMBERS, None, [], {}, [{}], [[[[]]]], True]:
                    yield method, path, json.dumps(with_leaf(example, leaf, odd))
                for raw in ODD_RAW:
                    marked = json.dumps(with_leaf(example, leaf, "@odd@"))
                    yield method, path, marked.replace('"@odd@"', raw)


@pytest.mark.slow
def test_odd_bodies_are_refused(served: ServedDeployment):
    headers = {"content-type": "application/json"}
    slow = ("simulate", "run-tests", "/analysis/run")
    wrong = [
        problem
        for method, path, body in bodies(served)
        if not any(each in path for each in slow)
        if (
            problem := refused_or_done(
                served, method, filled(path, "sample"), content=body, headers=headers
            )
        )
    ]
    assert wrong == []


ODD_CURSORS = [
    "0001-01-01T00:00:00+23:59 c1",
    "9999-12-31T23:59:59-23:59 c1",
    "9999-12-31T23:59:59 c1",
    "2026-01-01T00:00:00+00:00 \0",
    "[" * 740,
    "[1e999, NaN]",
    '[{"a": 1}, []]',
    '["\\ud800"]',
    "[]",
]


def test_odd_cursors_are_none_of_ours(served: ServedDeployment):
    cursors = [base64.urlsafe_b64encode(each.encode()).decode() for each in ODD_CURSORS]
    wrong = [
        problem
        for method, path, operation in operations(served)
        if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
        for cursor in cursors
        if (
            problem := refused_or_done(
                served, method, f"{filled(path, 'shop-desk')}?cursor={cursor}&text_query=a"
            )
        )
    ]
    assert wrong == []


@pytest.mark.parametrize("depth", [90, 300, 5_000])
def test_what_is_nested_deep_breaks_no_list(served: ServedDeployment, depth: int):
    deep = '{"a":' * depth + "1" + "}" * depth
    tool = f'"type": "client", "name": "t", "description": "d", "x": {deep}'
    sent = {
        "tools": f'{{"tool_config": {{{tool}}}}}',
        "agents/create": f'{{"name": "A", "conversation_config": {{"x": {deep}}}}}',
        "agent-testing/create": f'{{"name": "T", "x": {deep}}}',
    }
    headers = {"content-type": "application/json"}
    for path, body in sent.items():
        answer = served.http.post(f"/v1/convai/{path}", content=body, headers=headers)
        assert (answer.status_code, depth > 100) in ((200, False), (422, True)), answer.text
    for path in ("tools", "agents", "agent-testing"):
        served.call("GET", f"/{path}")


@pytest.mark.parametrize(
    "url",
    [
        *("https://u:p@x.invalid/", "https://@x.invalid/", "https://x.invalid:0/", "http://[::1"),
        *("https://x.invalid:99999/", "http://x.invalid/a\0", "https://x.invalid\\@y.invalid/"),
    ],
)
def test_an_address_with_a_password_or_that_is_none_is_not_kept(served: ServedDeployment, url: str):
    where = "/v1/convai/knowledge-base"
    answers = [
        served.http.post(where, data={"url": url}),
        served.http.post(f"{where}/url", json={"url": url}),
        served.http.post(f"{where}/crawl", json={"url": url}),
    ]
    assert [each.status_code for each in answers] == [422] * 3
    assert all("u:p@" not in each.text for each in answers)


def test_a_pattern_of_stars_is_not_compared_with_every_page(served: ServedDeployment):
    body = {"url": "https://x.invalid/", "pattern": "*a" * 9}
    assert served.http.post("/v1/convai/knowledge-base/crawl", json=body).status_code == 422


@pytest.mark.parametrize("scope", ["ingest", "converse", "label"])
def test_no_key_but_one_for_reading_gets_what_was_said(served: ServedDeployment, scope: Scope):
    """Over every route: scopes are checked against what an answer holds."""
    number = len(scope)
    # Words that no example of a document has: other tests have added those.
    hold_call(
        served.context.store,
        f"c{number}",
        question=f"Is my order {scope} lost?",
        answer=f"Parcel {scope} is at the door.",
    )
    said = {turn.text for turn in served.context.store.transcript(f"c{number}").turns[1:]}
    headers = {"xi-api-key": served.key(scope)}
    read = served.http.get(f"/v1/convai/conversations/c{number}").text
    assert all(json.dumps(text)[1:-1] in read for text in said)
    told: list[str] = []
    for method, path, _ in operations(served):
        if method == "DELETE" or path.endswith(("/simulate-conversation", "/stream")):
            continue
        body = None if method == "GET" else {}
        asked = filled(path, f"c{number}")
        answer = served.http.request(method, asked, headers=headers, json=body)
        told += [f"{method} {path}" for text in said if json.dumps(text)[1:-1] in answer.text]

    assert told == []
