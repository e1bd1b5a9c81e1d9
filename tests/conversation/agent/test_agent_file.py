from pathlib import Path

import pytest

from conversation.agent.agent_file import (
    document_paths,
    list_agents,
    load_agent,
    merge_keys,
    save_agent,
    template_names,
)
from conversation.errors import AgentConfigError

SUPPORT = "name: Help desk\ntemplate: support\n"


@pytest.fixture
def agent_path(tmp_path: Path) -> Path:
    return tmp_path / "help.yaml"


def refusal(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    with pytest.raises(AgentConfigError) as caught:
        load_agent(path)
    return str(caught.value)


def test_the_template_fills_in_what_the_file_leaves_out(agent_path: Path):
    agent_path.write_text(SUPPORT + "first_message: Moin!\n", "utf-8")

    agent = load_agent(agent_path)

    assert agent.agent_id == "help"
    assert agent.first_message == "Moin!"
    assert "support agent" in agent.system_prompt


@pytest.mark.parametrize("name", ["blank", "librarian", "philosopher", "support"])
def test_each_template_has_a_first_message_and_a_prompt(agent_path: Path, name: str):
    agent_path.write_text(f"name: A\ntemplate: {name}\n", "utf-8")

    agent = load_agent(agent_path)

    assert agent.first_message
    assert agent.system_prompt
    assert name in template_names()


def test_mappings_are_merged_and_lists_are_replaced():
    base = {"llm": {"model": "a", "temperature": 1}, "criteria": [1, 2]}

    merged = merge_keys(base, {"llm": {"model": "b"}, "criteria": [3]})

    assert merged == {"llm": {"model": "b", "temperature": 1}, "criteria": [3]}


def test_an_override_takes_the_replaced_models_endpoint_and_fallbacks_with_it(agent_path: Path):
    agent_path.write_text(
        SUPPORT + "llm: {model: openai/a, fallbacks: [openai/b], api_base: 'http://x'}\n", "utf-8"
    )

    agent = load_agent(agent_path, override_llm="embedded/extractive")

    assert agent.llm.model == "embedded/extractive"
    assert agent.llm.fallbacks == ()
    assert agent.llm.api_base is None


def test_an_unknown_key_is_reported_with_its_line_and_the_nearest_valid_key(agent_path: Path):
    message = refusal(
        agent_path,
        SUPPORT + "criteria:\n  - id: solved\n    promt: Was it?\nknowledge_base:\n"
        "  limits:\n    max_docs: 3\n",
    )

    assert str(agent_path) in message
    assert "line 5, `criteria[0].promt`: unknown key 'promt'; did you mean 'prompt'?" in message
    assert "line 8, `knowledge_base.limits.max_docs`" in message
    assert "did you mean 'max_documents'?" in message
    assert "`criteria[0].prompt`: this key is required." in message


def test_a_wrong_type_is_reported_with_the_value(agent_path: Path):
    message = refusal(agent_path, SUPPORT + "llm:\n  max_output_tokens: many\n")

    assert "line 4, `llm.max_output_tokens`" in message
    assert "'many'" in message


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "agent_id: Help Desk",
            "`agent_id`: write small letters, digits, '_', '-' only, and begin with one of small "
            "letters, at most 64 characters",
        ),
        (
            "data_collection: [{id: paid, type: money, description: What was paid.}]",
            "`data_collection[0].type`: write one of string, integer, number, boolean, date, time, "
            "datetime, list, object, enum, got 'money'.",
        ),
        (
            "llm: {model: embedded/extractive}\ncriteria: [{id: a, prompt: It answered.}]",
            "name a language model under `analysis.judge`, e.g. "
            "'embedded/qwen2.5-coder-1.5b-instruct'.",
        ),
    ],
)
def test_what_cannot_be_taken_is_told_in_words(agent_path: Path, line: str, told: str):
    begin = "" if line.startswith("agent_id") else "agent_id: desk\n"
    agent_path.write_text(f"{begin}name: Desk\n{line}\n", "utf-8")
    with pytest.raises(AgentConfigError) as refused:
        load_agent(agent_path)
    assert told in str(refused.value)


