"""One list of calls, made by both published SDKs: every answer is what their models say it is."""

import json
import subprocess
import typing
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from conversation.server.context import ServerContext
from conversation.server.not_served_routes import refusal
from tests.analysis.calls import hold_call
from tests.fakes import ScriptedChatModel
from tests.npm import node_with
from tests.orchestration.deployed import ServedDeployment, served_deployment
from tests.orchestration.server.sdk_calls import CALLS, SdkCall, sdk_endpoints, served_endpoints
from tests.orchestration.server.test_python_sdk_resources import played, talking

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


_PARAGRAPHS = [f"Parcels to place {number} take {number} days. " * 20 for number in range(9)]


@contextmanager
def prepared(folder: Path) -> Generator[tuple[ServedDeployment, dict[str, str]]]:
    """A server, with two conversations that were held, a third that goes on, and a document."""

    def unhurried(context: ServerContext) -> None:
        context.limits = replace(context.limits, requests_per_minute=10**9)

    model = ScriptedChatModel(always=played)
    with served_deployment(folder, model=model, prepare=unhurried) as served:
        for name in ("c1", "c2"):
            hold_call(served.deployment.conversations, name, question="Where is my parcel?")
        document = served.new_text("\n\n".join(_PARAGRAPHS))
        served.indexed(document)
        agent = served.agent_with(
            conversation_config={
                "agent": {"first_message": "Hello!", "prompt": {"llm": "scripted/model"}},
                "conversation": {"file_input": {"enabled": True}},
            }
        )
        with talking(served.client(), agent):
            (held,) = served.context.store.page(agent_id=agent).conversations
            yield served, {"document": document, "live": held.conversation_id}


def test_the_list_has_every_call_that_is_served(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        endpoints = served_endpoints(served.http.get("/openapi.json").json())

    assert {each.name for each in endpoints} == {each.name for each in CALLS}
    assert len(endpoints) > 90


def test_every_other_call_is_refused_with_a_reason():
    served = {each.name for each in CALLS}
    own = ("executions", "smart-search")
    others = [
        each for each in sdk_endpoints() if each.name not in served and not each.path.endswith(own)
    ]
    bare = {each.path for each in others if _reason(each.path) == ""}

    assert bare == set()
    assert len(others) > 120


def _reason(path: str) -> str:
    """What the refusal says beside that there is no such thing, e.g. what to do instead."""
    said = refusal(path.removeprefix("/v1/convai/").removeprefix("/v1/")).message
    return said.partition("'. ")[2]


def test_a_refused_call_is_made_once_whatever_it_asks_for(tmp_path: Path):
    from elevenlabs.core.api_error import ApiError

    with served_deployment(tmp_path) as served:
        asked: list[httpx.Request] = []
        served.http.event_hooks["request"] = [asked.append]
        rooms = served.client().conversational_ai
        for call in (
            lambda: rooms.conversations.messages.search(text_query="parcels", page_size=3),
            lambda: rooms.tools.executions.get("t", page_size=3),
            lambda: rooms.phone_numbers.list(),
            lambda: rooms.agents.branches.merge("a", "b", target_branch_id="c"),
        ):
            asked.clear()
            with pytest.raises(ApiError) as refused:
                call()
            assert refused.value.status_code == 400
            assert refused.value.body["detail"]["status"] == "not_supported"
            assert len(asked) == 1


@pytest.mark.timeout(300)
def test_python_reads_every_answer_strictly(tmp_path: Path):
    failed: list[str] = []
    with prepared(tmp_path) as (served, known):
        answers: list[httpx.Response] = []
        served.http.event_hooks["response"] = [answers.append]
        client = served.client()
        for call in CALLS:
            answers.clear()
            problem = _made(client, call, known, answers)
            if problem is not None:
                failed.append(f"{call.name}: {problem}")

    assert failed == [], "\n".join(failed)


def _made(
    client: Any, call: SdkCall, known: dict[str, str], answers: list[httpx.Response]
) -> str | None:
    """Make a call; says what is wrong with its answer."""
    from elevenlabs.core.api_error import ApiError

    method: Any = client
    for name in call.name.split("."):
        method = getattr(method, name)
    try:
        answer = method(*filled(call.path, known), **filled(call.given, known))
        if answer is not None and hasattr(answer, "__next__"):
            list(answer)
    except ApiError as error:
        return None if error.status_code == call.fails else f"{error.status_code} {error.body}"
    if call.fails is not None:
        return f"it should have failed with {call.fails}"
    return _read(method, call, answers[-1], known)


def _read(method: Any, call: SdkCall, answer: httpx.Response, known: dict[str, str]) -> str | None:
    if call.is_empty:
        return None
    expected = typing.get_type_hints(method)["return"]
    try:
        TypeAdapter(expected).validate_json(answer.content, strict=True)
    except ValidationError as error:
        return str(error)[:600]
    for name, place in call.keep.items():
        known[name] = at(answer.json(), place)
    return None


def at(value: Any, place: str) -> Any:
    for part in place.split("."):
        value = value[int(part) if part.isdigit() else part]
    return value


def filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        return known[value[1:]] if value.startswith("$") else value
    if isinstance(value, dict):
        if "$file" in value:
            return ("a.txt", value["$file"].encode(), "text/plain")
        return {key: filled(inner, known) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inner, known) for inner in value]
    return value


