import pytest

from conversation.server.errors import RefusedError
from conversation.server.limits import MAX_REMEMBERED, Bucket, Gate, Rates, ServerLimits


def test_a_bucket_gives_a_burst_and_then_its_rate():
    bucket = Bucket(rate_per_s=2.0, burst=3.0)

    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s() == pytest.approx(0.5)
    assert bucket.take(0.5)
    assert not bucket.take(0.6)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_each_client_has_a_rate_of_its_own():
    rates = Rates(per_minute=6)

    assert rates.wait_s("a", now_s=0.0) is None
    assert rates.wait_s("a", now_s=0.0) == pytest.approx(10.0)
    assert rates.wait_s("b", now_s=0.0) is None
    assert rates.wait_s("a", now_s=10.0) is None


def test_clients_at_rest_are_forgotten_and_busy_ones_are_not():
    rates = Rates(per_minute=6)
    for number in range(MAX_REMEMBERED):
        rates.wait_s(number, now_s=0.0)
    rates.wait_s("busy", now_s=100.0)
    rates.wait_s("new", now_s=100.0)

    assert rates.wait_s("busy", now_s=100.0) is not None
    assert len(rates._buckets) < MAX_REMEMBERED  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("limits", "whose"),
    [
        (ServerLimits(conversations=1), "The server"),
        (ServerLimits(conversations_per_agent=1), "This agent"),
        (ServerLimits(conversations_per_address=1), "Your address"),
        (ServerLimits(conversations_per_key=1), "Your API key"),
    ],
)
def test_places_are_counted_and_given_back(limits: ServerLimits, whose: str):
    gate = Gate(limits)
    with gate.entered(agent_id="a", address="1.2.3.4", key_id="k"):
        with (
            pytest.raises(RefusedError, match=f"{whose} has reached its limit of 1"),
            gate.entered(agent_id="a", address="1.2.3.4", key_id="k"),
        ):
            pass
        assert gate.running == 1

    with gate.entered(agent_id="a", address="1.2.3.4", key_id="k"):
        assert gate.running == 1
    assert gate.running == 0


def test_clients_without_a_key_share_no_key():
    gate = Gate(ServerLimits(conversations_per_key=1))
    with (
        gate.entered(agent_id="a", address="1.2.3.4", key_id=None),
        gate.entered(agent_id="a", address="1.2.3.4", key_id=None),
    ):
        assert gate.running == 2
