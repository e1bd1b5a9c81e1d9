"""Criteria and fields as an agent's file states them."""

from typing import Any

import pytest
from pydantic import ValidationError

from conversation.agent.agent_file import parse_agent
from conversation.agent.config import AgentConfig, AnalysisSection
from conversation.agent.criteria import Criterion, DataCollectionField, Scale
from conversation.errors import AgentConfigError

PANEL = ("anthropic/a", "openai/b")


def test_several_judges_are_one_panel():
    criterion = Criterion.model_validate({"id": "polite", "prompt": "Polite.", "judges": PANEL})

    assert criterion.judge == "majority(anthropic/a, openai/b)"
    assert Criterion.model_validate(criterion.model_dump()) == criterion


def test_an_agent_is_judged_by_its_panel_and_asked_as_it_says():
    agent = AgentConfig(agent_id="a", name="A", analysis=AnalysisSection(judges=PANEL))

    assert agent.judge.name == "majority(anthropic/a, openai/b)"
    assert AgentConfig.model_validate_json(agent.model_dump_json()) == agent


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"judges": ["a/x"]}, "two or more different"),
        ({"judges": ["a/x", "a/x"]}, "two or more different"),
        ({"judges": "a/x"}, "two or more different"),
        ({"judges": [f"a/{'x' * 100}{number}" for number in range(3)]}, "Take fewer of them"),
        ({"judges": PANEL, "judge": "a/x"}, "either `judge` or `judges`"),
        ({"scale": {"min": 5, "max": 5}}, "must lie below"),
        ({"scale": {"min": 1, "max": 5}, "threshold": 0.7}, "belongs to verdicts"),
        ({"threshold": 1.0}, "less than 1"),
        ({"variant": "guess"}, "logprobs"),
    ],
)
def test_a_criterion_that_makes_no_sense_is_refused(section: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        Criterion.model_validate({"id": "polite", "prompt": "Polite.", **section})


def test_the_version_changes_with_what_decides_the_answer_and_not_with_who_is_asked():
    plain = Criterion(criterion_id="polite", prompt="Polite.")

    assert plain.model_copy(update={"scale": Scale()}).version != plain.version
    assert plain.model_copy(update={"threshold": 0.7}).version != plain.version
    assert plain.model_copy(update={"judge": "a/x", "variant": "json"}).version == plain.version


def test_an_enum_is_a_string_with_allowed_values():
    field = DataCollectionField.model_validate(
        {"id": "topic", "type": "enum", "enum": ["a", "b"], "description": "The topic."}
    )

    assert (field.type, field.enum) == ("string", ("a", "b"))


def test_one_condition_needs_no_list():
    field = DataCollectionField.model_validate(
        {
            "id": "refund_amount",
            "type": "number",
            "description": "The amount.",
            "only_when": {"field": "call_type", "equals": "refund"},
        }
    )

    assert [condition.text for condition in field.only_when] == ["call_type is refund"]


@pytest.mark.parametrize(
    "text",
    [
        "analysis: {judge: embedded/extractive}",
        "analysis: {judges: [embedded/extractive, openai/a]}",
        "criteria: [{id: helped, prompt: It helped., judge: embedded/extractive}]",
        "llm: {model: embedded/extractive}\ncriteria: [{id: helped, prompt: It helped.}]",
        "llm: {model: embedded/extractive}\ndata_collection: [{id: topic, description: What.}]",
    ],
)
def test_what_quotes_documents_is_refused_as_a_judge(text: str):
    with pytest.raises(AgentConfigError, match="can judge nothing"):
        parse_agent(f"agent_id: desk\nname: Desk\n{text}", origin="desk.yaml")
    assert parse_agent(
        "agent_id: desk\nname: Desk\nllm: {model: embedded/extractive}\n"
        "criteria: [faithfulness]\nanalysis: {summary: false}",
        origin="desk.yaml",
    ).judge.name
