"""A call that goes as calls should."""

from conversation.voice.call_events import AgentAudio, AgentText, TentativeUserText, UserTurn
from tests.conversation.voice.calling.played import check, play, says

ANSWER = "We are open from nine to five, and on Sunday we are closed."


def test_a_question_is_heard_answered_and_written_down():
    played = play([says(1.0, "When are you open")], ANSWER)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    assert [event.text for event in played.of(AgentText)] == [ANSWER]
    assert played.tentative == ["When are", "When are you open"]
    assert played.at_s(TentativeUserText) < played.at_s(UserTurn) < played.at_s(AgentAudio)
    assert played.reason == "user_ended"
