"""When webhooks are tried again, given up and switched off, and how they are signed. Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from conversation.server.webhooks.deliveries import AttemptOutcome

SIGNATURE_HEADER = "ElevenLabs-Signature"
"""The name that the published SDKs verify."""
FAILURES_THAT_DISABLE = 10
"""In a row, and no success for `QUIET_DAYS`."""
QUIET_DAYS = 7


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how long to wait."""

    most_attempts: int = 12
    first_wait_s: float = 5.0
    longest_wait_s: float = 3_600.0

    def wait_s(self, failures: int, *, jitter: float) -> float:
        """How long to wait after so many failures, at least 1; doubles each time.

        Args:
            failures: Of this delivery so far.
            jitter: From 0 to 1; spreads what failed together over half of the wait.
        """
        wait = min(self.longest_wait_s, self.first_wait_s * 2 ** min(failures - 1, 40))
        return wait * (1 + jitter / 2)


def signature_header(body: bytes, *, secret: str, now_s: int) -> str:
    """What `SIGNATURE_HEADER` holds: the time, and the HMAC-SHA256 of time and body."""
    message = f"{now_s}.".encode() + body
    digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return f"t={now_s},v0={digest}"


def after_attempt(
    *,
    status_code: int | None,
    error: str | None,
    attempts: int,
    retries: Retries,
    may_retry: bool,
    now: datetime,
    jitter: float,
) -> AttemptOutcome:
    """What becomes of a delivery that was just tried.

    Args:
        status_code: That the receiver answered; None when it did not.
        error: Why there was no answer.
        attempts: Before this one.
        retries: How often.
        may_retry: Whether the webhook wants that.
        now: The time.
        jitter: From 0 to 1.
    """
    if status_code is not None and 200 <= status_code < 300:
        return AttemptOutcome("delivered", status_code=status_code)
    reason = error or f"answered {status_code}"
    if not may_retry or attempts + 1 >= retries.most_attempts:
        return AttemptOutcome("dead", error=reason, status_code=status_code)
    wait = timedelta(seconds=retries.wait_s(attempts + 1, jitter=jitter))
    return AttemptOutcome("waiting", now + wait, reason, status_code)


def after_outcome(
    webhook: Mapping[str, Any], outcome: AttemptOutcome, *, now_s: int
) -> dict[str, Any]:
    """The webhook's record after an attempt: its failures in a row, and whether it is off."""
    if outcome.state == "delivered":
        return {**webhook, "failures_in_a_row": 0, "last_success_unix": now_s}
    failures = int(webhook.get("failures_in_a_row", 0)) + 1
    last_success: int | None = webhook.get("last_success_unix")
    is_quiet = last_success is None or now_s - last_success > QUIET_DAYS * 86_400
    return {
        **webhook,
        "failures_in_a_row": failures,
        "is_auto_disabled": bool(webhook.get("is_auto_disabled"))
        or (failures >= FAILURES_THAT_DISABLE and is_quiet),
        "most_recent_failure_error_code": outcome.status_code,
        "most_recent_failure_timestamp": now_s,
    }
