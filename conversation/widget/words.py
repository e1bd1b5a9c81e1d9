"""What the page and the widget say to users, by language. English stands in their own script."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

_FOLDER = files("conversation.widget") / "words"


def words_for(
    languages: Iterable[str], own: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Words of the languages that an agent speaks, its own before those that come with the package.

    Args:
        languages: Codes such as `de` or `pt-BR`; a language without words has none in the answer,
            and is shown in English.
        own: The agent's, by language.
    """
    found = {base: words for code in languages if (words := _built_in(base := base_of(code)))}
    for code, words in own.items():
        found[code] = {**found.get(code, {}), **words}
    return found


def base_of(code: str) -> str:
    """`pt` of `pt-BR`."""
    return code.lower().split("-")[0]


@cache
def languages_with_words() -> frozenset[str]:
    """Beside English."""
    names = (path.name for path in _FOLDER.iterdir())
    return frozenset(name.removesuffix(".json") for name in names if name.endswith(".json"))


@cache
def _built_in(base: str) -> dict[str, str]:
    if base not in languages_with_words():
        return {}
    return json.loads((_FOLDER / f"{base}.json").read_text("utf-8"))
