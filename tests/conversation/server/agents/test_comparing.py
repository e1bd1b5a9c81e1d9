"""Where two versions of an agent differ."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conversation.agent.config import AgentConfig
from conversation.server.agent_routes.comparing import Change, changes
from conversation.server.keys.write_only import HIDDEN


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


def test_a_token_in_an_address_is_hidden_and_its_change_is_seen():
    before = agent(tools=[tool(url="https://hooks.example/in/T0K3N9x?key=lemur&page=2")])
    after = agent(tools=[tool(url="https://hooks.example/in/T0K3N9y?key=ibex")])

    (change,) = changes(before, after)
    assert change.path == "tools.order.webhook.url"
    assert "hooks.example/in/" in change.before
    for secret in ("T0K3N9", "lemur", "ibex"):
        assert secret not in repr(change)


def test_names_of_entries_are_no_secrets():
    """Entries that are called like secrets are told apart by their names all the same."""
    before = agent(tools=[tool("token"), tool("api_key")])
    after = agent(tools=[tool("token", method="GET"), tool("api_key")])

    assert changes(before, after) == [Change("tools.token.webhook.method", "POST", "GET")]


TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="{}"), max_size=8)


@given(TEXT, TEXT, st.dictionaries(st.sampled_from("abc"), TEXT), st.booleans())
def test_nothing_differs_from_itself_and_a_difference_is_seen(
    prompt: str, other: str, variables: dict[str, str], public: bool
):
    one = agent(system_prompt=prompt, dynamic_variables=variables, access={"public": public})
    two = one.model_copy(update={"system_prompt": other})

    assert changes(one, one) == []
    assert bool(changes(one, two)) == (one != two)
