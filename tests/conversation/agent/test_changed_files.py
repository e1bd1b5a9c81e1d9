"""What stays of an agent file that somebody wrote when a setting of it is changed."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversation.agent.agent_file import load_agent, parse_agent, save_agent
from conversation.agent.config import AgentConfig

WRITTEN = """\
# The desk of the shop. Ask Ada before you change it.
agent_id: desk      # also in the shop's page
name: "Desk"
template: support

first_message: 'Hello!'   # kept short on purpose
llm:
  # cheaper at night
  model: openai/gpt-4o-mini
  temperature: 0.2
  api_key_env: SHOP_KEY
knowledge_base:
    files:
      - ../documents/a.md   # the manual
      - ../documents/b.md   # prices
criteria:
  # what the boss wants to know
  - id: helped   # most of all
    prompt: The user got an answer.
  - id: polite
    prompt: |
      The agent was polite.
      It never swore.
# the end
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "desk.yaml"
    written.write_text(WRITTEN, "utf-8")
    return written


def changed(path: Path, **values: Any) -> str:
    agent = AgentConfig.model_validate(load_agent(path).model_dump() | values)
    save_agent(agent, path)
    assert load_agent(path) == agent
    return path.read_text("utf-8")


def test_a_change_of_one_setting_is_a_change_of_one_line(path: Path):
    text = changed(path, first_message="Good day!")

    lines = zip(WRITTEN.splitlines(), text.splitlines(), strict=True)
    (line,) = [(one, other) for one, other in lines if one.split() != other.split()]
    assert line[0].startswith("first_message: 'Hello!'")
    assert line[1].startswith("first_message: ")
    assert "Good day!" in line[1]
    assert line[1].endswith("# kept short on purpose")


def test_comments_of_entries_go_with_them(path: Path):
    before = load_agent(path)
    files = ["../documents/b.md", "../documents/c.md"]
    base = before.knowledge_base.model_dump() | {"files": files}
    criteria = [before.criteria[1], before.criteria[0]]
    text = changed(path, knowledge_base=base, criteria=[each.model_dump() for each in criteria])

    assert "../documents/b.md" in text
    assert "# prices" in text.splitlines()[_line(text, "b.md")]
    assert "# most of all" in text.splitlines()[_line(text, "id: helped")]
    assert "It never swore." in text
    assert "# cheaper at night" in text
    assert "# the end" in text


def test_a_file_that_cannot_be_changed_in_place_is_written_anew(path: Path):
    """Comments are lost then, and nothing else: what is written is read before it is kept."""
    path.write_text(
        "name: A\ncriteria:\n  # why\n  - {id: a, prompt: x}   # c\n  - id: b\n    prompt: y\n",
        "utf-8",
    )
    changed(path, first_message="Hi.")


def test_a_new_entry_and_a_new_section_are_added(path: Path):
    before = load_agent(path)
    criteria = [each.model_dump() for each in before.criteria]
    criteria.append({"criterion_id": "new", "prompt": "Something new: yes."})
    text = changed(path, criteria=criteria, access={"public": True})

    assert text.startswith("# The desk of the shop. Ask Ada")
    assert "# what the boss wants to know" in text
    assert parse_agent(text, origin="x").access.public


def _line(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines()) if part in line)


TEXTS = st.one_of(
    st.sampled_from(
        [
            "yes",
            "no",
            "on",
            "1",
            "1.0",
            "null",
            "~",
            "- a",
            "a: b",
            "# x",
            "{{name}}",
            "a\nb",
            "a\n",
            " a ",
            "'",
            "2024-01-01",
            "0x1",
            "!x",
            "&a",
            "*a",
            "%",
            "@",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30),
)


@settings(max_examples=25, deadline=None)
@given(
    name=TEXTS.filter(str.strip),
    greeting=TEXTS,
    variables=st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), TEXTS, max_size=3),
    prompts=st.lists(TEXTS.filter(str.strip), max_size=3),
)
def test_whatever_is_changed_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    greeting: str,
    variables: dict[str, str],
    prompts: list[str],
):
    path = tmp_path_factory.mktemp("agents") / "desk.yaml"
    path.write_text(WRITTEN, "utf-8")
    criteria = [{"criterion_id": f"c{n}", "prompt": each} for n, each in enumerate(prompts)]
    try:
        agent = AgentConfig.model_validate(
            load_agent(path).model_dump()
            | {
                "name": name,
                "first_message": greeting,
                "dynamic_variables": variables,
                "criteria": criteria,
            }
        )
    except ValueError:
        return
    save_agent(agent, path)

    assert load_agent(path) == agent