RUNNER_JS = """
const { ElevenLabsClient } = require("@elevenlabs/elevenlabs-js");
const fs = require("fs");
const [baseUrl, apiKey] = process.argv.slice(2);
const { calls, known } = JSON.parse(fs.readFileSync("calls.json", "utf-8"));
const client = new ElevenLabsClient({ baseUrl, apiKey });
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
fs.writeFileSync("a.txt", "");
function filled(value) {
  if (typeof value === "string") return value.startsWith("$") ? known[value.slice(1)] : value;
  if (Array.isArray(value)) return value.map(filled);
  if (value === null || typeof value !== "object") return value;
  if ("$file" in value) {
    return new File([value.$file], "a.txt", { type: "text/plain" });
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [camel(key), filled(one)]));
}
async function made(call) {
  const names = call.name.split(".").map(camel);
  const method = names.pop();
  const room = names.reduce((inner, name) => inner[name], client);
  if (typeof room?.[method] !== "function") return "Node has no such call";
  const given = filled("request" in call.given ? call.given.request : call.given);
  const body = Object.keys(given).length ? [given] : [];
  try {
    const answer = await room[method](...filled(call.path), ...body);
    if (call.fails !== null) return `it should have failed with ${call.fails}`;
    if (call.is_empty) return null;
    if (answer === undefined || answer === null) return "nothing";
    for (const [name, place] of Object.entries(call.keep)) {
      known[name] = place.split(".").reduce((inner, part) => inner[camel(part)], answer);
      if (typeof known[name] !== "string") return `no ${place}`;
    }
    return null;
  } catch (error) {
    if (call.fails !== null && error.statusCode === call.fails) return null;
    return String(error.message ?? error).slice(0, 600);
  }
}
(async () => {
  const failed = [];
  for (const call of calls) {
    const problem = await made(call);
    if (problem !== null) failed.push(`${call.name}: ${problem}`);
  }
  console.log(JSON.stringify({ made: calls.length, failed }));
})();
"""


@pytest.mark.timeout(300)
def test_node_reads_every_answer_with_its_own_deserialisers(tmp_path: Path):
    node = node_with(tmp_path, "@elevenlabs/elevenlabs-js")
    calls = [asdict(each) for each in CALLS if each.in_node]
    (tmp_path / "runner.js").write_text(RUNNER_JS)
    with prepared(tmp_path / "data") as (served, known):
        (tmp_path / "calls.json").write_text(json.dumps({"calls": calls, "known": known}))
        done = subprocess.run(
            [node, "runner.js", served.url, served.key("admin")],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["failed"] == [], "\n".join(made["failed"])
    assert made["made"] == len(calls) > 90
