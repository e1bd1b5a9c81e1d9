from pathlib import Path
from typing import Any

import pytest

from conversation.agent.agent_file import load_agent
from conversation.agent.config import AgentConfig
from conversation.errors import AgentConfigError

AGENT = {"agent_id": "desk", "name": "Desk"}


def agent(**sections: Any) -> AgentConfig:
    return AgentConfig.model_validate({**AGENT, **sections})


def refusal(folder: Path, section: str) -> str:
    path = folder / "desk.yaml"
    path.write_text(f"name: Desk\nwidget:\n{section}\n", "utf-8")
    with pytest.raises(AgentConfigError) as caught:
        load_agent(path)
    return str(caught.value)


def test_an_agent_without_the_section_has_a_widget_all_the_same():
    widget = agent().widget

    assert (widget.position, widget.feedback, widget.sources) == ("bottom-right", "both", True)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("  colors: {accent: '#fff'}", "colours"),
        ("  colours: {accent: red}", "'#0b5c55'"),
        ("  colours: {accent: '#12345'}", "three or six digits"),
        ("  avatar: http://pictures.example/me.png", "https:"),
        ("  avatar: javascript:alert(1)", "https:"),
        ("  position: left", "bottom-left"),
        ("  texts: {german: {placeholder: Frage}}", "'german'"),
        ("  texts: {de: {placehodler: Frage}}", "placehodler"),
        ("  allowed_origins: ['*']", "shop.example.com"),
        ("  allowed_origins: [shop.example.com/help]", "shop.example.com"),
        ("  allowed_origins: ['a.example; script-src *']", "no host"),
        ("  feedback: yes", "thumbs"),
        ("  examples: ['']", "examples"),
        ("  terms: ''", "terms"),
    ],
)
def test_what_is_wrong_in_the_section_is_said_with_its_line(
    tmp_path: Path, section: str, says: str
):
    message = refusal(tmp_path, section)

    assert says in message
    assert "line 3" in message


def test_origins_may_stand_in_either_section_but_not_differ():
    assert agent(widget={"allowed_origins": ["a.example"]}).allowed_origins == ("a.example",)
    assert agent(access={"allowed_origins": ["a.example"]}).allowed_origins == ("a.example",)
    with pytest.raises(ValueError, match="in one of the two places"):
        agent(access={"allowed_origins": ["a.example"]}, widget={"allowed_origins": ["b.example"]})


def test_variables_that_a_user_has_to_give_are_those_without_a_value():
    found = agent(
        first_message="Hello {{name}}, {{ order-id }}!",
        system_prompt="Be kind to {{name}}. Today is {{system__time_utc}}. Plan: {{plan}}.",
        dynamic_variables={"plan": "basic"},
        languages={"de": {"first_message": "Hallo {{name}} aus {{größe}}!"}},
        tools=[
            {
                "name": "look_up",
                "description": "Looks an order up.",
                "webhook": {
                    "url": "https://desk.example/{{tenant}}",
                    "headers": {"x-key": "{{secret__desk}}"},
                },
            }
        ],
    ).required_variables

    assert found == ("name", "order-id", "größe", "tenant")
