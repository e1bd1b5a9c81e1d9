"""Which pages may show an agent in a frame, and what pages of others may read."""

from pathlib import Path

import pytest

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import VoiceSection
from conversation.server.pages.framing import frame_ancestors
from conversation.voice.ports import CallModels
from tests.conversation.server.served import SUPPORT, Served, serving


def agent(*origins: str) -> AgentConfig:
    section = {"public": True, "allowed_origins": origins}
    return AgentConfig.model_validate({"agent_id": "a", "name": "A", "access": section})


@pytest.mark.parametrize(
    ("origins", "ancestors"),
    [
        ((), "'self'"),
        (("shop.example",), "'self' https://shop.example:* http://shop.example:*"),
        (("localhost:3000",), "'self' https://localhost:3000 http://localhost:3000"),
        (("https://Shop.Example/",), "'self' https://shop.example:*"),
        (("[::1]",), "'self' https://[::1]:* http://[::1]:*"),
        (("x.example; script-src *",), "'self'"),
        (("x.example 'unsafe-inline'",), "'self'"),
    ],
)
def test_only_allowed_origins_frame_an_agent(origins: tuple[str, ...], ancestors: str):
    assert frame_ancestors(agent(*origins)) == ancestors


def directive(served: Served, path: str, name: str) -> str:
    policy = served.http.get(path).headers["content-security-policy"]
    [found] = [part for part in policy.split("; ") if part.startswith(name)]
    return found.removeprefix(name).strip()


def test_the_talk_page_is_never_framed_and_the_embed_page_by_its_own_pages(tmp_path: Path):
    shop = agent("shop.example")
    with serving(tmp_path, shop, SUPPORT) as served:
        assert directive(served, "/talk/a", "frame-ancestors") == "'none'"
        assert served.http.get("/talk/a").headers["x-frame-options"] == "DENY"
        embed = served.http.get("/embed/a")
        assert "x-frame-options" not in embed.headers
        assert "https://shop.example:*" in directive(served, "/embed/a", "frame-ancestors")
        assert directive(served, "/embed/support", "frame-ancestors") == "'self'"
        assert directive(served, "/embed/nobody", "frame-ancestors") == "'none'"


def test_pages_of_others_load_the_widget_and_ask_for_the_look_of_public_agents(tmp_path: Path):
    with serving(tmp_path) as served:
        script = served.http.get("/widget.js", headers={"accept-encoding": "gzip"})
        again = served.http.get("/widget.js", headers={"if-none-match": script.headers["etag"]})
        look = served.http.get("/widget/support", headers={"origin": "https://shop.example"})
        private = served.http.get("/widget/private")
        signature = served.signed_url("private").partition("conversation_signature=")[2]
        signed = served.http.get(
            "/widget/private", params={"conversation_signature": signature.partition("&")[0]}
        )

    assert script.headers["content-encoding"] == "gzip"
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert again.status_code == 304
    assert look.headers["access-control-allow-origin"] == "*"
    assert (look.json()["name"], look.json()["voice"]) == ("Support", False)
    assert private.status_code == 401
    assert signed.json()["agent_id"] == "private"


def test_the_look_of_an_agent_is_not_told_to_pages_of_other_origins(tmp_path: Path):
    with serving(tmp_path, agent("shop.example")) as served:
        refused = served.http.get("/widget/a", headers={"origin": "https://other.example"})
        let_in = served.http.get("/widget/a", headers={"origin": "https://shop.example"})

    assert refused.status_code == 403
    assert let_in.status_code == 200


def test_what_a_page_gives_its_script_cannot_end_the_script(tmp_path: Path):
    evil = SUPPORT.model_copy(update={"first_message": "</script><script>alert(1)</script>"})
    with serving(tmp_path, evil) as served:
        text = served.http.get("/talk/support").text

    assert "<script>alert" not in text
    assert "\\u003c/script>" in text


def test_a_page_is_one_document_and_two_files(tmp_path: Path):
    with serving(tmp_path) as served:
        text = served.http.get("/talk/support").text

    assert text.count('src="') + text.count('rel="stylesheet"') == 2


class Mute:
    """Voices of a server whose models are there, or not."""

    def __init__(self, *, is_there: bool) -> None:
        self._is_there = is_there

    def can_speak_for(self, agent: AgentConfig) -> bool:
        return self._is_there

    def models(self, agent: AgentConfig) -> CallModels:
        raise NotImplementedError


@pytest.mark.parametrize("is_there", [True, False])
def test_widgets_are_told_whether_there_is_a_voice_now(tmp_path: Path, is_there: bool):
    spoken = SUPPORT.model_copy(update={"agent_id": "spoken", "voice": VoiceSection()})
    with serving(tmp_path, SUPPORT, spoken) as served:
        served.context.voices = Mute(is_there=is_there)
        published = {
            agent_id: served.http.get(f"/v1/convai/agents/{agent_id}/widget").json()
            for agent_id in ("support", "spoken")
        }
        own = served.http.get("/widget/spoken").json()

    assert published["support"]["widget_config"]["text_only"]
    assert published["spoken"]["widget_config"]["text_only"] is not is_there
    assert own["voice"] is is_there


def test_clients_that_want_webrtc_are_told_what_to_do(tmp_path: Path):
    """One of them replaces any message that names the number of another refusal."""
    with serving(tmp_path) as served:
        answer = served.http.get(
            "/v1/convai/conversation/token?agent_id=support",
            headers={"origin": "https://shop.example"},
        )

    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "connectionType 'websocket'" in answer.json()["detail"]["message"]
    assert "401" not in answer.text
