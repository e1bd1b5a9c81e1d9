"""What a conversation was started with stands in its record, and thereby in the webhook."""

import pytest

from conversation.agent.variable_values import VariableValue
from conversation.server.ended.shown_conversation import detail
from conversation.transcript import Transcript

SHOWN = [
    ({}, {}, {}),
    ({"customer": "c-17", "vip": True}, {}, {}),
    ({}, {"system_prompt": "Hi."}, {"agent": {"prompt": {"prompt": "Hi."}}}),
    (
        {},
        {"language": "de", "temperature": 0.5, "text_only": True, "voice_id": "ada"},
        {
            "agent": {"language": "de", "prompt": {"temperature": 0.5}},
            "conversation": {"text_only": True},
            "tts": {"voice_id": "ada"},
        },
    ),
]


@pytest.mark.parametrize(("variables", "overrides", "shown"), SHOWN)
def test_what_was_given_is_shown_as_clients_send_it(
    variables: dict[str, VariableValue], overrides: dict[str, object], shown: dict[str, object]
):
    transcript = Transcript(
        conversation_id="conv_a",
        agent_id="shop",
        status="done",
        variables=variables,
        overrides=overrides,
    )

    found = detail(
        transcript, agent_name=None, language=None, retrievals=[], events=[], analysis=None
    )

    assert found.conversation_initiation_client_data == {
        "conversation_config_override": shown,
        "custom_llm_extra_body": {},
        "dynamic_variables": variables,
    }
