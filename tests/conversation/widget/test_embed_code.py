import pytest

from conversation.widget.embed_code import content_policy, embed_code, frame_code


def test_variables_that_a_page_has_to_give_are_attributes():
    code = embed_code("desk", "https://a.example", variables=["order_id"])

    assert code.endswith('<vivavoce-widget agent-id="desk" var-order-id="..."></vivavoce-widget>')


def test_a_private_agent_needs_a_signed_url():
    assert 'signed-url="SIGNED_URL"' in embed_code("desk", "https://a.example", is_public=False)


def test_an_address_cannot_leave_its_attribute():
    address = 'https://a.example/"><script>'

    assert "<script>alert" not in embed_code("desk", address)
    assert '"><script>' not in frame_code("desk", address)


@pytest.mark.parametrize(
    ("server", "policy"),
    [
        (
            "https://a.example/agents/",
            "script-src https://a.example; connect-src https://a.example wss://a.example",
        ),
        (
            "http://127.0.0.1:8080",
            "script-src http://127.0.0.1:8080; "
            "connect-src http://127.0.0.1:8080 ws://127.0.0.1:8080",
        ),
    ],
)
def test_a_page_allows_scripts_and_sockets_of_the_server(server: str, policy: str):
    assert content_policy(server) == policy
