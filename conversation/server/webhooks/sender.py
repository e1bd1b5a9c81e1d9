"""Tells webhooks of conversations that ended, on threads of its own."""

import json
import logging
import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from conversation.errors import UnknownConversationError
from conversation.server.context import ServerContext, secrets_of
from conversation.server.conversations.detail import conversation_detail
from conversation.server.webhooks.call_sound import NoSoundError, has_sound, sound_data
from conversation.server.webhooks.deliveries import (
    AttemptOutcome,
    Delivery,
    WebhookDeliveries,
    WebhookEvent,
)
from conversation.server.webhooks.rules import (
    SIGNATURE_HEADER,
    Retries,
    after_attempt,
    after_outcome,
    signature_header,
)
from conversation.server.webhooks.workspace import (
    WorkspaceWebhook,
    webhooks,
    workspace_settings,
)
from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.web.guarded import send_guarded

_log = logging.getLogger(__name__)

EVENT: WebhookEvent = "post_call_transcription"
SOUND: WebhookEvent = "post_call_audio"
LEASE = timedelta(minutes=1)
"""A server that takes a delivery and dies keeps it from the others for so long."""
OVERLAP = timedelta(minutes=10)
"""Looked at again: what another process was still writing when this one looked."""
USER_AGENT = "vivavoce-webhooks"


@dataclass(frozen=True, slots=True)
class Sending:
    """How webhooks are told."""

    every_s: float = 1.0
    """How often the store is asked for what is due."""
    timeout_s: float = 10.0
    """How long a receiver may take for each step of an answer."""
    sound_timeout_s: float = 60.0
    """The same for one that is sent a recording."""
    workers: int = 4
    """Receivers that are told at the same time; one that is slow holds up one of them."""
    retries: Retries = field(default_factory=Retries)


