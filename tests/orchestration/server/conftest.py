"""Servers of these tests warm up in a thread of their own, beside the tests."""

import pytest

from conversation.llm.providers.litellm_model import load_litellm


@pytest.fixture(scope="session", autouse=True)
def litellm_is_loaded() -> None:
    """Import it in the thread of the tests, where its warnings are ignored.

    A thread that imports it while one test hands its warning filters to the next may meet an error,
    and a module of which a half was imported stays broken for all tests that follow.
    """
    load_litellm()
