"""What a provider's error says about when to come back."""

import pytest

from conversation.errors import ModelUnavailableError
from conversation.llm.providers.litellm_errors import as_model_error


class RateLimitError(Exception):
    """As litellm raises it."""

    status_code = 429

    def __init__(self, **headers: str) -> None:
        self.litellm_response_headers = {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        super().__init__("litellm.RateLimitError: slow down")


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "7", "retry_after_ms": "6500"}, 6.5),
        ({"retry_after": "-1"}, 0.0),
        (
            {
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
                "retry_after": "Wed, 21 Oct 2026 07:28:12 GMT",
            },
            12.0,
        ),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:12 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_the_pause_is_read_in_every_form(headers: dict[str, str], pause_s: float | None):
    found = as_model_error(RateLimitError(**headers), "a/b", api_base=None, key_names=())

    assert isinstance(found, ModelUnavailableError)
    assert found.retry_after_s == pause_s
    assert "rate limited (429)" in str(found)


@pytest.mark.parametrize(
    ("message", "meaning", "may_pass"),
    [
        ("Overloaded", "is overloaded", True),
        ('{"type": "overloaded_error"}', "is overloaded", True),
        ("The server is busy, try later", "is overloaded", True),
        ("The model is at over capacity", "is overloaded", True),
        ("blocked by the content filter", "content filter of", False),
        ("ContentPolicyViolationError: content_policy", "content filter of", False),
    ],
)
def test_what_comes_in_the_middle_of_a_stream_has_its_own_words(
    message: str, meaning: str, may_pass: bool
):
    class APIConnectionError(Exception):
        """As litellm wraps an error event of a stream."""

    found = as_model_error(APIConnectionError(message), "a/b", api_base=None, key_names=())

    assert meaning in str(found)
    assert "Start its server" not in str(found)
    assert found.retryable is may_pass


@pytest.mark.parametrize(
    ("api_base", "key_names", "remedy"),
    [
        ("http://127.0.0.1:9/v1", ("OWN_KEY",), "Start its server, or correct `api_base`."),
        (None, (), "Start its server, or correct `api_base`."),
        (None, ("OPENAI_API_KEY",), "Look whether this machine reaches the network"),
    ],
)
def test_who_cannot_be_reached_is_a_server_of_ones_own_or_the_network(
    api_base: str | None, key_names: tuple[str, ...], remedy: str
):
    class APIConnectionError(Exception):
        """As litellm names it."""

    error = APIConnectionError("Connection error.")
    found = as_model_error(error, "openai/own", api_base=api_base, key_names=key_names)

    assert remedy in str(found)
