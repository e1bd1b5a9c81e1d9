from typing import Any

import pytest

from conversation.server.initiation import MAX_VARIABLES, wishes
from conversation.server.protocol import InitiationData


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
    given = {"name": "Ada", "vip": True, "system__time": "now", "list": [1], "none": None}

    assert wishes(init(dynamic_variables=given), {}).variables == {"name": "Ada", "vip": True}


def test_variables_are_bounded():
    many = {f"v{number}": "x" for number in range(MAX_VARIABLES + 5)}
    long = {"long": "x" * 10_000}

    assert len(wishes(init(dynamic_variables=many), {}).variables) == MAX_VARIABLES
    assert wishes(init(dynamic_variables=long), {}).variables == {}


def test_the_client_is_known_by_its_frame_or_by_its_address():
    asked = wishes(None, {"source": "js_sdk", "version": "0.4.0"})

    assert asked.metadata == {
        "channel": "websocket",
        "client": "js_sdk",
        "client_version": "0.4.0",
    }