def test_an_unknown_key_without_a_likeness_lists_the_valid_ones(agent_path: Path):
    message = refusal(agent_path, SUPPORT + "analysis: {zzz: 1}\n")

    assert "valid keys: judge" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "holds nothing"),
        ("- a\n", "holds a list"),
        ("a: b: c", "line 1, column 5"),
        ("name: A\nname: B\n", "the key 'name' on line 1 and again on line 2"),
        ("name: A\ntemplate: suport\n", "Templates are: blank, librarian, philosopher, support"),
        ("[" * 5000, "not valid YAML"),
        ("name: A\ncriteria: [{id: a, prompt: x}, {id: a, prompt: y}]\n", "'a'"),
    ],
)
def test_text_that_is_no_agent_is_refused(agent_path: Path, text: str, expected: str):
    assert expected in refusal(agent_path, text)


def test_a_missing_file_names_its_neighbours(tmp_path: Path):
    (tmp_path / "support.yaml").write_text(SUPPORT, "utf-8")

    with pytest.raises(AgentConfigError, match=r"support\.yaml"):
        load_agent(tmp_path / "suport.yaml")


def test_a_folder_and_bytes_that_are_no_text_are_refused(tmp_path: Path, agent_path: Path):
    agent_path.write_bytes(b"name: \xff\xfe")

    with pytest.raises(AgentConfigError, match="UTF-8"):
        load_agent(agent_path)
    with pytest.raises(AgentConfigError, match="cannot be read"):
        load_agent(tmp_path)


def test_a_bad_file_does_not_hide_the_others(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("nonsense: [", "utf-8")
    (tmp_path / "b.yaml").write_text(SUPPORT, "utf-8")
    (tmp_path / "c.yaml").write_text("agent_id: b\n" + SUPPORT, "utf-8")
    (tmp_path / "notes.txt").write_text("not an agent", "utf-8")

    bad, good, twin = list_agents(tmp_path)

    assert bad.agent is None
    assert bad.error
    assert good.agent is not None
    assert good.agent.agent_id == "b"
    assert twin.error is not None
    assert "b.yaml" in twin.error


def test_a_missing_agents_folder_is_an_error(tmp_path: Path):
    with pytest.raises(AgentConfigError, match="VIVAVOCE_DATA_DIR"):
        list_agents(tmp_path / "nowhere")


def test_a_saved_agent_reads_back_equal_even_where_it_undoes_its_template(agent_path: Path):
    agent_path.write_text(
        SUPPORT + "first_message: ''\nknowledge_base: {limits: {max_documents: null}}\n"
        "data_collection: [{id: topic, description: What about, enum: [a, b]}]\n",
        "utf-8",
    )
    agent = load_agent(agent_path)

    save_agent(agent, agent_path)

    assert load_agent(agent_path) == agent
    assert "chunking" not in agent_path.read_text("utf-8")


def test_document_paths_are_relative_to_the_agent_file(agent_path: Path):
    agent_path.write_text(SUPPORT + "knowledge_base: {files: [../docs/a.md]}\n", "utf-8")

    paths = document_paths(load_agent(agent_path), agent_path)

    assert paths == (agent_path.parent.parent / "docs" / "a.md",)


def test_ids_that_repeat_are_named_by_line_and_the_agent_is_not_printed(agent_path: Path):
    told = refusal(
        agent_path,
        SUPPORT + "criteria:\n"
        "  - {id: helped, prompt: The user got an answer.}\n"
        "  - {id: polite, prompt: The agent was polite.}\n"
        "  - {id: helped, prompt: Again.}\n"
        "  - id: helped\n    prompt: And again.\n"
        "data_collection:\n"
        "  - {id: topic, description: What it is about.}\n"
        "  - {id: topic, description: What else it is about.}\n",
    )

    assert "must be unique, and number 1 of them has this one, got 'helped'" in told
    assert "line 6, `criteria[2]`" in told or "line 6, `criteria.2`" in told
    assert "line 7" in told
    assert "Again" not in told
    assert "help desk" not in told.casefold()
    assert len(told.splitlines()) <= 4
