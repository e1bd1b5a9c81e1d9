"""Webhooks on a real server with a real receiver, which verifies as the published client does."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conversation.server.context import ServerContext
from conversation.server.keys.stored_secrets import StoredSecrets
from conversation.server.webhooks.deliveries import WebhookDeliveries
from conversation.server.webhooks.rules import Retries
from conversation.server.webhooks.sender import EVENT, LEASE, Sending, WebhookSender
from conversation.server.webhooks.workspace import PostCallWebhook, add_webhook, change_settings
from conversation.store.store import ConversationStore
from tests.conversation.server.conversations.test_routes import ScriptedAfterCalls
from tests.conversation.server.receiver import Receiver, receiving
from tests.conversation.server.served import (
    SUPPORT,
    Clock,
    ScriptedAgents,
    Served,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel

WEBHOOKS = "/v1/workspace/webhooks"
SETTINGS = "/v1/convai/settings"


@contextmanager
def sending(
    folder: Path,
    receiver: Receiver,
    *,
    timeout_s: float = 60,
    networks: tuple[str, ...] = ("127.0.0.0/8",),
    **webhook: Any,
) -> Generator[tuple[ServerContext, WebhookSender, Clock]]:
    """A sender that sends when it is told to, and a webhook at `receiver`."""
    clock = Clock()
    with ConversationStore.open(f"sqlite:///{folder / 'store.sqlite'}") as store:
        context = ServerContext(
            agents=ScriptedAgents([SUPPORT], ScriptedChatModel()),
            store=store,
            clock=clock,
            stored_secrets=StoredSecrets(folder / "secrets.json"),
            webhook_networks=networks,
        )
        body = {"name": "Desk", "webhook_url": receiver.url, **webhook}
        webhook_id, _ = add_webhook(context, body, {})
        post_call = PostCallWebhook(post_call_webhook_id=webhook_id)
        change_settings(context.records, post_call, now=clock())
        retries = Sending(timeout_s=timeout_s, workers=2, retries=Retries(most_attempts=3))
        yield context, WebhookSender(context, retries, jitter=lambda: 0.0), clock


def ended(context: ServerContext, conversation_id: str) -> str:
    now = context.clock()
    context.store.begin(conversation_id, agent_id="support", started_at=now)
    context.store.end(conversation_id, reason="user_ended", at=now)
    return conversation_id


def states(context: ServerContext) -> list[tuple[str, int]]:
    return [
        (each.state, each.attempts) for each in WebhookDeliveries(context.store.engine).listed()
    ]


def verified(body: str, headers: dict[str, str], secret: str) -> Any:
    """As the published client does it, which raises for anything that is not ours."""
    from elevenlabs import ElevenLabs

    header = headers["elevenlabs-signature"]
    return ElevenLabs(api_key="x").webhooks.construct_event(body, header, secret)


def set_up(served: Served, receiver: Receiver, **settings: Any) -> tuple[str, str]:
    """A webhook that is told of every conversation. Returns its id and its secret."""
    headers = {"xi-api-key": served.key("admin")}
    given = {"settings": {"auth_type": "hmac", "name": "Desk", "webhook_url": receiver.url}}
    given["settings"] |= settings
    made = served.http.post(WEBHOOKS, json=given, headers=headers).json()
    changed = served.http.patch(
        SETTINGS,
        json={"webhooks": {"post_call_webhook_id": made["webhook_id"], "events": ["transcript"]}},
        headers=headers,
    )
    assert changed.status_code == 200, changed.text
    return made["webhook_id"], made["webhook_secret"]


def talk(served: Served) -> str:
    with served.dial() as client:
        conversation_id = client.opened()
        client.say("How long do refunds take?")
        client.answer()
    return conversation_id


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_receiver_is_told_of_a_conversation_and_can_verify_it(tmp_path: Path):
    model = ScriptedChatModel(always="Cinq jours déjà.")
    with receiving() as receiver, serving(tmp_path, model=model) as served:
        _, secret = set_up(served, receiver, request_headers={"Authorization": "Bearer t0ken"})
        conversation_id = talk(served)
        body, headers = receiver.next()
        event = verified(body, headers, secret)
        shown = served.http.get(
            f"/v1/convai/conversations/{conversation_id}",
            headers={"xi-api-key": served.key("read")},
        ).json()
        from elevenlabs.errors import BadRequestError

        with pytest.raises(BadRequestError):
            verified(body.replace("Cinq", "Six"), headers, secret)
        with pytest.raises(BadRequestError):
            verified(body, headers, "wsec_other")

    assert event["type"] == "post_call_transcription"
    assert abs(event["event_timestamp"] - datetime.now(UTC).timestamp()) < 60
    assert event["data"] == shown
    assert event["data"]["transcript"][-1]["message"] == "Cinq jours déjà."
    assert headers["authorization"] == "Bearer t0ken"
    assert headers["content-type"] == "application/json"


def test_a_failure_is_tried_again_later_and_once_only(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, clock):
        receiver.codes = [500]
        ended(context, "conv_a")
        counts = [sender.send_due(), sender.send_due()]
        clock.ahead = timedelta(seconds=6)
        counts += [sender.send_due(), sender.send_due()]

        assert counts == [1, 0, 1, 0]
        assert states(context) == [("delivered", 2)]
        assert receiver.got.qsize() == 2


def test_what_always_fails_is_given_up_and_can_be_revived(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, clock):
        receiver.codes = [500, 404, 503]
        ended(context, "conv_a")
        for _ in range(5):
            sender.send_due()
            clock.ahead += timedelta(hours=1)
        queue = WebhookDeliveries(context.store.engine)
        (dead,) = queue.listed(state="dead")

        assert (dead.attempts, dead.status_code, dead.error) == (3, 503, "answered 503")
        assert queue.revive(dead.webhook_id, now=clock()) == 1
        sender.send_due()
        assert states(context) == [("delivered", 1)]


def test_a_redirect_is_not_followed(tmp_path: Path):
    with (
        receiving() as elsewhere,
        receiving() as receiver,
        sending(tmp_path, receiver) as (context, sender, _),
    ):
        receiver.codes, receiver.location = [307], elsewhere.url
        ended(context, "conv_a")
        sender.send_due()

        assert elsewhere.got.empty()
        assert states(context) == [("waiting", 1)]


def test_without_retries_one_failure_is_the_end(tmp_path: Path):
    with (
        receiving() as receiver,
        sending(tmp_path, receiver, retry_enabled=False) as (context, sender, _),
    ):
        receiver.codes = [500]
        ended(context, "conv_a")
        sender.send_due()

        assert states(context) == [("dead", 1)]


def test_a_receiver_that_is_away_or_slow_is_a_failure(tmp_path: Path):
    with receiving() as receiver:
        gone = receiver.url
    with receiving() as slow, sending(tmp_path, slow, timeout_s=0.5) as (context, sender, clock):
        slow.wait_s = 1.5
        ended(context, "conv_a")
        sender.send_due()
        queue = WebhookDeliveries(context.store.engine)
        assert [each.error for each in queue.listed()] == ["ReadTimeout"]

        clock.ahead = timedelta(minutes=1)
        (record,) = context.records.all("webhook")
        moved = {**record.body, "webhook_url": gone}
        context.records.put("webhook", record.record_id, moved, now=clock())
        sender.send_due()
        assert [each.error for each in queue.listed()] == ["ConnectError"]


@pytest.mark.hostile
@pytest.mark.parametrize(
    "url",
    [
        None,
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://169.254.169.254/latest",
        "http://0x7f.1:1/",
        "http://192.0.0.192/",
        "http://[::ffff:127.0.0.1]:1/",
    ],
)
def test_a_receiver_on_a_private_network_needs_the_operators_leave(tmp_path: Path, url: str | None):
    with (
        receiving() as receiver,
        sending(tmp_path, receiver, networks=("10.0.0.0/8",)) as (context, sender, clock),
    ):
        (record,) = context.records.all("webhook")
        asked = {**record.body, "webhook_url": url or receiver.url}
        context.records.put("webhook", record.record_id, asked, now=clock())
        ended(context, "conv_a")
        sender.send_due()

        assert receiver.got.empty()
        queue = WebhookDeliveries(context.store.engine)
        assert [each.error for each in queue.listed()] == ["blocked_address"]


@pytest.mark.hostile
@pytest.mark.parametrize(
    "url",
    [
        "https://user@desk.example.com/",
        "https://:p@desk.example.com/",
        "https://u:p@desk.example.com/",
        "https://@desk.example.com/",
        "https://desk.example.com:99999/",
        "https://desk.example.com:0/",
        "https://desk.example.com/a\r\nX: y",
        "https://desk.example.com/a\nb",
        "https://desk.example.com/ b",
        "https://desk.example.com\\@evil.example/",
        "https://",
        "ftp://desk.example.com/",
        "https://[::1",
        "https://desk..example.com/",
        "\ud800",
        "https://desk.example.com/\x00",
        "http:desk.example.com",
    ],
)
def test_an_address_that_can_be_read_two_ways_is_refused(tmp_path: Path, url: str):
    with serving(tmp_path) as served:
        answer = served.http.post(
            WEBHOOKS,
            content=json.dumps({"settings": {"name": "Desk", "webhook_url": url}}),
            headers={"xi-api-key": served.key("admin"), "content-type": "application/json"},
        )
        assert answer.status_code == 422, answer.text
        assert served.context.records.all("webhook") == []


def test_a_receiver_that_fails_ten_times_is_switched_off_and_on_again(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, clock):
        receiver.codes = [500] * 10
        for number in range(10):
            ended(context, f"conv_{number}")
        sender.send_due()
        (record,) = context.records.all("webhook")
        assert record.body["is_auto_disabled"]
        clock.ahead = timedelta(minutes=10)
        assert sender.send_due() == 0

        on = {**record.body, "is_auto_disabled": False}
        context.records.put("webhook", record.record_id, on, now=clock())
        assert sender.send_due() == 10
        assert states(context) == [("delivered", 2)] * 10


def test_only_what_ends_from_then_on_is_told(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, clock):
        at = clock() - timedelta(hours=1)
        context.store.begin("conv_before", agent_id="support", started_at=at)
        context.store.end("conv_before", reason="user_ended", at=at)
        now = clock()
        context.store.begin("conv_played", agent_id="support", started_at=now, simulated=True)
        context.store.end("conv_played", reason="user_ended", at=now)
        context.store.begin("conv_open", agent_id="support", started_at=now)
        ended(context, "conv_after")
        sender.send_due()

        assert json.loads(receiver.next()[0])["data"]["conversation_id"] == "conv_after"
        assert states(context) == [("delivered", 1)]


def test_two_servers_on_one_store_tell_once(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, _):
        other = WebhookSender(context)
        for number in range(5):
            ended(context, f"conv_{number}")
        counts = sender.send_due() + other.send_due()

        assert counts == 5
        assert receiver.got.qsize() == 5


def test_a_server_that_dies_while_telling_leaves_it_to_the_others(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, clock):
        ended(context, "conv_a")
        queue = WebhookDeliveries(context.store.engine)
        (record,) = context.records.all("webhook")
        queue.add(record.record_id, "conv_a", event=EVENT, now=clock())
        assert queue.take([record.record_id], now=clock(), lease=LEASE) is not None
        assert sender.send_due() == 0
        clock.ahead = LEASE
        assert sender.send_due() == 1


def test_the_analysis_is_made_before_it_is_told(tmp_path: Path):
    class Judges(ScriptedAfterCalls):
        def analyses(self, conversation_ids: Any, **given: Any) -> Any:
            return super().analyses([each for each in conversation_ids if each in self.judged])

        def wants_analysis(self, agent_id: str) -> bool:
            return True

    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, _):
        judges = context.after_calls = Judges(context.store)
        ended(context, "conv_0000")
        sender.send_due()
        told = json.loads(receiver.next()[0])["data"]
        judges.error = RuntimeError("the judge broke")
        ended(context, "conv_0001")
        sender.send_due()
        without = json.loads(receiver.next()[0])["data"]

    assert told["analysis"]["call_successful"] == "success"
    assert without["analysis"] is None


def test_a_conversation_that_was_deleted_is_not_told(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, clock):
        receiver.codes = [500]
        ended(context, "conv_a")
        sender.send_due()
        context.store.delete("conv_a")
        clock.ahead = timedelta(hours=1)

        assert sender.send_due() == 0
        assert states(context) == []


def test_turns_are_left_out_when_asked(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, clock):
        (record,) = context.records.all("webhook")
        settings = PostCallWebhook(post_call_webhook_id=record.record_id, exclude_transcript=True)
        change_settings(context.records, settings, now=clock())
        now = clock()
        context.store.begin("conv_a", agent_id="support", started_at=now)
        context.store.end("conv_a", reason="user_ended", at=now)
        sender.send_due()

        assert json.loads(receiver.next()[0])["data"]["transcript"] == []


CHILD = """
import sys
from pathlib import Path
from conversation.server.app import make_app
from conversation.server.context import ServerContext
from conversation.server.serving import make_server
from conversation.server.keys.stored_secrets import StoredSecrets
from conversation.store.store import ConversationStore
from tests.conversation.server.served import SUPPORT, ScriptedAgents
from tests.fakes import ScriptedChatModel

