"""The published JavaScript clients, unchanged, in a real browser, in text mode."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.server.limits import ServerLimits
from tests.conversation.server.browser import Page, npm_script, opened_browser
from tests.conversation.server.served import (
    SUPPORT,
    PausingChatModel,
    Served,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CURRENT = "@elevenlabs/client@1.25.0"
LEGACY = "@11labs/client@0.2.0"
START = """
(async (options, overrides) => {
  globalThis.log = [];
  const note = (name) => (value) => { globalThis.log.push([name, value ?? null]); };
  const names = ["onConnect", "onDisconnect", "onMessage", "onError", "onStatusChange",
    "onModeChange", "onAgentChatResponsePart", "onAgentResponseCorrection", "onPing",
    "onAgentToolRequest", "onAgentToolResponse"];
  const callbacks = Object.fromEntries(names.map((name) => [name, note(name)]));
  const clientTools = { show_order: (p) => { note("tool")(p); return "It is on its way."; } };
  globalThis.talk = await globalThis.SDK.Conversation.startSession(
    { ...callbacks, clientTools, connectionType: "websocket", ...options });
  return globalThis.talk.getId();
})(%s)
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("npm")
    livekit = npm_script("livekit-client@2", "dist/livekit-client.umd.js", folder)
    legacy = npm_script(LEGACY, "dist/lib.umd.js", folder)
    current = npm_script(CURRENT, "dist/lib.iife.js", folder)
    return {
        LEGACY: f"{livekit}\nglobalThis.livekitClient = globalThis.LivekitClient;\n{legacy}\n"
        "globalThis.SDK = globalThis.client;",
        CURRENT: f"{current}\nglobalThis.SDK = ElevenLabsClient;",
    }


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened_browser(tmp_path_factory.mktemp("browser")) as opened:
        # Scripts are put into a page that has none, and may not connect, by its own policy.
        opened.call("Page.setBypassCSP", enabled=True)
        yield opened


def start(page: Page, served: Served, script: str, **options: Any) -> str:
    page.open(f"{served.url}/api/health")
    page.run(f"{script};null")
    given = {"agentId": "support", "origin": served.url.replace("http", "ws"), **options}
    return page.run(START % json.dumps({key: value for key, value in given.items() if value}))


def calls(page: Page, name: str) -> list[Any]:
    return [value for called, value in page.run("globalThis.log") if called == name]


def messages(page: Page) -> list[str]:
    found = calls(page, "onMessage")
    return [each["message"] for each in found if each.get("source") == "ai"]


@pytest.mark.parametrize("package", [CURRENT, LEGACY])
def test_a_text_conversation(tmp_path: Path, page: Page, scripts: dict[str, str], package: str):
    model = ScriptedChatModel(always="Five days, as a rule.")
    limits = ServerLimits(ping_every_s=0.2)
    with serving(tmp_path, model=model, limits=limits) as served:
        conversation_id = start(page, served, scripts[package], textOnly=True)
        page.wait("globalThis.log.filter(([n]) => n === 'onMessage').length === 1")
        page.run("talk.sendContextualUpdate('The user looks at order 7.')")
        page.run("talk.sendUserActivity()")
        page.run("talk.sendUserMessage('How long do refunds take?')")
        page.wait("globalThis.log.some(([n, v]) => n === 'onMessage' && /days/.test(v.message))")
        page.run("talk.endSession()")
        page.wait("globalThis.log.some(([n]) => n === 'onDisconnect')")
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")
        transcript = served.store.transcript(conversation_id)

    assert messages(page) == ["Hello!", "Five days, as a rule."]
    assert calls(page, "onConnect")[0]["conversationId"] == conversation_id
    assert [each["status"] for each in calls(page, "onStatusChange")][-1] == "disconnected"
    assert calls(page, "onDisconnect")[0]["reason"] == "user"
    assert calls(page, "onError") == []
    assert "order 7" in model.prompt_texts[0]
    assert transcript.metadata["client"] == "js_sdk"
    if package == CURRENT:
        assert calls(page, "onAgentChatResponsePart")[0]["type"] == "start"
        assert calls(page, "onPing")


@pytest.mark.parametrize("package", [CURRENT, LEGACY])
def test_a_private_agent_by_signed_url(
    tmp_path: Path, page: Page, scripts: dict[str, str], package: str
):
    with serving(tmp_path) as served:
        url = served.signed_url("private")
        start(page, served, scripts[package], agentId=None, signedUrl=url, textOnly=True)
        page.wait("globalThis.log.some(([n]) => n === 'onMessage')")

    assert messages(page) == ["Hello!"]


