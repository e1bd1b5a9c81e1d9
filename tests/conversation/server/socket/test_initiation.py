from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import VoiceSection
from conversation.errors import OverrideError, VariableValueError
from conversation.server.socket.frames import InitiationData
from conversation.server.socket.initiation import MAX_VARIABLES, session_overrides, wishes
from conversation.session.overrides import SessionOverrides, overridden


def init(**fields: Any) -> InitiationData:
    return InitiationData(type="conversation_initiation_client_data", **fields)


@pytest.mark.parametrize(
    "override", [{"text_only": True}, {"conversation": {"text_only": True}, "agent": {}}]
)
def test_text_only_is_read_in_both_places(override: dict[str, Any]):
    asked = wishes(init(conversation_config_override=override), {})

    assert asked.text_only
    assert asked.overrides == {}


def test_empty_objects_and_nulls_override_nothing():
    override = {"agent": {"prompt": {}, "first_message": None}, "tts": {}}

    assert wishes(init(conversation_config_override=override), {}).overrides == {}


def test_overrides_are_told_by_their_dotted_key():
    override = {"agent": {"prompt": {"prompt": "Be brief."}, "language": "de"}}

    assert wishes(init(conversation_config_override=override), {}).overrides == {
        "agent.prompt.prompt": "Be brief.",
        "agent.language": "de",
    }


def test_variables_are_scalars_and_not_names_of_the_system():
    given = {"name": "Ada", "vip": True, "system__time": "now", "none": None}

    assert wishes(init(dynamic_variables=given), {}).variables == {"name": "Ada", "vip": True}


@pytest.mark.parametrize(
    ("zone", "kept"),
    [("Europe/Berlin", True), ("Mars/Olympus", False), ("../etc/passwd", False), (3, False)],
)
def test_a_client_may_say_in_which_time_zone_its_user_is(zone: object, kept: bool):
    found = wishes(init(dynamic_variables={"system__timezone": zone}), {}).variables

    assert found == ({"system__timezone": zone} if kept else {})


def test_variables_are_bounded():
    many = {f"v{number}": "x" for number in range(MAX_VARIABLES)}

    assert wishes(init(dynamic_variables=many), {}).variables == many
    with pytest.raises(VariableValueError, match=str(MAX_VARIABLES)):
        wishes(init(dynamic_variables={**many, "one": "more"}), {})


@pytest.mark.parametrize("value", [["Lovelace"], {"a": "Lovelace"}, [], {}, "Lovelace" * 1_000])
def test_a_variable_that_no_text_can_hold_is_named(value: object):
    with pytest.raises(VariableValueError, match="'who'") as refused:
        wishes(init(dynamic_variables={"name": "Ada", "who": value}), {})

    assert "Lovelace" not in str(refused.value)


def test_the_client_is_known_by_its_frame_or_by_its_address():
    asked = wishes(None, {"source": "js_sdk", "version": "0.4.0"})

    assert asked.metadata == {
        "channel": "websocket",
        "client": "js_sdk",
        "client_version": "0.4.0",
    }


AGENT = AgentConfig(agent_id="support", name="Support")
SPEAKING = AGENT.model_copy(update={"voice": VoiceSection()})


def test_no_client_calls_its_user_by_a_name_of_this_server():
    start = {"type": "conversation_initiation_client_data"}
    for user_id in ("masked_user_" + "0" * 32, "masked_user_of_conv_1", "masked_user_"):
        data = InitiationData.model_validate(start | {"user_id": user_id})
        with pytest.raises(OverrideError, match="user_id cannot begin with 'masked_user_'"):
            wishes(data, {})
    data = InitiationData.model_validate(start | {"user_id": "user_" + "0" * 32})
    assert wishes(data, {}).metadata["user_id"] == "user_" + "0" * 32


