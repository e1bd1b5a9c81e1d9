"""What a reader opens with a click: panels of accordions and tabs, and what opens them.

A panel is text, also while it is hidden; what opens it is the heading that it stands under.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kb.formats.pages.html_text import HEADINGS, Element, tag_of, visible_text
from kb.formats.text_builder import one_line

WAS_HIDDEN = "data-was-hidden"
"""Attribute of a panel that was hidden until a reader opens it."""
_OUTSIDE = frozenset({"nav", "header", "footer", "form", "menu", "aside"})
_CONTENT = frozenset({"div", "section", "p", "ul", "ol", "dd", "article", "table", "dl", "pre"})
_TOGGLES = ("data-toggle", "data-bs-toggle", "data-hs-toggle", "uk-toggle")
_OVERLAYS = frozenset({"modal", "dropdown", "tooltip", "popover", "offcanvas"})
_TARGETS = ("aria-controls", "data-target", "data-bs-target", "href", "panel", "data-tab")
_MIN_QUESTION_WORDS = 3
_MAX_LABEL_CHARS = 300
_MAX_STEPS_UP = 3
_QUOTED = re.compile(r"""["'`]#?([\w:.-]{1,100})["'`]""")
_MAX_TAKEN_APART = 20_000
"""Characters of a script's line that are looked at for what it opens."""


def panels(root: Element) -> dict[Element, Element]:
    """Each element that a click opens -> what is clicked, in the order of the page."""
    elements = [each for each in root.iter() if tag_of(each)]
    by_name: dict[str, Element] = {}
    for each in elements:
        if name := each.get("id") or _panel_name(each):
            by_name.setdefault(name, each)
    found: dict[Element, Element] = {}
    for panel, opener in _by_name(elements, by_name):
        if panel is not opener:
            found.setdefault(panel, opener)
    for panel, opener in _by_order(elements, taken=set(found.values())):
        found.setdefault(panel, opener)
    return found


def _by_name(
    elements: Sequence[Element], by_name: Mapping[str, Element]
) -> Iterator[tuple[Element, Element]]:
    for opener in filter(_is_opener, elements):
        yield from ((by_name[name], opener) for name in _names_opened(opener) if name in by_name)
    for panel in filter(_is_panel, elements):
        for name in (panel.get("aria-labelledby") or "").split():
            if name in by_name and _role(by_name[name]) == "tab":
                yield panel, by_name[name]


def is_opened_by_click(element: Element, repeated: Mapping[tuple[str, ...], int]) -> bool:
    """Whether hidden text is a panel by its role, or follows what opens it.

    Args:
        element: What is hidden.
        repeated: Of `following_pairs`: what many times follows the same is opened by it.
    """
    if _is_panel(element):
        return True
    if not one_line(visible_text(element)):
        return False
    before = element.getprevious()
    if before is None or not tag_of(before):
        return False
    label = one_line(visible_text(before))
    for each in (before, *before.iterdescendants()):
        if each.get("aria-expanded") is not None:
            return True
        if tag_of(each) and _is_opener(each) and label and one_line(visible_text(each)) == label:
            return True
    return repeated.get(_pair(before, element), 0) > 1 and len(label) <= _MAX_LABEL_CHARS


def following_pairs(elements: Sequence[Element]) -> Counter[tuple[str, ...]]:
    """How often what is hidden follows an element of the same kind."""
    pairs: Counter[tuple[str, ...]] = Counter()
    for element in elements:
        before = element.getprevious()
        if before is not None and tag_of(before) and element.get("class") and _says(before):
            pairs[_pair(before, element)] += 1
    return pairs


def show_openers(root: Element) -> list[Element]:
    """Make headings of what opens text: a question above its answer, a tab above its panel.

    Returns the panels that are blocks of any content.
    """
    levels = _levels_below(root)
    opened = panels(root)
    for panel, opener in opened.items():
        _head_panel(panel, opener, levels)
        _forget_hiding(panel)
    boxes = {
        each.get("id")
        for each in root.iter("input")
        if (each.get("type") or "").lower() in ("checkbox", "radio") and each.get("id")
    }
    for element in [each for each in levels if tag_of(each) not in (*HEADINGS, "summary")]:
        parent = element.getparent()
        if parent is None:
            continue
        if tag_of(parent) in HEADINGS:
            element.drop_tag()
        elif _opens_answer(element, boxes):
            element.tag = levels[element]
            element.attrib.pop("role", None)
    for heading in root.iter(*HEADINGS):
        for inner in [each for each in heading.iter("button", "label")]:
            inner.drop_tag()
        if _role(heading) in ("button", "tab"):
            del heading.attrib["role"]
    return [each for each in opened if tag_of(each) in ("div", "section", "article")]


def _head_panel(panel: Element, opener: Element, levels: Mapping[Element, str]) -> None:
    """Put what opens a panel elsewhere on the page above the text of the panel."""
    label = one_line(visible_text(opener))
    said = one_line(visible_text(panel))
    if not label or len(label) > _MAX_LABEL_CHARS or opener in panel.iterdescendants():
        return
    if not said:
        _name_empty(panel, opener, label)
        return
    if not _is_tab(opener) and panel.get(WAS_HIDDEN) is None:
        return
    if opener in panel.iterancestors() or any(_is_furniture(each) for each in (panel, opener)):
        return
    if _following(opener) is panel or _is_before(opener, panel):
        return
    if not said.casefold().startswith(label.casefold()):
        heading = panel.makeelement(levels.get(opener, "h3"))
        heading.text, heading.tail, panel.text = label, panel.text, None
        _deepen(panel, int(heading.tag[1]))
        panel.insert(0, heading)
    for child in list(opener):
        opener.remove(child)
    opener.text = None


def _forget_hiding(panel: Element) -> None:
    """Take away what a finder of articles knows hidden things by, such as the class `tab-hide`."""
    for attribute in ("class", "id", "aria-hidden") if not _is_furniture(panel) else ():
        panel.attrib.pop(attribute, None)


def _name_empty(panel: Element, opener: Element, label: str) -> None:
    """A panel that a script fills later says what it is called; more of it is not in the page."""
    if not _is_tab(opener) or any(_is_furniture(each) for each in (panel, opener)):
        return
    name = panel.makeelement("p")
    name.text = label
    panel.insert(0, name)


def _is_before(opener: Element, panel: Element) -> bool:
    """Whether what stands right before the panel is the opener and nothing else."""
    before = panel.getprevious()
    if before is None or not (before is opener or opener in before.iterdescendants()):
        return False
    return one_line(visible_text(before)) == one_line(visible_text(opener))


def _deepen(panel: Element, level: int) -> None:
    """Put the headings of a panel below the one that it gets."""
    inner = [each for each in panel.iter(*HEADINGS)]
    step = level + 1 - min((int(tag_of(each)[1]) for each in inner), default=level + 1)
    for each in inner if step > 0 else ():
        each.tag = f"h{min(int(tag_of(each)[1]) + step, 6)}"


def _by_order(
    elements: Sequence[Element], taken: set[Element]
) -> Iterator[tuple[Element, Element]]:
    """Tabs and panels that only their order joins: as many of the ones as of the others."""
    for holder in elements:
        tabs = [each for each in holder if _role(each) == "tab" or _is_box_label(each)]
        if _role(holder) == "tablist":
            tabs = [each for each in holder.iter() if _role(each) == "tab"]
        if len(tabs) < 2 or any(each in taken for each in tabs):
            continue
        shown = _panels_after(holder)
        if len(shown) == len(tabs):
            yield from zip(shown, tabs, strict=True)


def _panels_after(holder: Element) -> list[Element]:
    around, inside = holder.getparent(), holder
    for _ in range(_MAX_STEPS_UP):
        if around is None:
            return []
        found = [each for each in around.iter() if _role(each) == "tabpanel"]
        if found:
            return [each for each in found if each not in set(inside.iterdescendants())]
        following = inside.getnext()
        if following is not None and _is_box_label(next(iter(holder), holder)):
            return [each for each in following if tag_of(each) in _CONTENT]
        inside, around = around, around.getparent()
    return []


def _opens_answer(element: Element, boxes: set[str | None]) -> bool:
    text = one_line(visible_text(element))
    following = _following(element)
    if not text or len(text) > _MAX_LABEL_CHARS or following is None or _is_furniture(element):
        return False
    if tag_of(following) not in _CONTENT or not one_line(visible_text(following)):
        return False
    if any(tag_of(inner) in HEADINGS for inner in element.iter() if inner is not element):
        return False
    if tag_of(element) == "label":
        return element.get("for") in boxes
    if element.get("aria-expanded") is not None or element.get("aria-controls"):
        return True
    if _toggles(element):
        return True
    if tag_of(element) == "a":
        return False  # It leads there.
    return (element.get("type") or "").lower() != "submit" and (
        len(text.split()) >= _MIN_QUESTION_WORDS or text.endswith(("?", "\uff1f"))
    )


def _following(element: Element) -> Element | None:
    """What stands next, also beside an element that holds nothing else."""
    if tag_of(element) == "label":
        return element.getnext()
    label = one_line(visible_text(element))
    for _ in range(_MAX_STEPS_UP):
        if (following := element.getnext()) is not None:
            return following if not (element.tail or "").strip() else None
        parent = element.getparent()
        if parent is None or one_line(visible_text(parent)) != label:
            return None
        element = parent
    return None


def _levels_below(root: Element) -> dict[Element, str]:
    """The heading one level below the one that each thing to click stands under."""
    level, found = 1, dict[Element, str]()
    for element in root.iter():
        tag = tag_of(element)
        if tag in HEADINGS:
            level = int(tag[1])
        if tag in ("button", "label") or (tag and _is_opener(element)):
            found[element] = f"h{min(level + 1, 6)}"
    return found


def _is_opener(element: Element) -> bool:
    tag, role = tag_of(element), _role(element)
    if tag in ("input", "select", "textarea", "option"):
        return False
    return (
        tag in ("button", "summary")
        or role in ("tab", "button")
        or element.get("aria-expanded") is not None
        or _toggles(element)
        or tag.endswith("-tab")
        or bool(element.get("onclick"))
    )


def _is_tab(element: Element) -> bool:
    return (
        _role(element) == "tab"
        or tag_of(element).endswith("-tab")
        or _is_box_label(element)
        or any(element.get(each) in ("tab", "pill", "list") for each in _TOGGLES)
        or bool(element.get("data-tab"))
    )


def _toggles(element: Element) -> bool:
    """Whether an element opens a part of the page, as scripts of known families have it say."""
    values = (element.get(each) for each in _TOGGLES)
    return any(value is not None and value not in _OVERLAYS for value in values)


def _names_opened(element: Element) -> Iterator[str]:
    for attribute in _TARGETS:
        value = (element.get(attribute) or "").strip()
        if attribute == "href" and not value.startswith("#"):
            continue
        yield from (name.lstrip("#") for name in value.split())
    for match in _QUOTED.finditer((element.get("onclick") or "")[:_MAX_TAKEN_APART]):
        yield match[1]


def _panel_name(element: Element) -> str | None:
    """The name of a panel of a page's own making, which its tab calls it by."""
    return element.get("name") if tag_of(element).endswith("-panel") else None


def _is_panel(element: Element) -> bool:
    return _role(element) == "tabpanel" or tag_of(element).endswith("-tab-panel")


def _is_box_label(element: Element) -> bool:
    return tag_of(element) == "label" and bool(element.get("for"))


def _is_furniture(element: Element) -> bool:
    return any(tag_of(above) in _OUTSIDE for above in element.iterancestors())


def _pair(before: Element, element: Element) -> tuple[str, ...]:
    return (
        tag_of(before),
        before.get("class") or "",
        tag_of(element),
        element.get("class") or "",
    )


def _says(element: Element) -> bool:
    return bool(one_line(visible_text(element)))


def _role(element: Element) -> str:
    return (element.get("role") or "").lower() if tag_of(element) else ""