folder = Path(sys.argv[1])
model = ScriptedChatModel(always="Five days, as a rule.")
with ConversationStore.open(f"sqlite:///{folder / 'store.sqlite'}") as store:
    context = ServerContext(
        agents=ScriptedAgents([SUPPORT], model),
        store=store,
        stored_secrets=StoredSecrets(folder / "secrets.json"),
        webhook_networks=("127.0.0.0/8",),
    )
    server = make_server(make_app(context), context, host="127.0.0.1", port=0)
    server.when_listening(lambda address: print(address, flush=True))
    server.run()
"""


@contextmanager
def child_server(folder: Path) -> Generator[tuple["subprocess.Popen[str]", int]]:
    command = [sys.executable, "-c", CHILD, str(folder)]
    root = Path(__file__).resolve().parents[4]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_server_killed_between_the_end_of_a_call_and_its_delivery_loses_none(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with receiving() as receiver, ConversationStore.open(url) as store:
        with child_server(tmp_path) as (process, port):
            context = ServerContext(agents=None, store=store)  # pyright: ignore[reportArgumentType]
            served = Served(context, port, Clock())
            with served.http:
                _, secret = set_up(served, receiver)
                # The receiver is in trouble, so that nothing is delivered before the kill.
                receiver.codes = [503]
                conversation_id = talk(served)
                wait_until(lambda: store.transcript(conversation_id).status == "done")
                process.send_signal(signal.SIGKILL)
                process.wait()
        early = receiver.got.qsize()
        with child_server(tmp_path):
            for _ in range(early):
                receiver.next()
            receiver.codes = []
            body, headers = receiver.next(timeout_s=30)
            event = verified(body, headers, secret)

    assert event["data"]["conversation_id"] == conversation_id
    assert event["data"]["transcript"][-1]["message"] == "Five days, as a rule."


def test_webhooks_are_listed_changed_and_deleted_without_their_secrets(tmp_path: Path):
    with receiving() as receiver, serving(tmp_path) as served:
        webhook_id, secret = set_up(served, receiver, request_headers={"X-Token": "s3cret-token"})
        admin = {"xi-api-key": served.key("admin")}
        path = f"{WEBHOOKS}/{webhook_id}"
        listed = served.http.get(WEBHOOKS, params={"include_usages": True}, headers=admin)
        off = {"is_disabled": True, "name": "Help desk", "retry_enabled": False}
        served.http.patch(path, json=off, headers=admin)
        changed = served.http.get(WEBHOOKS, headers=admin).json()["webhooks"][0]
        gone = [served.http.delete(path, headers=admin).status_code for _ in range(2)]
        settings = served.http.get(SETTINGS, headers=admin).json()
        kept = (tmp_path / "secrets.json").read_text()

    (item,) = listed.json()["webhooks"]
    assert item["usage"] == [{"usage_type": "ConvAI Settings"}]
    assert (item["name"], item["auth_type"], item["is_auto_disabled"]) == ("Desk", "hmac", False)
    assert secret not in listed.text
    assert "s3cret-token" not in listed.text
    assert (changed["name"], changed["is_disabled"]) == ("Help desk", True)
    assert changed["usage"] is None
    assert gone == [200, 404]
    assert settings["webhooks"]["post_call_webhook_id"] is None
    assert kept == "{}"
    database = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite*"))
    assert secret.encode() not in database
    assert b"s3cret-token" not in database


@pytest.mark.parametrize(
    "settings",
    [
        {"webhook_url": "ftp://desk.example.com"},
        {"webhook_url": "https://"},
        {"webhook_url": "https://user:pass@desk.example.com"},
        {"name": ""},
        {"auth_type": "oauth2"},
        {"request_headers": {"X-Bad": "one\r\ntwo"}},
        {"request_headers": {"bad name": "x"}},
    ],
)
def test_a_webhook_that_cannot_be_is_refused(tmp_path: Path, settings: dict[str, Any]):
    given = {"name": "Desk", "webhook_url": "https://desk.example.com", **settings}
    with serving(tmp_path) as served:
        answer = served.http.post(
            WEBHOOKS, json={"settings": given}, headers={"xi-api-key": served.key("admin")}
        )

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"


@pytest.mark.hostile
def test_a_webhook_at_a_private_address_is_refused_when_it_is_made(tmp_path: Path):
    private = (
        *("http://127.0.0.1/", "http://localhost:1/", "http://LOCALHOST./", "http://a.localhost/"),
        *(
            "http://169.254.169.254/latest",
            "http://0x7f.1:1/",
            "http://2130706433/",
            "http://[::1]/",
        ),
        *(
            "http://[::ffff:10.0.0.1]/",
            "http://192.0.0.192/",
            "http://[fec0::1]/",
            "https://10.1.2.3",
        ),
        *(
            "http://[64:ff9b::7f00:1]/",
            "http://0/",
            "http://0177.0.0.1/",
            "http://\uff11\uff12\uff17.0.0.1/",
        ),
    )
    with serving(tmp_path) as served:
        admin = {"xi-api-key": served.key("admin")}
        served.context.webhook_networks = ()

        def made(url: str) -> Any:
            given = {"settings": {"name": "Desk", "webhook_url": url}}
            return served.http.post(WEBHOOKS, json=given, headers=admin)

        refused = [made(url) for url in private]
        assert [each.status_code for each in refused] == [422] * len(private)
        assert refused[0].json()["detail"]["status"] == "blocked_address"
        assert made("https://1.1.1.1/").status_code == 200
        assert made("https://desk.example.com/").status_code == 200
        served.context.webhook_networks = ("10.0.0.0/8",)
        assert made("https://10.1.2.3/").status_code == 200
        assert made("https://127.0.0.1/").status_code == 422


@pytest.mark.parametrize(
    "webhooks",
    [
        {"events": ["audio"]},
        {"events": ["unredacted_transcript"]},
        {"transcript_format": "opentelemetry"},
        {"send_audio": True},
    ],
)
def test_a_setting_that_would_have_no_effect_is_refused(tmp_path: Path, webhooks: dict[str, Any]):
    with serving(tmp_path) as served:
        admin = {"xi-api-key": served.key("admin")}
        refused = served.http.patch(SETTINGS, json={"webhooks": webhooks}, headers=admin)
        unknown = served.http.patch(
            SETTINGS, json={"webhooks": {"post_call_webhook_id": "nope"}}, headers=admin
        )

    assert (refused.status_code, unknown.status_code) == (422, 404)


def test_what_became_of_deliveries_is_listed_page_by_page(tmp_path: Path):
    with receiving() as receiver, sending(tmp_path, receiver) as (context, sender, _):
        for number in range(3):
            ended(context, f"conv_{number}")
        sender.send_due()
    with serving(tmp_path) as served:
        admin = {"xi-api-key": served.key("admin")}
        path = "/api/webhooks/deliveries"
        first = served.http.get(path, params={"page_size": 2}, headers=admin).json()
        rest = served.http.get(
            path, params={"page_size": 2, "cursor": first["next_cursor"]}, headers=admin
        ).json()
        dead = served.http.get(path, params={"state": "dead"}, headers=admin).json()
        webhook_id = first["deliveries"][0]["webhook_id"]
        revived = served.http.post(f"/api/webhooks/{webhook_id}/revive", headers=admin).json()

    ids = [each["conversation_id"] for each in first["deliveries"] + rest["deliveries"]]
    assert ids == ["conv_0", "conv_1", "conv_2"]
    assert first["deliveries"][0]["state"] == "delivered"
    assert (dead["deliveries"], revived) == ([], {"revived": 0})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", WEBHOOKS),
        ("GET", WEBHOOKS),
        ("PATCH", f"{WEBHOOKS}/x"),
        ("DELETE", f"{WEBHOOKS}/x"),
        ("GET", SETTINGS),
        ("PATCH", SETTINGS),
        ("GET", "/api/webhooks/deliveries"),
        ("POST", "/api/webhooks/x/revive"),
        ("POST", "/v1/convai/secrets"),
        ("GET", "/v1/convai/secrets"),
        ("GET", "/v1/convai/secrets/x"),
        ("PATCH", "/v1/convai/secrets/x"),
        ("DELETE", "/v1/convai/secrets/x"),
    ],
)
def test_only_administrators_may(tmp_path: Path, method: str, path: str):
    with serving(tmp_path) as served:
        scopes = served.key("read", "converse", "label", "ingest")
        without = served.http.request(method, path).status_code
        answer = served.http.request(method, path, headers={"xi-api-key": scopes})

    assert (without, answer.status_code) == (401, 403)


def test_secrets_are_written_and_never_shown(tmp_path: Path):
    path = "/v1/convai/secrets"
    with serving(tmp_path) as served:
        admin = {"xi-api-key": served.key("admin")}
        new = {"type": "new", "name": "CRM_TOKEN", "value": "t0psecret"}
        made = served.http.post(path, json=new, headers=admin)
        again = served.http.post(path, json=new, headers=admin)
        secret_id = made.json()["secret_id"]
        one = f"{path}/{secret_id}"
        served.http.post(path, json={**new, "name": "OTHER"}, headers=admin)
        first = served.http.get(path, params={"page_size": 1}, headers=admin)
        following = first.json()["next_cursor"]
        second = served.http.get(path, params={"page_size": 1, "cursor": following}, headers=admin)
        mode = stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode)
        change = {"type": "update", "name": "CRM_KEY", "value": "n3wer"}
        renamed = served.http.patch(one, json=change, headers=admin)
        stored = StoredSecrets(tmp_path / "secrets.json").values()
        shown = served.http.get(one, headers=admin)
        gone = [served.http.delete(one, headers=admin).status_code for _ in range(2)]

    assert made.json() == {"type": "stored", "secret_id": secret_id, "name": "CRM_TOKEN"}
    assert again.status_code == 400
    names = [each["name"] for page in (first, second) for each in page.json()["secrets"]]
    assert names == ["CRM_TOKEN", "OTHER"]
    assert second.json()["next_cursor"] is None
    assert mode == 0o600
    assert renamed.json()["name"] == "CRM_KEY"
    assert stored == {"name:CRM_KEY": "n3wer", "name:OTHER": "t0psecret"}
    assert shown.json()["used_by"]["agents"] == []
    for answer in (made, again, first, second, renamed, shown):
        assert "t0psecret" not in answer.text
        assert "n3wer" not in answer.text
    assert gone == [204, 404]


def test_a_secret_that_an_agent_uses_stays(tmp_path: Path):
    tool = {
        "name": "orders",
        "description": "Finds orders.",
        "webhook": {
            "url": "https://shop.example.com",
            "headers": {"authorization": "Bearer {{secret__CRM_TOKEN}}"},
        },
    }
    agent = type(SUPPORT).model_validate(
        {**SUPPORT.model_dump(exclude_defaults=True), "tools": [tool]}
    )
    with serving(tmp_path, agent) as served:
        admin = {"xi-api-key": served.key("admin")}
        new = {"name": "CRM_TOKEN", "value": "t0psecret"}
        path = "/v1/convai/secrets"
        secret_id = served.http.post(path, json=new, headers=admin).json()["secret_id"]
        refused = served.http.delete(f"{path}/{secret_id}", headers=admin)
        shown = served.http.get(f"{path}/{secret_id}", headers=admin).json()

    assert refused.status_code == 400
    assert "'support'" in refused.json()["detail"]["message"]
    assert shown["used_by"]["agents"][0]["id"] == "support"
