"""The published Python and JavaScript packages over REST, unchanged."""

import json
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from conversation.server.not_served_routes import METHODS
from tests.conversation.server.conversations.test_routes import ScriptedAfterCalls, call
from tests.conversation.server.receiver import receiving
from tests.conversation.server.served import Served, serving, wait_until
from tests.npm import node_with

pytestmark = [
    pytest.mark.slow,
    # The client's own: it names what pydantic would like renamed.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
JS_PACKAGE = "@elevenlabs/elevenlabs-js"


@contextmanager
def sdk(served: Served, *scopes: Any) -> Generator[Any]:
    from elevenlabs import ElevenLabs

    yield ElevenLabs(
        base_url=served.url, api_key=served.key(*(scopes or ("admin",))), httpx_client=served.http
    )


def endpoints() -> list[tuple[str, str]]:
    """Method and path of everything below `/v1/convai/` that the installed client calls."""
    spec = find_spec("elevenlabs")
    assert spec is not None
    assert spec.origin is not None
    found: set[tuple[str, str]] = set()
    for path in Path(spec.origin).parent.rglob("raw_client.py"):
        calls = re.findall(
            r'f?"(v1/convai/[^"]*)",\s*(?:base_url=[^\n]*\n\s*)?method="([A-Z]+)"', path.read_text()
        )
        found |= {(method, re.sub(r"\{[^}]*\}", "some-id", route)) for route, method in calls}
    return sorted(found)


def test_every_endpoint_of_the_client_is_served_or_says_that_it_is_not(tmp_path: Path):
    found = endpoints()
    assert len(found) > 200
    with serving(tmp_path) as served:
        headers = {"xi-api-key": served.key("admin")}
        answers = {
            (method, path): served.http.request(method, f"/{path}", headers=headers)
            for method, path in found
        }

    for asked, answer in answers.items():
        detail = answer.json().get("detail") if answer.is_error else None
        status = detail["status"] if isinstance(detail, dict) else None
        # `not_found` and `method_not_allowed` are those of the framework: no route took it.
        assert status not in ("not_found", "method_not_allowed", "internal_error"), asked
        if answer.status_code == 400:
            assert detail is not None
            assert len(detail["message"]) > 20, asked


def test_what_is_no_conversation_is_not_offered_either(tmp_path: Path):
    with serving(tmp_path) as served:
        answers = [
            served.http.request(method, path)
            for method in METHODS
            for path in ("/v1/voices", "/v2/voices", "/v1/text-to-speech/x", "/v1/convai/twilio")
        ]

    assert {answer.status_code for answer in answers} == {400}
    assert "WebSocket" in answers[3].json()["detail"]["message"]


def test_conversations(tmp_path: Path):
    with serving(tmp_path) as served, sdk(served) as client:
        ids = [call(served.store, number) for number in range(4)]
        served.context.after_calls = ScriptedAfterCalls(served.store)
        conversations = client.conversational_ai.conversations
        first = conversations.list(page_size=3, summary_mode="include")
        rest = conversations.list(page_size=3, cursor=first.next_cursor)
        failed = conversations.list(call_successful="failure")
        conversations.feedback.create(ids[0], feedback="like")
        shown = conversations.get(ids[0])
        short = conversations.get_summary(ids[0])
        judged = conversations.analysis.run(ids[0])
        conversations.delete(ids[3])
        left = conversations.list()
        from elevenlabs.core.api_error import ApiError

        with pytest.raises(ApiError) as caught:
            list(conversations.audio.get(ids[0]))

    assert [each.conversation_id for each in first.conversations] == ids[:0:-1]
    assert first.has_more
    assert [each.conversation_id for each in rest.conversations] == ids[:1]
    assert not rest.has_more
    assert first.conversations[0].transcript_summary == "An order was asked for."
    assert [each.conversation_id for each in failed.conversations] == [ids[1]]
    assert shown.transcript[1].message == "Where is order 0?"
    assert shown.metadata.feedback.overall_score == "like"
    assert shown.metadata.termination_reason == "user_ended"
    assert judged.analysis.evaluation_criteria_results["resolved"].result == "success"
    assert short.messages[-1].message == "Where is order 0?"
    assert len(left.conversations) == 3
    assert caught.value.status_code == 404
    assert caught.value.body["detail"]["status"] == "audio_not_found"


def test_settings_webhooks_and_secrets(tmp_path: Path):
    from elevenlabs.types import ConvAiWebhooks, WebhookHmacSettings

    with receiving() as receiver, serving(tmp_path) as served, sdk(served) as client:
        made = client.webhooks.create(
            settings=WebhookHmacSettings(name="Desk", webhook_url=receiver.url)
        )
        settings = client.conversational_ai.settings.update(
            webhooks=ConvAiWebhooks(post_call_webhook_id=made.webhook_id, events=["transcript"])
        )
        with served.dial() as talk:
            talk.opened()
        body, headers = receiver.next()
        event = client.webhooks.construct_event(
            body, headers["elevenlabs-signature"], made.webhook_secret
        )
        client.webhooks.update(made.webhook_id, is_disabled=True, name="Off")
        (listed,) = client.webhooks.list(include_usages=True).webhooks
        client.webhooks.delete(made.webhook_id)
        assert client.conversational_ai.settings.get().webhooks.post_call_webhook_id is None

        secrets = client.conversational_ai.secrets
        secret = secrets.create(name="CRM_TOKEN", value="t0psecret")
        secrets.update(secret.secret_id, name="CRM_KEY", value="n3wer")
        assert [each.name for each in secrets.list().secrets] == ["CRM_KEY"]
        assert secrets.get(secret.secret_id).used_by.agents == []
        secrets.delete(secret.secret_id)
        assert secrets.list().secrets == []

    assert settings.webhooks.events == ["transcript"]
    assert event["data"]["transcript"][0]["message"] == "Hello!"
    assert (listed.name, listed.is_disabled) == ("Off", True)


def test_agent_tests(tmp_path: Path):
    from elevenlabs.conversational_ai.tests.types import (
        TestsCreateRequestBody_Llm as LlmTest,
    )
    from elevenlabs.conversational_ai.tests.types import (
        TestsUpdateRequestBody_Llm as ChangedTest,
    )

    with serving(tmp_path) as served, sdk(served) as client:
        tests = client.conversational_ai.tests
        made = [
            tests.create(request=LlmTest(name=name, success_condition="It is polite."))
            for name in ("Refunds", "Parcels")
        ]
        changed = tests.update(made[0].id, request=ChangedTest(name="Refunds 2"))
        found = tests.list(search="refunds")
        both = tests.summaries(test_ids=[made[0].id, made[1].id, "test_nope"])
        tests.delete(made[1].id)
        left = tests.list()

        from elevenlabs.types import SingleTestRunRequestModel as WantedTest

        wanted = [WantedTest(test_id=made[0].id)]
        asked = client.conversational_ai.agents.run_tests("support", tests=wanted)
        runs = tests.invocations
        wait_until(lambda: runs.get(asked.id).test_runs[0].status != "pending")
        (listed,) = runs.list(agent_id="support").results

    assert asked.test_runs[0].status == "pending"
    assert (listed.test_run_count, listed.failed_count) == (1, 1)
    assert changed.name == "Refunds 2"
    assert [each.name for each in found.tests] == ["Refunds 2"]
    assert sorted(both.tests) == sorted(each.id for each in made)
    assert [(each.id, each.type) for each in left.tests] == [(made[0].id, "llm")]


def test_a_wrong_key_and_a_wrong_body_are_the_errors_that_the_client_knows(tmp_path: Path):
    from elevenlabs import ElevenLabs
    from elevenlabs.core.api_error import ApiError
    from elevenlabs.errors import UnprocessableEntityError

    with serving(tmp_path) as served, sdk(served) as client:
        stranger = ElevenLabs(base_url=served.url, api_key="wrong", httpx_client=served.http)
        with pytest.raises(ApiError) as unknown:
            stranger.conversational_ai.conversations.list()
        with pytest.raises(UnprocessableEntityError) as invalid:
            client.conversational_ai.conversations.list(page_size=1_000)

    assert unknown.value.status_code == 401
    assert invalid.value.body["detail"][0]["loc"] == ["query", "page_size"]


JS = """
const { ElevenLabsClient } = require("@elevenlabs/elevenlabs-js");
const [baseUrl, apiKey, id] = process.argv.slice(2);
(async () => {
  const api = new ElevenLabsClient({ baseUrl, apiKey }).conversationalAi;
  const page = await api.conversations.list({ pageSize: 1 });
  const shown = await api.conversations.get(id);
  const settings = await api.settings.get();
  const secrets = await api.secrets.list();
  const tests = await api.tests.list();
  let missing = null;
  try { await api.conversations.get("nope"); } catch (error) { missing = error.statusCode; }
  console.log(JSON.stringify({
    ids: page.conversations.map((each) => each.conversationId),
    hasMore: page.hasMore,
    message: shown.transcript[1].message,
    seconds: shown.metadata.callDurationSecs,
    events: settings.webhooks.events,
    secrets: secrets.secrets.length,
    tests: tests.tests.length,
    missing,
  }));
})();
"""


@pytest.mark.timeout(300)
def test_the_javascript_client_lists_and_gets(tmp_path: Path):
    node = node_with(tmp_path, JS_PACKAGE)
    (tmp_path / "rest.js").write_text(JS)
    with serving(tmp_path) as served:
        ids = [call(served.store, number) for number in range(2)]
        done = subprocess.run(
            [node, "rest.js", served.url, served.key("admin"), ids[0]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "ids": [ids[1]],
        "hasMore": True,
        "message": "Where is order 0?",
        "seconds": 30,
        "events": ["transcript"],
        "secrets": 0,
        "tests": 0,
        "missing": 404,
    }
