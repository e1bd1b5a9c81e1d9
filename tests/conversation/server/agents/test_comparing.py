"""Where two versions of an agent differ."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conversation.agent.config import AgentConfig
from conversation.server.agent_routes.comparing import HIDDEN, Change, changes


def agent(**parts: Any) -> AgentConfig:
    return AgentConfig.model_validate({"agent_id": "desk", "name": "Desk"} | parts)


def tool(name: str = "order", **webhook: Any) -> dict[str, Any]:
    parts = {"url": "https://shop.example/orders"} | webhook
    return {"name": name, "description": "Finds orders.", "webhook": parts}


def test_a_setting_is_named_by_its_place_in_the_file():
    before = agent(system_prompt="One.", turn_taking={"silence_timeout_s": 7})
    after = agent(system_prompt="Two.", turn_taking={"silence_timeout_s": 9})

    assert changes(before, after) == [
        Change("system_prompt", "One.", "Two."),
        Change("turn_taking.silence_timeout_s", 7.0, 9.0),
    ]


def test_entries_of_lists_are_told_apart_by_their_names():
    before = agent(tools=[tool("a"), tool("b")])
    after = agent(tools=[tool("b", method="GET"), tool("c")])

    found = {each.path: (each.before, each.after) for each in changes(before, after)}
    assert found["tools.b.webhook.method"] == ("POST", "GET")
    assert found["tools.a"][1] is None
    assert found["tools.c"][0] is None
    assert len(found) == 3


def test_an_order_that_changed_is_a_change():
    found = changes(agent(tools=[tool("a"), tool("b")]), agent(tools=[tool("b"), tool("a")]))
    assert found == [Change("tools", ["a", "b"], ["b", "a"])]


def test_what_webhooks_send_is_hidden():
    before = agent(tools=[tool(headers={"Authorization": "Bearer lemur"})])
    after = agent(tools=[tool(headers={"Authorization": "Bearer {{secret__CRM}}"})])
    added = agent(tools=[tool(headers={"A": "lemur"}, constants={"key": "lemur"})])

    (change,) = changes(before, after)
    assert change.path == "tools.order.webhook.headers.Authorization"
    assert (change.before, change.after) == (HIDDEN, "Bearer {{secret__CRM}}")
    for pair in ((agent(), added), (added, agent()), (before, added)):
        assert changes(*pair)
        assert "lemur" not in repr(changes(*pair))


TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="{}"), max_size=8)


@given(TEXT, TEXT, st.dictionaries(st.sampled_from("abc"), TEXT), st.booleans())
def test_nothing_differs_from_itself_and_a_difference_is_seen(
    prompt: str, other: str, variables: dict[str, str], public: bool
):
    one = agent(system_prompt=prompt, dynamic_variables=variables, access={"public": public})
    two = one.model_copy(update={"system_prompt": other})

    assert changes(one, one) == []
    assert bool(changes(one, two)) == (one != two)
