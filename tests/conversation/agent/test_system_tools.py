"""System tools, several tools in a turn, and the two ways in which a model asks for them."""

from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.errors import AgentConfigError, ModelUnavailableError
from conversation.store.store import ConversationStore
from conversation.turn.events import (
    AgentTurn,
    RetrievalDone,
)
from tests.conversation.agent.tool_turns import (
    NONE,
    ORDER,
    TRANSFER,
    Documents,
    NativeModel,
    agent,
    call,
    kinds,
    outcome,
    start,
    use,
)
from tests.fakes import ScriptedChatModel


@pytest.mark.parametrize(
    ("own", "language", "answers", "said"),
    [
        ("", "en", ("So long.",), "So long."),
        ("", "en", (call("", ("end_call", {})),), "Goodbye!"),
        ("", "de", (call("", ("end_call", {})),), "Auf Wiedersehen!"),
        ("", "de-AT", ("",), "Auf Wiedersehen!"),
        ("Take care!", "en", (ModelUnavailableError("down"),), "Take care!"),
    ],
)
def test_hanging_up_ends_the_conversation_with_a_goodbye(
    store: ConversationStore, own: str, language: str, answers: tuple[Any, ...], said: str
):
    model = NativeModel(call("", ("end_call", {})), *answers)
    config = agent("end_call", language=language, turn_taking={"goodbye_message": own})
    session = start(store, config, model)

    (ended,), turn = outcome(list(session.reply("Bye!")))

    assert (ended.tool_name, ended.is_error) == ("end_call", False)
    assert turn.text == said
    assert model.offers == [["end_call"], []]
    assert session.transcript.end_reason == "agent_ended"


def test_what_comes_after_hanging_up_is_refused(store: ConversationStore):
    model = NativeModel(call("Bye.", ("end_call", {}), ("order_status", {"order": 5})), "Bye now.")
    asked: list[object] = []
    session = start(store, agent("end_call", ORDER), model, tools={"order_status": asked.append})

    calls, _ = outcome(list(session.reply("Bye!")))

    assert [(each.tool_name, each.is_error) for each in calls] == [
        ("end_call", False),
        ("order_status", True),
    ]
    assert (asked, session.is_over) == ([], True)


# Each system tool


def test_one_line_turns_a_system_tool_on(store: ConversationStore):
    config = agent(system_tools=["end_call", "skip_turn"])
    model = ScriptedChatModel(NONE, "Hi.")
    list(start(store, config, model).reply("Hi"))

    rules = model.prompts[0][0].content
    assert "- end_call: End the conversation." in rules
    assert "- skip_turn: Say nothing and wait." in rules
    assert model.prompts[0][-1].content.endswith("latest words: Hi\nWhich action?")


def test_the_agent_can_say_nothing(store: ConversationStore):
    model = ScriptedChatModel(use("skip_turn"), NONE, "Yes?")
    session = start(store, agent("skip_turn"), model)

    _, silent = outcome(list(session.reply("One moment please")))
    _, turn = outcome(list(session.reply("I am back")))

    assert (silent.text, silent.error, silent.interrupted) == ("", None, False)
    assert turn.text == "Yes?"
    assert len(model.prompts) == 3, "a skipped turn asks for no answer"


def test_the_agent_switches_to_the_language_that_is_spoken(store: ConversationStore):
    config = agent(
        "language_detection",
        languages={"de": {"system_prompt": "Du verkaufst {{what}}."}},
        dynamic_variables={"what": "Tee"},
    )
    model = ScriptedChatModel(use("language_detection", language="de"), "Hallo!", NONE, "Ja.")
    session = start(store, config, model)

    (switched,), turn = outcome(list(session.reply("Sprechen Sie Deutsch?")))

    assert (switched.result, turn.text) == ("switched to de", "Hallo!")
    assert model.prompts[1][0].content.startswith("Du verkaufst Tee.")
    assert "code 'de'" in model.prompts[1][0].content
    assert session.agent.language == "de"
    assert "language_changed" in kinds(store, session)
    list(session.reply("Danke, und Kaffee?"))
    assert '"enum": ["en"]' in model.prompts[2][0].content, "and back"


@pytest.mark.parametrize("native", [True, False])
def test_a_region_is_a_way_to_name_a_language(store: ConversationStore, native: bool):
    config = agent("language_detection", languages={"de": {}})
    wanted = {"language": "de-DE"}
    model = (
        NativeModel(call("", ("language_detection", wanted)), "Hallo!")
        if native
        else ScriptedChatModel(use("language_detection", language="de-DE"), "Hallo!")
    )
    session = start(store, config, model)

    (switched,), _ = outcome(list(session.reply("Sprechen Sie Deutsch?")))

    assert (switched.parameters, session.agent.language) == ({"language": "de"}, "de")


