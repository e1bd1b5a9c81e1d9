"""Attempts to get in."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.server.access.admission import origin_allowed
from conversation.server.keys.api_keys import Scope
from conversation.server.limits import ServerLimits
from tests.conversation.server.served import (
    PRIVATE,
    SUPPORT,
    ScriptedAgents,
    Served,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel

SIGN = "/v1/convai/conversation/get-signed-url"


def sign(served: Served, key: str | None, agent_id: str = "private") -> Any:
    headers = {} if key is None else {"xi-api-key": key}
    return served.http.get(SIGN, params={"agent_id": agent_id}, headers=headers)


def test_a_wrong_key_and_no_key_get_nothing(tmp_path: Path):
    with serving(tmp_path) as served:
        good = served.key("converse")
        for key in (None, "", "nonsense", good[:-1] + "x", good.upper()):
            answer = sign(served, key)
            assert answer.status_code == 401
            assert answer.json()["detail"]["status"] == "invalid_api_key"
            assert not key or key not in answer.text


def test_an_expired_key_and_a_revoked_key_get_nothing(tmp_path: Path):
    with serving(tmp_path) as served:
        short = served.key("converse", expires_at=served.clock() + timedelta(days=1))
        revoked = served.key("converse")
        assert sign(served, short).status_code == 200
        known = served.context.access.keys()
        [record] = [each for each in known if not each.expires_at]
        served.context.access.revoke_key(record.key_id, now=served.clock())
        served.clock.ahead = timedelta(days=2)

        assert sign(served, short).status_code == 401
        assert sign(served, revoked).status_code == 401


def test_a_key_without_the_scope_is_told_which_one_it_needs(tmp_path: Path):
    with serving(tmp_path) as served:
        answer = sign(served, served.key("read", "label"))

    assert answer.status_code == 403
    assert "needs 'converse'" in answer.json()["detail"]["message"]


def test_a_key_is_taken_as_a_bearer_token_too(tmp_path: Path):
    with serving(tmp_path) as served:
        headers = {"Authorization": f"Bearer {served.key('admin')}"}
        answer = served.http.get(SIGN, params={"agent_id": "private"}, headers=headers)

    assert answer.status_code == 200


def test_an_unknown_agent_is_signed_by_nobody(tmp_path: Path):
    with serving(tmp_path) as served:
        answer = sign(served, served.key("converse"), "nobody")

    assert answer.status_code == 404
    assert answer.json()["detail"]["status"] == "agent_not_found"


def test_the_old_path_signs_too(tmp_path: Path):
    with serving(tmp_path) as served:
        answer = served.http.get(
            "/v1/convai/conversation/get_signed_url",
            params={"agent_id": "private"},
            headers={"xi-api-key": served.key("converse")},
        )

    assert answer.json()["signed_url"].startswith("ws://")


def test_the_signature_of_another_agent_opens_nothing(tmp_path: Path):
    with serving(tmp_path) as served:
        url = served.signed_url("support").replace("agent_id=support", "agent_id=private")
        with served.dial(url=url) as client:
            closed = client.closed()

    assert closed == (1008, "The signature is for another agent.")


def test_an_expired_signature_opens_nothing(tmp_path: Path):
    with serving(tmp_path) as served:
        url = served.signed_url("private")
        served.clock.ahead = timedelta(minutes=15, seconds=1)
        with served.dial(url=url) as client:
            closed = client.closed()

    assert closed == (1008, "The signed URL has expired; ask for a new one.")


def test_a_conversation_outlives_the_signature_that_started_it(tmp_path: Path):
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served,
        served.dial(url=served.signed_url("private")) as client,
    ):
        client.opened()
        served.clock.ahead = timedelta(hours=1)
        client.say("Still there?")
        assert client.answer() == "Yes."


@pytest.mark.parametrize("signature", ["", "x", "a.b", "%00", "é.é", "a" * 5_000])
def test_an_invented_signature_opens_nothing(tmp_path: Path, signature: str):
    with (
        serving(tmp_path) as served,
        served.dial("private", conversation_signature=signature) as client,
    ):
        assert client.closed()[0] == 1008


@pytest.mark.parametrize("place", ["token", "bearer"])
def test_a_signature_is_taken_in_its_other_places(tmp_path: Path, place: str):
    with serving(tmp_path) as served:
        signature = served.signed_url("private").partition("conversation_signature=")[2]
        extra: dict[str, Any] = (
            {"token": signature}
            if place == "token"
            else {"subprotocols": ["convai", f"bearer.{signature}"]}
        )
        with served.dial("private", **extra) as client:
            client.opened()
            assert client.socket.subprotocol == "convai"


def test_a_program_may_open_the_socket_with_its_key(tmp_path: Path):
    with serving(tmp_path) as served:
        cases: list[tuple[Scope, bool]] = [("converse", True), ("read", False)]
        for scope, opens in cases:
            headers = {"xi-api-key": served.key(scope)}
            with served.dial("private", headers=headers) as client:
                if opens:
                    client.opened()
                else:
                    assert client.closed()[0] == 1008


def test_the_option_authorization_takes_a_key_for_talking(tmp_path: Path):
    with serving(tmp_path) as served:
        keys = {
            served.key("converse"): True,
            served.key("read"): False,
            f"vv_000000000000_{'0' * 48}": False,
        }
        for key, opens in keys.items():
            offered = ["convai", f"bearer.{key}"]
            with served.dial("private", subprotocols=offered) as client:
                if opens:
                    client.opened()
                    assert client.socket.subprotocol == "convai"
                else:
                    assert client.closed()[0] == 1008
        # An address is written to logs: no key counts there.
        with served.dial("private", token=next(iter(keys))) as client:
            assert client.closed()[0] == 1008


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.example.com", True),
        ("http://shop.example.com:8000", True),
        ("https://localhost:3000", True),
        ("https://localhost:3001", False),
        ("https://evil.example.com", False),
        ("https://shop.example.com.evil.com", False),
        ("null", False),
    ],
)
def test_only_pages_of_allowed_origins_get_in(origin: str, allowed: bool):
    section = {"public": True, "allowed_origins": ["shop.example.com", "localhost:3000"]}
    agent = AgentConfig.model_validate({"agent_id": "a", "name": "A", "access": section})

    assert origin_allowed(origin, agent, host="agents.example.com") is allowed
    own = "https://agents.example.com"
    assert origin_allowed(own, agent, host="inside:8080", public_url=f"{own}/")


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        # A name that its owner lets point to this server is in both headers.
        ("http://rebound.example", "rebound.example", False),
        ("http://rebound.example:8080", "rebound.example:8080", False),
        ("http://localhost.rebound.example", "localhost.rebound.example", False),
        ("http://127.0.0.1.rebound.example", "127.0.0.1.rebound.example", False),
        # Addresses, and localhost, lead where they say.
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://localhost:8080", "localhost:8080", True),
        ("http://10.1.2.3", "10.1.2.3", True),
        ("http://10.1.2.3", "10.1.2.3:80", True),
        ("http://10.1.2.3:81", "10.1.2.3", False),
        ("http://localhost:8081", "localhost:8080", False),
        # User names, and what is no origin.
        ("http://shop.example.com@evil.example", "a", False),
        ("http://shop.example.com:80@evil.example", "a", False),
        ("http://evil.example@shop.example.com", "a", False),
        ("http://shop.example.com#.evil.example", "a", False),
        ("http://shop.example.com\\.evil.example", "a", False),
        ("http://shop.example.com .evil.example", "a", False),
        ("http://[::1", "[::1", False),
        ("http://", "", False),
        ("", "", False),
        ("null", "null", False),
        ("http://shop.example.com:99999999", "a", False),
        ("HTTPS://SHOP.example.com", "a", True),
        # Anybody may give the page of an extension or of an app any host.
        ("chrome-extension://shop.example.com", "a", False),
        ("moz-extension://shop.example.com", "a", False),
        ("capacitor://shop.example.com", "a", False),
        ("file://shop.example.com", "a", False),
        ("ws://shop.example.com", "a", False),
        ("chrome-extension://localhost", "localhost", False),
        ("capacitor://localhost", "localhost", False),
        ("ionic://localhost:8080", "localhost:8080", False),
        ("app://127.0.0.1", "127.0.0.1", False),
    ],
)
def test_a_page_is_not_let_in_by_a_name_that_it_chose(origin: str, host: str, allowed: bool):
    section = {"public": True, "allowed_origins": ["shop.example.com"]}
    agent = AgentConfig.model_validate({"agent_id": "a", "name": "A", "access": section})

    assert origin_allowed(origin, agent, host=host) is allowed


@pytest.mark.parametrize(
    ("allowed", "origin", "gets_in"),
    [
        ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh", True),
        ("chrome-extension://abcdefgh", "https://abcdefgh", False),
        ("capacitor://localhost", "capacitor://localhost", True),
        ("https://shop.example.com", "https://shop.example.com:8443", True),
        ("https://shop.example.com", "http://shop.example.com", False),
        ("https://shop.example.com/", "https://shop.example.com", True),
        ("http://localhost:3000", "http://localhost:3000", True),
    ],
)
def test_an_allowed_origin_with_a_scheme_stands_for_it_alone(
    allowed: str, origin: str, gets_in: bool
):
    access = PRIVATE.access.model_copy(update={"allowed_origins": (allowed,)})
    agent = PRIVATE.model_copy(update={"access": access})
    assert origin_allowed(origin, agent, host="agents.example.com") is gets_in


@pytest.mark.hostile
def test_private_and_broken_agents_look_to_strangers_as_if_they_were_missing(tmp_path: Path):
    access = PRIVATE.access.model_copy(update={"allowed_origins": ("shop.example",)})
    private = PRIVATE.model_copy(update={"access": access})
    told: dict[str, list[Any]] = {"private": [], "missing": [], "broken": []}
    limits = ServerLimits(starts_per_minute=6_000)
    with serving(tmp_path, SUPPORT, private, limits=limits) as served:
        served.context.agents = ScriptedAgents((SUPPORT, private), ScriptedChatModel(), ("broken",))
        strange, read = f"vv_000000000000_{'0' * 48}", served.key("read")
        elsewhere = served.signed_url(SUPPORT.agent_id).partition("_signature=")[2]
        bearers = ("junk", "vv_", "vv_a_b", strange, read, elsewhere, elsewhere[:-2])
        offers = (
            *((each,) for each in bearers),
            ("junk", read),
            (strange, "junk"),
            (read, strange),
        )
        for agent_id, seen in told.items():
            for headers in ({}, {"Origin": "https://evil.example"}, {"xi-api-key": "junk"}):
                with served.dial(agent_id, init=None, headers=headers) as client:
                    seen.append(client.closed())
                for query in ({}, {"conversation_signature": "junk"}):
                    path = f"/v1/convai/agents/{agent_id}/widget"
                    answer = served.http.get(path, params=query, headers=headers)
                    seen.append((answer.status_code, answer.json()))
            for headers in ({}, {"Origin": "https://evil.example"}):
                with served.dial(
                    agent_id, init=None, headers=headers, conversation_signature="junk"
                ) as client:
                    seen.append(client.closed())
            for offered in offers:
                asked = ["convai", *(f"bearer.{each}" for each in offered)]
                with served.dial(agent_id, init=None, subprotocols=asked) as client:
                    seen.append(client.closed())
            for word in bearers:
                with served.dial(agent_id, init=None, token=word) as client:
                    seen.append(client.closed())
                with served.dial(agent_id, init=None, conversation_signature=word) as client:
                    seen.append(client.closed())
                headers = {"Authorization": f"Bearer {word}"}
                with served.dial(agent_id, init=None, headers=headers) as client:
                    seen.append(client.closed())
                assert seen[-1][0] == 1008
            for page in ("talk", "embed"):
                answer = served.http.get(f"/{page}/{agent_id}")
                seen.append((answer.status_code, answer.text.replace(agent_id, "ID")))
            seen.append(served.http.get(f"/widget/{agent_id}").json())
            path = f"/v1/convai/conversation/get-signed-url?agent_id={agent_id}"
            seen.append(served.http.get(path).status_code)

    assert told["private"] == told["missing"] == told["broken"]


def test_who_may_talk_to_an_agent_is_told_that_its_file_cannot_be_used(tmp_path: Path):
    broken = PRIVATE.model_copy(update={"agent_id": "broken"})
    with serving(tmp_path, broken) as served:
        url = served.signed_url("broken")
        served.context.agents = ScriptedAgents((), ScriptedChatModel(), ("broken",))
        with served.dial("broken", headers={"xi-api-key": served.key("converse")}) as client:
            by_key = client.closed()
        with served.dial(url=url) as client:
            by_signature = client.closed()
        offered = ["convai", f"bearer.{served.key('converse')}"]
        with served.dial("broken", subprotocols=offered) as client:
            by_authorization = client.closed()
        with served.dial("broken", headers={"xi-api-key": served.key("read")}) as client:
            by_other_key = client.closed()

    assert by_key == by_signature == by_authorization
    assert by_key[0] == 1002
    assert by_other_key[0] == 1008


def test_a_forbidden_origin_is_refused_with_a_reason_and_a_program_is_not(tmp_path: Path):
    section = SUPPORT.access.model_copy(update={"allowed_origins": ("shop.example.com",)})
    fenced = SUPPORT.model_copy(update={"access": section})
    with serving(tmp_path, fenced) as served:
        with served.dial(headers={"Origin": "https://evil.example.com"}) as client:
            closed = client.closed()
        with served.dial() as program:
            program.opened()

    assert closed == (1008, "This agent may not be used from pages of this origin.")


def test_neither_words_nor_secrets_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # as `vivavoce serve` does
    model = ScriptedChatModel(always="Her password is swordfish.")
    with serving(tmp_path, PRIVATE, model=model) as served:
        key = served.key("converse")
        url = sign(served, key).json()["signed_url"]
        signature = url.partition("conversation_signature=")[2]
        with served.dial(url=url) as client:
            conversation_id = client.opened()
            client.say("My name is Rumpelstiltskin.")
            client.answer()
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")

    ours = [record for record in caplog.records if record.name.startswith(("conv", "uvicorn"))]
    logged = "\n".join(record.getMessage() for record in ours)
    assert conversation_id in logged
    for secret in (key, key.rpartition("_")[2], signature, "Rumpelstiltskin", "swordfish"):
        assert secret not in logged
