"""What spoken turns count for in metrics."""

from datetime import UTC, datetime

import pytest

from conversation.session import observing
from conversation.transcript import Turn, TurnSound


class Instrument:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.values: list[tuple[float, dict[str, str]]] = []

    def add(self, value: float, labels: dict[str, str]) -> None:
        self.values.append((value, labels))

    record = add


@pytest.mark.parametrize(("interrupted", "outcome"), [(False, "heard"), (True, "interrupted")])
def test_a_turn_that_was_heard_counts_with_its_waits(
    monkeypatch: pytest.MonkeyPatch, interrupted: bool, outcome: str
):
    names = observing._Instruments.__slots__
    instruments = observing._Instruments(**{name: Instrument() for name in names})
    monkeypatch.setattr(observing, "_instruments", lambda: instruments)
    sound = TurnSound(
        start_s=1.0,
        end_s=2.0,
        speech_end_to_transcript_ms=230.0,
        speech_end_to_first_audio_ms=820.0,
    )

    for turn in (
        Turn(role="agent", text="Yes.", sound=sound, interrupted=interrupted),
        Turn(role="user", text="No.", sound=sound),
    ):
        observing.observe_sound(
            turn, conversation_id="c", agent_id="a", call_began_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
    observing.observe_amended(agent_id="a")

    assert instruments.heard_turns.values == [(1, {"agent_id": "a", "outcome": outcome})]
    assert instruments.transcript_ms.values == [(230.0, {"agent_id": "a"})]
    assert instruments.first_audio_ms.values == [(820.0, {"agent_id": "a"})]
    assert instruments.amended.values == [(1, {"agent_id": "a"})]
