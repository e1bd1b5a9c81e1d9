"""Modules of the page and the widget, as they are joined into one file for each."""

import re
from collections import Counter
from collections.abc import Callable

import pytest

from conversation.server.pages.scripts import (
    CLIENT,
    Script,
    modules_of,
    page_script,
    plain_style,
    widget_script,
    worklet,
)

MAX_COMPRESSED_BYTES = 40_000
ENTRIES = ("page", "widget")
DECLARED = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|class|const|let) ([A-Za-z_$][\w$]*)", re.MULTILINE
)


def test_the_widget_is_small():
    assert len(widget_script().compressed) <= MAX_COMPRESSED_BYTES


@pytest.mark.parametrize("entry", ENTRIES)
def test_modules_come_after_those_that_they_need(entry: str):
    order = modules_of(entry)

    assert order[-1] == entry
    assert len(order) == len(set(order))
    for number, name in enumerate(order):
        assert set(modules_of(name)[:-1]) <= set(order[:number])


def declared(module: str) -> list[str]:
    """What a module declares outside of functions."""
    return DECLARED.findall((CLIENT / f"{module}.js").read_text("utf-8"))


@pytest.mark.parametrize("entry", ENTRIES)
def test_joined_modules_do_not_share_names(entry: str):
    names = Counter(name for module in modules_of(entry) for name in declared(module))

    assert [name for name, count in names.items() if count > 1] == []
    assert {"Talk", "Conversation", "renderMarkdown"} <= names.keys()


@pytest.mark.parametrize("script", [page_script, widget_script, worklet])
def test_nothing_of_modules_is_left_in_what_is_joined(script: Callable[[], Script]):
    text = script().content.decode()

    assert re.findall(r"^\s*(?:import|export)\b.*", text, re.MULTILINE) == []


def test_text_of_models_never_becomes_markup():
    for path in CLIENT.iterdir():
        if path.name.endswith(".js"):
            found = re.findall(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b"
                r"|createContextualFragment|srcdoc|new Function|setHTMLUnsafe",
                path.read_text("utf-8"),
            )
            assert found == [], path.name


def test_nothing_is_kept_in_the_browser():
    page, widget = page_script().content.decode(), widget_script().content.decode()
    stores = r"localStorage|sessionStorage|indexedDB|\.cookie|caches\.|window\.name"

    assert not re.search(stores, page + widget)
    # A page of others has its own history.
    assert "history." not in widget


def test_the_widget_brings_its_style():
    text = widget_script().content.decode()

    assert ".vv-launcher" in text
    assert "/*" not in plain_style()
