"""Frames that a client gets wrong: it is told what, once, and the conversation goes on."""

from pathlib import Path

import pytest

from conversation.server.socket.actions import Ignore, Refuse
from conversation.server.socket.frame_meaning import Dialogue, Sound
from conversation.server.socket.frames import read_frame
from conversation.server.socket.refusals import MOST_REFUSALS
from tests.conversation.server.served import serving
from tests.fakes import ScriptedChatModel

WRONG = {
    '{"user_audio_chunk": 5}': "user_audio_chunk: Input should be a valid string",
    '{"user_audio_chunk": null}': "user_audio_chunk: Input should be a valid string",
    '{"user_audio_chunk": "A!"}': "no base64",
    '{"user_audio_chunk": "AAA"}': "no base64",
    '{"type": "user_message", "text": 7}': "user_message.text: Input should be a valid string",
    '{"type": "contextual_update"}': "contextual_update.text: Field required",
    '{"type": "feedback", "score": "great", "event_id": 2}': "score: Input should be 'like'",
    '{"type": "client_tool_result"}': "tool_call_id: Field required",
    '{"type": "pong", "event_id": "x"}': "pong.event_id: Input should be a valid integer",
    '{"type": "user_message", "text": "a", "x": NaN}': "a number that is not finite",
    '{"type": "user_message", "text": "\\ud83d"}': "half of a surrogate pair",
    "{": "no JSON",
    "[1]": "no JSON object",
    "{}": "no JSON object with a `type`",
    '{"type": 5}': "no JSON object with a `type`",
    '{"type": null}': "no JSON object with a `type`",
    '{"type": "conversation_initiation_client_data"}': "had begun before",
}
HEARS = Sound(is_heard=True, refusal=None)


def told(dialogue: Dialogue, frame: str | bytes) -> str | None:
    action = dialogue.receive(read_frame(frame), now_s=0.0)
    return action.frame.error_event.message if isinstance(action, Refuse) else None


@pytest.mark.parametrize(("frame", "part"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_frame_is_told_once_with_its_wrong_part(frame: str, part: str):
    dialogue = Dialogue(HEARS)
    said = told(dialogue, frame)

    assert said is not None
    assert part in said
    assert len(said) < 400
    assert told(dialogue, frame) is None


def test_what_is_wrong_is_not_said_again():
    """An error may stand in a log: it names the part, and never what the user said."""
    said = told(Dialogue(), '{"type": "user_message", "text": {"secret": "a b c"}}')

    assert said is not None
    assert "secret" not in said


def test_a_type_that_is_not_known_is_no_mistake():
    frame = read_frame('{"type": "of_a_newer_client"}')

    assert isinstance(Dialogue().receive(frame, now_s=0.0), Ignore)


WRONG_BEGINNINGS = {
    '"user_id": 5': "user_id: Input should be a valid string",
    '"dynamic_variables": [1]': "dynamic_variables: Input should be a valid dictionary",
    '"conversation_config_override": "x"': "conversation_config_override: Input should be",
    '"dynamic_variables": {"a": NaN}': "a number that is not finite",
    f'"dynamic_variables": {{"a": "{"x" * 70_000}"}}': "longer than 65,536 characters",
    '"conversation_config_override": {"conversation": {"text_only": "yes"}}': "true or false",
}


def test_a_conversation_is_not_begun_without_what_was_asked_for(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served:
        for part, said in WRONG_BEGINNINGS.items():
            with served.dial(init=None) as client:
                client.send(f'{{"type": "conversation_initiation_client_data", {part}}}')
                code, reason = client.closed()
            assert code == 1008
            assert said in reason
        assert served.store.page().conversations == ()


def test_a_client_that_does_everything_wrong_is_not_answered_for_ever():
    dialogue = Dialogue()
    frames = [f'{{"type": "pong", "event_id": "x", "{"y" * 5}": {at}}}' for at in range(50)]
    kinds = ["user_message", "contextual_update", "feedback", "client_tool_result"]
    frames += [
        f'{{"type": "{kind}", "text": {wrong}, "event_id": {wrong}, "tool_call_id": {wrong}}}'
        for kind in kinds
        for wrong in ("{}", "[]", "true", "1.5", '"a"', "null")
    ]
    answers = [said for frame in frames if (said := told(dialogue, frame)) is not None]

    assert len(answers) <= MOST_REFUSALS
    assert len(set(answers)) == len(answers)


def test_half_a_sample_is_no_mistake():
    """Pieces may be cut anywhere: the other byte comes with the next one."""
    assert told(Dialogue(HEARS), '{"user_audio_chunk": "AAAA"}') is None


def test_the_conversation_goes_on(tmp_path: Path):
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served,
        served.dial() as client,
    ):
        client.opened()
        client.send('{"type": "user_message", "text": 7}')
        error = client.until("error")["error_event"]
        client.send(b"\x00\x01")
        binary = client.until("error")["error_event"]
        client.say("Are you there?")
        answer = client.answer()

    assert error["error_type"] == binary["error_type"] == "invalid_message"
    assert "user_message.text" in error["message"]
    assert "user_audio_chunk" in binary["message"]
    assert answer == "Yes."


def test_a_conversation_goes_on_without_what_has_no_effect_and_says_so(tmp_path: Path):
    first = {
        "type": "conversation_initiation_client_data",
        "conversation_config_override": {"tts": {"similarity_boost": 0.8}},
        "custom_llm_extra_body": {"seed": 1},
    }
    with serving(tmp_path) as served, served.dial(init=first) as client:
        told = client.until("error")["error_event"]["message"]

        assert told.endswith("this server: tts.similarity_boost, custom_llm_extra_body.")
        assert client.answer() == "Hello!"