def test_a_language_that_is_not_configured_cannot_be_switched_to(store: ConversationStore):
    config = agent("language_detection", languages={"de": {}})
    model = NativeModel(call("", ("language_detection", {"language": "fr"})), "Sorry.")
    session = start(store, config, model)

    (refused,), _ = outcome(list(session.reply("Parlez-vous?")))

    assert refused.is_error
    assert session.agent.language == "en"


def test_the_model_may_search_with_a_query_of_its_own(store: ConversationStore):
    documents = Documents(refunds="Refunds take five days.", cards="Cards work.")
    model = ScriptedChatModel(use("search_knowledge_base", query="refunds"), "Five days, and yes.")
    session = start(store, agent("search_knowledge_base"), model, knowledge_base=documents)

    events = list(session.reply("And how long for that with cards?"))
    (search,), turn = outcome(events)

    assert search.result == "1 passages"
    assert documents.asked == ["refunds", "And how long for that with cards?"]
    (done,) = [event for event in events if isinstance(event, RetrievalDone)]
    assert [passage.chunk_id for passage in done.passages] == ["refunds", "cards"]
    assert "five days" in model.prompts[1][-1].content
    kept = store.retrievals(session.conversation_id)
    assert [(each.query, each.chunk_id) for each in kept] == [
        ("refunds", "refunds"),
        ("And how long for that with cards?", "cards"),
    ]
    assert {each.turn_id for each in kept} == {turn.turn.turn_id}


def test_a_search_needs_documents(store: ConversationStore):
    with pytest.raises(AgentConfigError, match="search_knowledge_base"):
        start(store, agent("search_knowledge_base"), ScriptedChatModel())


def test_a_gap_that_the_user_names_is_recorded(store: ConversationStore):
    model = ScriptedChatModel(
        use("report_knowledge_gap", question="Do you ship to Mars?"), "Thanks, I passed that on."
    )
    session = start(store, agent("report_knowledge_gap"), model)

    (gap,), _ = outcome(list(session.reply("Your pages say nothing about Mars!")))

    assert gap.parameters == {"question": "Do you ship to Mars?"}
    (event,) = [e for e in store.events(session.conversation_id) if e.kind == "knowledge_gap"]
    assert event.payload["question"] == "Do you ship to Mars?"
    assert event.turn_id == session.transcript.turns[-1].turn_id


@pytest.mark.parametrize(("answer", "gaps"), [("I don\u2019t know that.", 1), ("Yes, we do.", 0)])
def test_an_answer_that_is_not_known_is_a_gap_by_rule(
    store: ConversationStore, answer: str, gaps: int
):
    model = ScriptedChatModel(NONE, answer)
    session = start(store, agent("report_knowledge_gap"), model, knowledge_base=Documents())

    *_, turn = session.reply("Do you ship to Mars?")

    assert isinstance(turn, AgentTurn)
    assert [c.parameters for c in turn.turn.tool_calls] == [
        {"question": "Do you ship to Mars?"}
    ] * gaps
    assert kinds(store, session).count("knowledge_gap") == gaps


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ({"system_tools": ["transfer_to_agent"]}, "needs at least one"),
        ({"system_tools": ["language_detection"]}, "languages"),
        ({"system_tools": ["end_call"], "tools": [{"name": "end_call"}]}, "must be unique"),
        ({"tools": [{"name": "end_call", "agents": TRANSFER["agents"]}]}, "transfer_to_agent"),
        ({"tools": [{"name": "skip_turn", "parameters": {"type": "object"}}]}, "system tool"),
        ({"tools": [{"name": "look_up"}]}, "needs a `description`"),
        ({"tools": [{"name": "a", "description": "b", "parameters": {"type": "array"}}]}, "object"),
        (
            {"tools": [{**ORDER, "parameters": {"type": "object", "required": 5}}]},
            "no JSON schema",
        ),
        ({"language": "de", "languages": {"de": {}}}, "agent's own"),
    ],
)
def test_tools_that_cannot_work_are_refused(tools: dict[str, Any], expected: str):
    with pytest.raises(ValueError, match=expected):
        AgentConfig.model_validate({"agent_id": "a", "name": "A", **tools})
