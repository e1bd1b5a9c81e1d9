"""Every named parameter of the published SDK's methods has an effect, or is refused by name."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from conversation.transcript import Transcript, Turn
from tests.orchestration.deployed import ServedDeployment
from tests.orchestration.server.sdk_calls import CALLS, SdkCall, sdk_endpoints
from tests.orchestration.server.test_sdk_calls import at, filled, prepared

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

_LATER = 4_000_000_000
_NUMBERS = frozenset(
    {
        "page_size", "limit", "max_messages", "dependency_limit", "max_depth", "max_pages",
        "minimum_frequency_days", "repeat_count", "new_turns_limit", "rating_min", "rating_max",
        "rag_retention_period_days", "conversation_embedding_retention_days",
        "call_start_before_unix", "call_duration_min_secs", "from_unix_secs", "to_unix_secs",
        "start_time", "end_time",
    }
)  # fmt: skip
_VALUES: Mapping[str, Any] = {
    "call_start_after_unix": _LATER,
    "call_duration_max_secs": 0,
    "enable_versioning": False,
    "enable_versioning_if_not_enabled": False,
    "data_collection_params": ["a:eq:b"],
    "data_collection_filter": "a:eq:b",
    "evaluation_params": ["a:success"],
    "workflow": {"nodes": {"start": {"type": "start"}}},
    "webhooks": {"post_call_webhook_id": "zzz"},
    "conversation_config": {"agent": {"first_message": "Servus!"}},
    "platform_settings": {"auth": {"enable_auth": True}},
}
"""Values under which a parameter shows what it does."""
_FLAGS = ("include", "has_", "is_", "archived", "show_", "force", "enable", "text_only",
          "folders_first", "auto_", "tighten", "debug", "can_use", "retry")  # fmt: skip
_LISTS = ("ids", "names", "params", "types", "languages", "reasons", "statuses", "tags", "patterns",
          "urls", "criteria", "events", "_successful", "_errored")  # fmt: skip
_MAPPINGS = ("agent_config_override", "request_headers", "procedures",
             "conversation_initiation_client_data_webhook")  # fmt: skip

ELSEWHERE = {
    ("agents.get", "branch_id"): "404 names the branch: test_agent_versions",
    ("agents.get", "version_id"): "test_agent_versions",
    ("conversations.topics.get", "include_evaluation_criteria"): "test_topics",
    ("knowledge_base.list", "folders_first"): "test_folders",
    ("agents.create", "workflow"): "listed in `without_effect`: below",
    ("tools.delete", "force"): "test_resources: a tool in use",
    ("knowledge_base.documents.bulk_delete", "force"): "test_documents_api: a document in use",
    ("webhooks.update", "retry_enabled"): "the answer is `ok`: webhooks/test_routes",
    ("webhooks.update", "request_headers"): "the answer is `ok`: webhooks/test_routes",
    ("conversations.list", "exclude_statuses"): "test_routes of conversations",
    ("conversations.list", "text_only"): "test_given_filters",
    ("conversations.list", "data_collection_ids"): "test_routes of conversations",
    ("conversations.list", "evaluation_criteria_ids"): "test_routes of conversations",
}
"""What one answer after another cannot show, and which test shows it."""


def value_of(name: str) -> Any:
    if name in _VALUES:
        return _VALUES[name]
    if name in _NUMBERS:
        return 1
    if name.startswith(_FLAGS):
        return True
    if name in _MAPPINGS:
        return {"zzz": "1"}
    return ["zzz"] if name.endswith(_LISTS) else "zzz"


def more_to_list(served: ServedDeployment, document: str) -> None:
    """Two of what lists have one of otherwise, and a user."""
    began = datetime.now(UTC) - timedelta(minutes=5)
    for user in ("u1", "u2"):
        served.deployment.conversations.import_transcript(
            Transcript(
                conversation_id=f"conv_{user}",
                agent_id="shop-desk",
                turns=(Turn(role="user", text="Where is my parcel?"),),
                started_at=began,
                ended_at=began + timedelta(seconds=30),
                metadata={"user_id": user},
            )
        )
    for _ in range(2):
        served.agent_with(document)
    for name in ("show_first", "show_second"):
        config = {"type": "client", "name": name, "description": "It.", "expects_response": False}
        served.call("POST", "/tools", json={"tool_config": config})


@pytest.mark.timeout(400)
def test_every_parameter_has_an_effect_or_is_refused_by_name(tmp_path: Path):
    named = {each.name: each.named for each in sdk_endpoints()}
    silent: list[str] = []
    tried = 0
    with prepared(tmp_path) as (served, known):
        more_to_list(served, known["document"])
        answers: list[httpx.Response] = []
        served.http.event_hooks["response"] = [answers.append]
        client = served.client()
        seen: set[str] = set()
        for call in CALLS:
            plain = asked(client, call, known, answers, {})
            if plain.status_code < 300 and plain.content:
                known |= {name: at(plain.json(), place) for name, place in call.keep.items()}
            if call.name in seen or call.name.endswith("get_webrtc_token"):
                # Rooms are refused whole.
                continue
            seen.add(call.name)
            short = call.name.removeprefix("conversational_ai.")
            for name in named[call.name]:
                if name in call.given or name == "request" or (short, name) in ELSEWHERE:
                    continue
                tried += 1
                answer = asked(client, call, known, answers, {name: value_of(name)})
                if not is_told(plain, answer, name):
                    silent.append(f"{call.name} {name}: {answer.status_code} {answer.text[:200]}")

    assert silent == [], "\n".join(silent)
    assert tried > 150


def is_told(plain: httpx.Response, answer: httpx.Response, name: str) -> bool:
    """Whether an answer is another one because of a parameter, or says that it is not."""
    if answer.status_code >= 500:
        return False
    if answer.status_code in (400, 422):
        return name in answer.text
    return answer.content != plain.content


def asked(
    client: Any,
    call: SdkCall,
    known: dict[str, str],
    answers: list[httpx.Response],
    more: dict[str, Any],
) -> httpx.Response:
    """The answer to a call, also to one that fails."""
    from elevenlabs.core.api_error import ApiError

    method: Any = client
    for part in call.name.split("."):
        method = getattr(method, part)
    answers.clear()
    try:
        found = method(*filled(call.path, known), **filled(call.given, known), **more)
        if hasattr(found, "__next__"):
            list(found)
    except ApiError:
        pass
    answers[-1].read()
    return answers[-1]


def test_a_part_of_an_agent_that_changes_nothing_is_listed(tmp_path: Path):
    workflow = {"nodes": {"start": {"type": "start"}}, "edges": {}}
    with prepared(tmp_path) as (served, _):
        made = served.call(
            "POST",
            "/agents/create",
            json={"conversation_config": {}, "workflow": workflow, "procedures": ["p"]},
        )
        path = f"/agents/{made['agent_id']}"
        changed = served.call("PATCH", path, json={"workflow": workflow})
        sent_back = served.call("PATCH", path, json=served.call("GET", path))
        served.call("PATCH", path, 422, json={"workflow": "text"})

    assert made["without_effect"] == ["workflow", "procedures"]
    assert changed["without_effect"] == ["workflow"]
    assert changed["workflow"]["nodes"] == workflow["nodes"]
    assert sent_back["without_effect"] == ["workflow"]