@pytest.mark.parametrize("package", [CURRENT, LEGACY])
def test_client_tools_and_the_end_of_the_call(
    tmp_path: Path, page: Page, scripts: dict[str, str], package: str
):
    agent = AgentConfig.model_validate(
        {
            **SUPPORT.model_dump(exclude_defaults=True),
            "tools": [{"name": "show_order", "description": "Shows an order."}],
            "system_tools": ["end_call"],
        }
    )
    shows = {"action": {"tool": "show_order", "parameters": {}}}
    ends = {"action": {"tool": "end_call", "parameters": {}}}
    model = ScriptedChatModel(shows, "It has shipped.", ends, always="Goodbye!")
    with serving(tmp_path, agent, model=model) as served:
        conversation_id = start(page, served, scripts[package], textOnly=True)
        page.run("talk.sendUserMessage('Show me my order.')")
        page.wait("globalThis.log.some(([n, v]) => n === 'onMessage' && /shipped/.test(v.message))")
        page.run("talk.sendUserMessage('Bye.')")
        page.wait("globalThis.log.some(([n]) => n === 'onDisconnect')")
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")
        reason = served.store.transcript(conversation_id).end_reason

    assert messages(page)[-2:] == ["It has shipped.", "Goodbye!"]
    assert len(calls(page, "tool")) == 1
    assert any("It is on its way." in prompt for prompt in model.prompt_texts)
    assert calls(page, "onDisconnect")[0]["reason"] == "agent"
    assert reason == "agent_ended"


@pytest.mark.parametrize("package", [CURRENT, LEGACY])
def test_a_refusal_reaches_the_page_with_its_reason(
    tmp_path: Path, page: Page, scripts: dict[str, str], package: str
):
    with serving(tmp_path) as served:
        page.open(f"{served.url}/api/health")
        page.run(f"{scripts[package]};null")
        options = json.dumps(
            {
                "agentId": "private",
                "origin": served.url.replace("http", "ws"),
                "connectionType": "websocket",
                "textOnly": True,
            }
        )
        reason = page.run(
            f"SDK.Conversation.startSession({options})"
            ".then(() => 'let in', (error) => error.reason ?? error.message)"
        )

    assert "needs a signed URL" in reason


def test_feedback_and_a_correction_of_the_current_client(
    tmp_path: Path, page: Page, scripts: dict[str, str]
):
    model = PausingChatModel("Once upon a time there was a king.")
    with serving(tmp_path, model=model) as served:
        conversation_id = start(page, served, scripts[CURRENT], textOnly=True)
        page.run("talk.sendUserMessage('Tell me a story.')")
        page.wait("globalThis.log.filter(([n]) => n === 'onAgentChatResponsePart').length > 2")
        page.run("talk.sendUserMessage('Stop.')")
        page.wait("globalThis.log.some(([n]) => n === 'onAgentResponseCorrection')")
        model.go_on.set()
        page.wait("globalThis.log.filter(([n]) => n === 'onMessage').length >= 3")
        page.run("talk.sendFeedback(true)")
        wait_until(lambda: any(e.kind == "feedback" for e in served.store.events(conversation_id)))
        page.run("talk.endSession()")

    [correction] = calls(page, "onAgentResponseCorrection")
    assert correction["corrected_agent_response"] == "Once upon"


def test_a_voice_client_of_the_first_generation_is_answered_in_text(
    tmp_path: Path, page: Page, scripts: dict[str, str]
):
    """0.2.0 does not transmit `textOnly`: the server cannot know, and sends text all the same."""
    with serving(tmp_path) as served:
        conversation_id = start(page, served, scripts[LEGACY], textOnly=True)
        metadata = served.store.transcript(conversation_id).metadata

    assert "text_only" not in metadata
    assert metadata["client_version"] == "0.4.0"


def test_a_file_of_the_current_client_is_part_of_the_turn(
    tmp_path: Path, page: Page, scripts: dict[str, str]
):
    access = SUPPORT.access.model_copy(update={"files": 2})
    agent = SUPPORT.model_copy(update={"access": access})
    model = ScriptedChatModel(always="It is on its way.")
    with serving(tmp_path, agent, model=model) as served:
        conversation_id = start(page, served, scripts[CURRENT], textOnly=True)
        handed = page.run(
            "talk.uploadFile(new File(['Order 4711.'], 'order.txt', {type: 'text/plain'}))"
            ".then((given) => given, (problem) => ({problem: problem.message}))"
        )
        page.run(
            "talk.sendMultimodalMessage({text: 'Where is it?', fileId: "
            f"{json.dumps(handed.get('fileId'))}}})"
        )
        page.wait("globalThis.log.some(([n, v]) => n === 'onMessage' && /way/.test(v.message))")
        page.run("talk.endSession()")
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")
        turns = served.store.transcript(conversation_id).turns

    assert "problem" not in handed
    assert [t.text for t in turns if t.role == "user"] == [
        "Where is it?\n\n[order.txt]\nOrder 4711."
    ]