def test_overrides_of_the_protocol_become_those_of_a_session():
    override = {"agent": {"prompt": {"prompt": "Be brief.", "llm": "a/b"}, "first_message": ""}}
    asked = wishes(init(conversation_config_override=override), {})

    assert session_overrides(asked, AGENT) == SessionOverrides(
        system_prompt="Be brief.", llm="a/b", first_message=""
    )


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ({"tts": {"speed": 1.3}}, "speed"),
        ({"tts": {"pronunciation": "x"}}, "tts.pronunciation"),
        ({"agent": {"prompt": {"prompt": ["a"]}}}, "system_prompt"),
    ],
)
def test_what_no_session_can_set_is_named(override: dict[str, Any], named: str):
    asked = wishes(init(conversation_config_override=override), {})

    with pytest.raises(OverrideError, match=named):
        session_overrides(asked, SPEAKING)


@pytest.mark.parametrize(
    "override",
    [
        {"tts": {"stability": 0.5, "similarity_boost": 0.8, "model_id": "eleven_flash_v2"}},
        {"conversation": {"client_events": ["audio", "of_a_newer_client"]}},
    ],
)
def test_what_changes_no_word_refuses_nobody(override: dict[str, Any]):
    asked = wishes(init(conversation_config_override=override), {})

    assert session_overrides(asked, SPEAKING) == SessionOverrides()


def test_what_has_no_effect_is_named():
    tts = {"stability": 0.5, "voice_id": "v", "speed": 1.1, "model_id": None}
    asked = wishes(
        init(conversation_config_override={"tts": tts}, custom_llm_extra_body={"seed": 1}), {}
    )

    assert asked.without_effect == ("tts.stability", "custom_llm_extra_body")
    empty = init(conversation_config_override={"tts": {}}, custom_llm_extra_body={})
    assert wishes(empty, {}).without_effect == wishes(None, {}).without_effect == ()


@pytest.mark.parametrize("events", ["audio", [1], [["audio"]], True])
def test_events_that_are_no_list_of_names_are_refused(events: Any):
    override = {"conversation": {"client_events": events}}

    with pytest.raises(OverrideError, match="client_events"):
        wishes(init(conversation_config_override=override), {})


def test_events_are_those_that_are_asked_for():
    def events(**conversation: Any) -> frozenset[str] | None:
        return wishes(init(conversation_config_override={"conversation": conversation}), {}).events

    assert events() is None
    assert events(client_events=None) is None
    assert events(client_events=[]) == frozenset()
    assert events(client_events=["audio", "x"]) == {"audio", "x"}


def test_keywords_of_a_session_go_before_those_of_the_agent():
    override = {"asr": {"keywords": ["Quillmouth", " Ada "]}}
    agent = AgentConfig.model_validate(
        {**SPEAKING.model_dump(), "voice": {"stt": {"keywords": ["Northwind", "Ada"]}}}
    )
    asked = wishes(init(conversation_config_override=override), {})
    wanted = session_overrides(asked, agent)
    voice = overridden(agent, wanted).voice

    assert voice is not None
    assert voice.stt.keywords == ("Quillmouth", "Ada", "Northwind")
    assert session_overrides(asked, AGENT) == SessionOverrides()


@pytest.mark.parametrize("keywords", ["Ada", [1], [""], ["a" * 101], ["a"] * 51, {"a": 1}])
def test_keywords_that_are_none_are_refused(keywords: Any):
    asked = wishes(init(conversation_config_override={"asr": {"keywords": keywords}}), {})

    with pytest.raises(OverrideError):
        session_overrides(asked, SPEAKING)


def test_a_voice_is_not_asked_of_who_has_none():
    asked = wishes(init(conversation_config_override={"tts": {"voice_id": "x", "a": 1}}), {})

    assert session_overrides(asked, AGENT) == SessionOverrides()
    with pytest.raises(OverrideError, match=r"tts\.a"):
        session_overrides(asked, SPEAKING)


def test_voice_and_speed_are_set_for_a_session():
    override = {"tts": {"voice_id": "heart", "speed": 1.1}}
    asked = wishes(init(conversation_config_override=override), {})

    assert session_overrides(asked, SPEAKING) == SessionOverrides(voice_id="heart", speed=1.1)


def test_text_only_is_never_refused():
    asked = wishes(init(conversation_config_override={"text_only": True}), {})

    assert session_overrides(asked, SPEAKING).text_only is None
