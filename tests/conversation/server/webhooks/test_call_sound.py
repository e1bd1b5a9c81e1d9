"""Recordings for webhooks: MP3 in base64, signed like transcripts."""

import base64
import io
import json
from collections.abc import Generator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from conversation.server.context import ServerContext, secrets_of
from conversation.server.ended.after_conversations import StoreOnly
from conversation.server.webhooks import call_sound
from conversation.server.webhooks.deliveries import WebhookDeliveries
from conversation.server.webhooks.sender import WebhookSender
from conversation.server.webhooks.workspace import (
    PostCallWebhook,
    change_settings,
    webhooks,
    workspace_settings,
)
from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.recording.call_file import USER
from conversation.voice.recording.kept_calls import KeptCalls
from conversation.voice.recording.silencing import SilentSpan
from tests.conversation.server.receiver import Receiver, receiving
from tests.conversation.server.served import Clock, serving
from tests.conversation.server.webhooks.test_routes import (
    SETTINGS,
    WEBHOOKS,
    ended,
    sending,
    states,
    verified,
)

soundfile = pytest.importorskip("soundfile")


@pytest.fixture
def sender(tmp_path: Path) -> Generator[tuple[ServerContext, WebhookSender, Clock, Receiver]]:
    with receiving() as receiver, sending(tmp_path, receiver) as (context, made, clock):
        context.recordings = KeptCalls(tmp_path / "recordings")
        want(context, PostCallWebhook(events=["audio"]))
        yield context, made, clock, receiver


def want(context: ServerContext, settings: PostCallWebhook) -> None:
    webhook_id = workspace_settings(context.records).webhooks.post_call_webhook_id
    wanted = settings.model_copy(update={"post_call_webhook_id": webhook_id})
    change_settings(context.records, wanted, now=context.clock())


def called(context: ServerContext, conversation_id: str, *, is_finished: bool = True) -> str:
    """Two seconds, of which the user speaks the first."""
    kept = context.recordings
    assert kept is not None
    ended(context, conversation_id)
    sound = kept.begin(conversation_id)
    tone = 8_000 * np.sin(np.arange(SAMPLE_RATE_HZ) * 2 * np.pi * 300 / SAMPLE_RATE_HZ)
    sound.heard(tone.astype(np.int16), 0.0)
    sound.heard(np.zeros(SAMPLE_RATE_HZ, dtype=np.int16), 1.0)
    sound.close()
    if is_finished:
        kept.finish(conversation_id)
    return conversation_id


def heard(full_audio: str) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    content = base64.b64decode(full_audio, validate=True)
    samples, rate = soundfile.read(io.BytesIO(content))
    assert rate == SAMPLE_RATE_HZ
    return samples


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_published_client_verifies_it(
    sender: tuple[ServerContext, WebhookSender, Clock, Receiver],
):
    context, sends, _, receiver = sender
    called(context, "conv_1")
    sends.send_due()
    [secret] = [each.secret for each in webhooks(context.records, secrets_of(context)).values()]

    assert verified(*receiver.next(), secret)["type"] == "post_call_audio"


def test_a_recording_is_sent_as_mp3(sender: tuple[ServerContext, WebhookSender, Clock, Receiver]):
    context, sends, _, receiver = sender
    called(context, "conv_1")
    ended(context, "conv_text")
    sends.send_due()
    body, headers = receiver.next()
    event = json.loads(body)
    sound = heard(event["data"].pop("full_audio"))

    assert headers["elevenlabs-signature"].startswith("t=")
    assert event["type"] == "post_call_audio"
    assert event["event_timestamp"] > 0
    assert event["data"] == {"agent_id": "support", "conversation_id": "conv_1"}
    assert len(sound) / SAMPLE_RATE_HZ == pytest.approx(2.0, abs=0.15)
    assert np.abs(sound[:SAMPLE_RATE_HZ, USER]).max() > 0.1
    # A conversation by text has nothing to be heard, and nobody waits for it.
    assert states(context) == [("delivered", 1)]


def test_both_are_sent_each_for_itself(
    sender: tuple[ServerContext, WebhookSender, Clock, Receiver],
):
    context, sends, _, receiver = sender
    want(context, PostCallWebhook(events=["transcript"], send_audio=True))
    called(context, "conv_1")
    sends.send_due()
    sends.send_due()
    kinds = sorted(json.loads(receiver.next()[0])["type"] for _ in range(2))

    assert kinds == ["post_call_audio", "post_call_transcription"]
    assert receiver.got.empty()


def test_what_is_still_written_is_not_sent(
    sender: tuple[ServerContext, WebhookSender, Clock, Receiver],
):
    context, sends, clock, receiver = sender
    called(context, "conv_1", is_finished=False)
    sends.send_due()
    early = receiver.got.empty()
    assert context.recordings is not None
    context.recordings.finish("conv_1")
    clock.ahead = timedelta(minutes=1)
    sends.send_due()

    assert early
    assert json.loads(receiver.next()[0])["data"]["conversation_id"] == "conv_1"


def test_what_is_masked_is_silent(sender: tuple[ServerContext, WebhookSender, Clock, Receiver]):
    class Masking(StoreOnly):
        def silent_spans(self, conversation_id: str) -> Sequence[SilentSpan]:
            return (SilentSpan(USER, 0.0, None),)

    context, sends, _, receiver = sender
    context.after_calls = Masking(context.store, context.recordings)
    called(context, "conv_1")
    sends.send_due()
    sound = heard(json.loads(receiver.next()[0])["data"]["full_audio"])

    assert np.abs(sound[:, USER]).max() < 0.01


@pytest.mark.parametrize("why", ["erased", "too long"])
def test_what_cannot_be_sent_is_given_up_with_its_reason(
    sender: tuple[ServerContext, WebhookSender, Clock, Receiver],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
):
    context, sends, clock, receiver = sender
    receiver.codes = [503]
    called(context, "conv_1")
    sends.send_due()
    receiver.next()
    if why == "erased":
        assert context.recordings is not None
        context.recordings.delete("conv_1")
    else:
        monkeypatch.setattr(call_sound, "MAX_BYTES", 1_000)
    clock.ahead = timedelta(hours=2)
    sends.send_due()
    [delivery] = WebhookDeliveries(context.store.engine).listed()
    [webhook] = webhooks(context.records, secrets_of(context)).values()

    assert delivery.state == "dead"
    assert delivery.error is not None
    assert {"erased": "no recording", "too long": "bytes"}[why] in delivery.error
    assert receiver.got.empty()
    # Only the 503 counts against the receiver.
    assert webhook.body["failures_in_a_row"] == 1


def test_settings_take_it_where_calls_are_recorded(tmp_path: Path):
    with receiving() as receiver, serving(tmp_path) as served:
        admin = {"xi-api-key": served.key("admin")}
        settings = {"auth_type": "hmac", "name": "Desk", "webhook_url": receiver.url}
        made = served.http.post(WEBHOOKS, json={"settings": settings}, headers=admin).json()
        wanted = {"post_call_webhook_id": made["webhook_id"], "events": ["transcript", "audio"]}
        refused = served.http.patch(SETTINGS, json={"webhooks": wanted}, headers=admin)
        served.context.recordings = KeptCalls(tmp_path / "recordings")
        taken = served.http.patch(SETTINGS, json={"webhooks": wanted}, headers=admin)

    assert refused.status_code == 422
    assert "keeps no recordings" in refused.text
    assert taken.status_code == 200
    assert taken.json()["webhooks"]["events"] == ["transcript", "audio"]