class WebhookSender:
    """Queues what ended, and sends what is due. One for each server; several may share a store."""

    def __init__(
        self,
        context: ServerContext,
        sending: Sending | None = None,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Send for `context`; nothing happens before `start`."""
        self._context = context
        self._sending = sending or Sending()
        self._jitter = jitter
        self._queue = WebhookDeliveries(context.store.engine)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._looked_at: tuple[str, datetime] | None = None

    def start(self) -> None:
        """Begin, on a thread."""
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being sent; the rest waits in the store."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=self._sending.timeout_s * 2)

    def send_due(self) -> int:
        """Queue what ended, and try everything that is due. Returns the number of attempts."""
        self._queue_ended()
        with ThreadPoolExecutor(self._sending.workers) as pool:
            first = self._take()
            if first is None:
                return 0
            done = [pool.submit(self._drain, first)]
            done += [pool.submit(self._drain, None) for _ in range(self._sending.workers - 1)]
            return sum(each.result() for each in done)

    def _run(self) -> None:
        while not self._stopping.wait(self._sending.every_s):
            try:
                self.send_due()
            except Exception as error:
                # Its message may quote what was said; the next round tries again.
                _log.error("webhooks could not be told: %s", type(error).__name__)

    def _queue_ended(self) -> None:
        settings = workspace_settings(self._context.records)
        webhook_id = settings.webhooks.post_call_webhook_id
        told = settings.webhooks.told
        if webhook_id is None or settings.tells_since is None or not told:
            return
        now = self._context.clock()
        since = settings.tells_since
        if self._looked_at is not None and self._looked_at[0] == webhook_id:
            since = max(since, self._looked_at[1] - OVERLAP)
        for event in told:
            for conversation_id in self._queue.unqueued(webhook_id, event=event, since=since):
                if self._stopping.is_set():
                    return
                if self._is_to_tell(conversation_id, event):
                    self._queue.add(webhook_id, conversation_id, event=event, now=now)
        self._looked_at = (webhook_id, now)

    def _is_to_tell(self, conversation_id: str, event: WebhookEvent) -> bool:
        if event == SOUND:
            return has_sound(self._context, conversation_id)
        self._judge(conversation_id)
        return True

    def _judge(self, conversation_id: str) -> None:
        """Receivers expect the analysis; one that fails is left out, and the rest is sent."""
        calls = self._context.calls
        try:
            agent_id = self._context.store.transcript(conversation_id).agent_id
            if calls.wants_analysis(agent_id) and not calls.analyses([conversation_id]):
                calls.analyse(conversation_id)
        except Exception as error:
            # One conversation that cannot be judged must not keep the others from being told.
            _log.warning(
                "conversation %s is told without its analysis: %s",
                conversation_id,
                type(error).__name__,
            )

    def _take(self) -> Delivery | None:
        known = webhooks(self._context.records, secrets_of(self._context))
        wanted = [webhook_id for webhook_id, webhook in known.items() if webhook.is_on]
        if not wanted:
            return None
        return self._queue.take(wanted, now=self._context.clock(), lease=LEASE)

    def _drain(self, first: Delivery | None) -> int:
        count = 0
        delivery = first or self._take()
        while delivery is not None:
            self._deliver(delivery)
            count += 1
            delivery = None if self._stopping.is_set() else self._take()
        return count

    def _deliver(self, delivery: Delivery) -> None:
        known = webhooks(self._context.records, secrets_of(self._context))
        webhook = known.get(delivery.webhook_id)
        if webhook is None:
            return
        try:
            outcome = self._attempt(delivery, webhook)
        except UnknownConversationError:
            # Deleted since it was taken, and its delivery with it.
            return
        except NoSoundError as error:
            # No fault of the receiver.
            outcome = AttemptOutcome("dead", error=str(error))
            self._queue.finish(delivery, outcome, now=self._context.clock())
            return
        now = self._context.clock()
        self._queue.finish(delivery, outcome, now=now)

        def noted(found: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
            return (
                None if found is None else after_outcome(found, outcome, now_s=int(now.timestamp()))
            )

        self._context.records.change("webhook", delivery.webhook_id, noted, now=now)
        _log.info(
            "webhook %s, conversation %s: %s, attempt %d%s",
            delivery.webhook_id,
            delivery.conversation_id,
            outcome.state,
            delivery.attempts + 1,
            f", {outcome.error}" if outcome.error else "",
        )

    def _attempt(self, delivery: Delivery, webhook: WorkspaceWebhook) -> AttemptOutcome:
        body = self._body(delivery)
        is_sound = delivery.event == SOUND
        timeout_s = self._sending.sound_timeout_s if is_sound else self._sending.timeout_s
        status_code, error = self._post(webhook, body, timeout_s=timeout_s)
        return after_attempt(
            status_code=status_code,
            error=error,
            attempts=delivery.attempts,
            retries=self._sending.retries,
            may_retry=webhook.body.get("retry_enabled") is not False,
            now=self._context.clock(),
            jitter=self._jitter(),
        )

    def _body(self, delivery: Delivery) -> bytes:
        content = {
            "type": delivery.event,
            "event_timestamp": int(self._context.clock().timestamp()),
            "data": self._data(delivery),
        }
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    def _data(self, delivery: Delivery) -> dict[str, Any]:
        if delivery.event == SOUND:
            return sound_data(self._context, delivery.conversation_id)
        data = conversation_detail(self._context, delivery.conversation_id).model_dump(mode="json")
        if workspace_settings(self._context.records).webhooks.exclude_transcript:
            data["transcript"] = []
        return data

    def _post(
        self, webhook: WorkspaceWebhook, body: bytes, *, timeout_s: float
    ) -> tuple[int | None, str | None]:
        """The status that the receiver answered, or why there is none."""
        now_s = int(self._context.clock().timestamp())
        headers = {
            **webhook.headers,
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            SIGNATURE_HEADER: signature_header(body, secret=webhook.secret, now_s=now_s),
        }
        config = LinkConfig(
            allowed_cidrs=self._context.webhook_networks,
            total_timeout_s=timeout_s,
            connect_timeout_s=timeout_s,
            user_agent=USER_AGENT,
        )
        try:
            # What it answers besides its status is of no use, and may be endless.
            reply = send_guarded(
                "POST",
                webhook.url,
                headers=headers,
                content=body,
                config=config,
                reads=lambda _status: False,
            )
        except DocumentError as error:
            return None, _why(error)
        return reply.status, None


def _why(error: DocumentError) -> str:
    """What was in the way: the failure of the connection, or the rule that forbids the address."""
    return error.reason if error.__cause__ is None else type(error.__cause__).__name__
