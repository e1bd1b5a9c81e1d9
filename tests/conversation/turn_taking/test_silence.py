from hypothesis import given
from hypothesis import strategies as st

from conversation.turn_taking.silence import EndConversation, Reengage, TurnTaking, TurnTakingConfig

CONFIG = TurnTakingConfig(
    silence_timeout_s=10,
    reengagement_message="Still there?",
    max_reengagements=2,
    max_duration_s=99,
)


def test_silence_is_met_twice_and_then_ends_the_conversation():
    taking = TurnTaking(CONFIG).started(0)

    assert taking.due(9.9) == (None, taking)
    first, taking = taking.due(10)
    assert first == Reengage("Still there?")
    assert taking.due(19.9)[0] is None
    second, taking = taking.due(20)
    assert second == Reengage("Still there?")
    assert taking.due(30)[0] == EndConversation("silence")


def test_activity_of_the_user_starts_the_silence_anew():
    taking = TurnTaking(CONFIG).started(0)
    _, taking = taking.due(10)
    taking = taking.user_active(15)

    assert taking.due(24.9)[0] is None
    assert taking.reengagements == 0
    assert taking.next_check_s == 25


def test_silence_does_not_count_while_the_agent_speaks():
    taking = TurnTaking(CONFIG).started(0).agent_started()

    assert taking.due(50)[0] is None
    assert taking.user_active(51).due(70)[0] is None
    assert taking.agent_finished(70).due(80)[0] == Reengage("Still there?")


def test_a_conversation_has_a_longest_duration_even_while_the_agent_speaks():
    taking = TurnTaking(CONFIG).started(0).agent_started()

    assert taking.next_check_s == 99
    assert taking.due(99)[0] == EndConversation("max_duration")


def test_without_limits_nothing_is_ever_due():
    config = TurnTakingConfig(silence_timeout_s=None, max_duration_s=None)
    taking = TurnTaking(config).started(0)

    assert taking.next_check_s is None
    assert taking.due(1e9)[0] is None


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["user", "agent", "done", "check"]), st.floats(0, 30)),
        max_size=30,
    )
)
def test_nothing_is_due_before_the_next_check(steps: list[tuple[str, float]]):
    taking, now_s = TurnTaking(CONFIG).started(0), 0.0
    for kind, wait_s in steps:
        now_s += wait_s
        expected = taking.next_check_s is not None and now_s >= taking.next_check_s
        action, after = taking.due(now_s)
        assert (action is not None) == expected
        if isinstance(action, EndConversation):
            return
        taking = after if kind == "check" else taking
        if kind == "user":
            taking = taking.user_active(now_s)
        elif kind == "agent":
            taking = taking.agent_started()
        elif kind == "done":
            taking = taking.agent_finished(now_s)
