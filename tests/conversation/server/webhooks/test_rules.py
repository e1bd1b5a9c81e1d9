"""When webhooks are tried again, given up and switched off, and how they are signed."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conversation.server.webhooks.deliveries import AttemptOutcome
from conversation.server.webhooks.rules import (
    FAILURES_THAT_DISABLE,
    Retries,
    after_attempt,
    after_outcome,
    signature_header,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NOON_S = int(NOON.timestamp())


def test_the_signature_is_of_time_and_body():
    by_hand = hmac.new(b"wsec_1", b'1795000000.{"a":1}', hashlib.sha256).hexdigest()

    assert signature_header(b'{"a":1}', secret="wsec_1", now_s=1_795_000_000) == (
        f"t=1795000000,v0={by_hand}"
    )


def test_waits_double_up_to_the_longest():
    retries = Retries(first_wait_s=5, longest_wait_s=60)

    assert [retries.wait_s(n, jitter=0) for n in range(1, 7)] == [5, 10, 20, 40, 60, 60]
    assert retries.wait_s(1, jitter=1) == 7.5
    assert retries.wait_s(10_000, jitter=0) == 60


def outcome(**changes: Any) -> AttemptOutcome:
    given: dict[str, Any] = {
        "status_code": 500,
        "error": None,
        "attempts": 0,
        "retries": Retries(most_attempts=3, first_wait_s=5),
        "may_retry": True,
        "now": NOON,
        "jitter": 0.0,
    }
    return after_attempt(**{**given, **changes})


@pytest.mark.parametrize("code", [200, 204])
def test_a_receiver_that_thanks_is_done(code: int):
    assert outcome(status_code=code) == AttemptOutcome("delivered", status_code=code)


def test_failures_are_tried_again_and_given_up():
    assert outcome() == AttemptOutcome("waiting", NOON + timedelta(seconds=5), "answered 500", 500)
    assert outcome(status_code=None, error="ConnectError").error == "ConnectError"
    # A redirect is not followed: it would carry what was said to somewhere else.
    assert outcome(status_code=302).state == "waiting"
    assert outcome(attempts=1).next_attempt_at == NOON + timedelta(seconds=10)
    assert outcome(attempts=2).state == "dead"
    assert outcome(may_retry=False).state == "dead"


def failed(webhook: dict[str, Any], times: int) -> dict[str, Any]:
    for _ in range(times):
        webhook = after_outcome(webhook, AttemptOutcome("waiting", NOON, "", 503), now_s=NOON_S)
    return webhook


def test_a_receiver_that_always_fails_is_switched_off():
    almost = failed({}, FAILURES_THAT_DISABLE - 1)

    assert not almost["is_auto_disabled"]
    assert failed(almost, 1)["is_auto_disabled"]
    assert failed(almost, 1)["most_recent_failure_error_code"] == 503


def test_a_receiver_that_worked_this_week_stays_on():
    lately = {"last_success_unix": NOON_S - 86_400}
    long_ago = {"last_success_unix": NOON_S - 8 * 86_400}

    assert not failed(lately, 30)["is_auto_disabled"]
    assert failed(long_ago, FAILURES_THAT_DISABLE)["is_auto_disabled"]


def test_a_success_ends_a_row_of_failures():
    thanked = after_outcome(failed({}, 9), AttemptOutcome("delivered"), now_s=NOON_S)

    assert thanked["failures_in_a_row"] == 0
    assert not failed(thanked, 5)["is_auto_disabled"]
