"""What the page and the widget say, in every language that they have words for."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from conversation.server.pages.client_config import client_config
from conversation.server.pages.scripts import CLIENT
from conversation.widget.widget_config import TEXT_KEYS
from conversation.widget.words import languages_with_words, words_for
from tests.conversation.server.pages.shown import shown_agent

NEVER_TRANSLATED = {"title", "disclaimer", "key_title", "key_why", "key"}
"""Empty ones, and what is asked before it is known which agent it is."""


def english() -> dict[str, str]:
    """As the script has them."""
    source = (CLIENT / "words.js").read_text("utf-8")
    table = source[source.index("const ENGLISH = {") : source.index("};")]
    found = re.findall(r'^  (\w+):\s+"((?:[^"\\]|\\.)*)"', table, re.MULTILINE)
    return {key: json.loads(f'"{text}"') for key, text in found}


def words(language: str) -> dict[str, str]:
    path = files("conversation.widget") / "words" / f"{language}.json"
    return json.loads(path.read_text("utf-8"))


def test_the_languages_are_these():
    assert languages_with_words() == {"de", "fr", "es", "ar", "pt", "it", "nl", "ja", "zh"}


@pytest.mark.parametrize("language", sorted(languages_with_words()))
def test_a_language_has_every_word_and_fills_in_the_same(language: str):
    ours, theirs = english(), words(language)
    names = re.compile(r"\{\w+\}")

    assert theirs.keys() == ours.keys() - NEVER_TRANSLATED
    assert all(text.strip() == text != "" for text in theirs.values())
    for key, text in theirs.items():
        assert sorted(names.findall(text)) == sorted(names.findall(ours[key])), key


def test_what_an_agent_file_may_say_otherwise_is_said_somewhere():
    assert english().keys() >= TEXT_KEYS


def test_every_word_is_used():
    scripts = "".join(
        path.read_text("utf-8") for path in CLIENT.iterdir() if path.name.endswith(".js")
    )
    unused = [
        key for key in english() if not re.search(rf'(?:words\.|"|\? ?){key}\b(?!:)', scripts)
    ]

    assert unused == []


@pytest.mark.parametrize(
    ("sections", "languages"),
    [
        ({"language": "en"}, []),
        ({"language": "de"}, ["de"]),
        ({"language": "pt-BR"}, ["pt"]),
        ({"language": "sw"}, []),
        ({"language": "en", "languages": {"ja": {}}}, []),
        ({"language": "en", "languages": {"ja": {}}, "overrides": {"language": True}}, ["ja"]),
    ],
)
def test_an_agent_gets_the_words_of_its_languages(sections: dict[str, Any], languages: list[str]):
    texts = client_config(shown_agent("desk", **sections), has_voice=False)["texts"]

    assert sorted(texts) == languages


def test_words_of_an_agent_come_first():
    found = words_for(["de"], {"de": {"send": "Los"}, "de-AT": {"close": "Zu"}})

    assert found["de"]["send"] == "Los"
    assert found["de"]["placeholder"] == "Nachricht schreiben"
    assert found["de-AT"] == {"close": "Zu"}
