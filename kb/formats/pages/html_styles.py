"""What a page hides by the classes of its own style sheet, written at the elements themselves.

Read as far as that takes: the cascade of the properties that hide, in rules that hold on a screen
of any size. Style sheets of their own files are not fetched.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import islice

from kb.formats.pages.css.rules import NAME, SCREEN, STATE, StyleRule, rules_in, with_variables
from kb.formats.pages.html_script import named_by_scripts
from kb.formats.pages.html_text import Element, tag_of, visible_text
from kb.formats.text_builder import one_line
from kb.formats.vendors import vendor

_MAX_CHARS = 400_000
_MAX_SELECTORS = 400
"""Selectors that are looked for beside one rule."""
_MAX_LOOKED_FOR = 1_200
"""Selectors that are looked for in one page."""
_MAX_HIDING = 100
"""Rules that hide something of the page."""
_PROPERTY = re.compile(r"([a-z-]+)\s*:")
_HIDING_PROPERTIES = frozenset(
    {"display", "visibility", "font-size", "left", "top", "text-indent", "transform", "opacity"}
    | {"color", "background", "background-color", "font", "content-visibility", "zoom", "filter"}
)
_COLOURS = frozenset({"color", "background", "background-color"})
_MAX_HIDDEN_SHARE = 0.5
"""More of the text of a page than this is not hidden, but waits for a script to show it."""
_MAY_HIDE = re.compile(
    r"none|hidden|collapse|opacity|font|-\d{3,}|scale\(|zoom|colou?r", re.IGNORECASE
)
_SIZE = r"(?:^|;)\s*font-size\s*:\s*"
_TINY = re.compile(
    _SIZE + r"(?:0+|0*\.\d+(?:px|pt)|1(?:\.[0-4]\d*)?(?:px|pt)|0*\.0\d*r?em|0+(?:\.0*)?(?:[a-z]+|%)"
    r"|[0-9](?:\.\d*)?%)\s*(?:;|$|!)",
    re.IGNORECASE,
)
_TINY_FONT = re.compile(
    r"(?:^|;)\s*font\s*:[^;:]{0,60}?(?<![\d.#/])0(?:px|pt|r?em|%)?\s*[/\s]", re.IGNORECASE
)
_SIZED = re.compile(r"(?:^|;)\s*font(?:-size)?\s*:", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:([^;!]*)", re.IGNORECASE)
_PALE = re.compile(
    r"\s*(?:white|transparent|#f{3,4}|#f{6}(?:ff)?|#(?:[0-9a-f]{3}0|[0-9a-f]{6}00)"
    r"|rgba?\(\s*255[\s,]+255[\s,]+255\s*(?:[,/][^()]*)?\)"
    r"|rgba\([^()]*[,/]\s*0?(?:\.0\d*)?%?\s*\)"
    r"|hsla?\([^()]*[\s,]100%\s*(?:[,/][^()]*)?\))\s*",
    re.IGNORECASE,
)
_COLOURED = re.compile(r"(?:^|;)\s*(?:color|-webkit-text-fill-color)\s*:", re.IGNORECASE)
_GROUND = re.compile(
    r"(?:^|;)\s*(?:background(?:-color|-image)?\s*:\s*"
    r"(?!(?:none|transparent|white|#fff|#ffffff|inherit|initial)\s*(?:;|$|!))"
    r"|(?:position|transform|translate|inset|z-index|grid-(?:area|row|column)|filter|text-shadow"
    r"|mix-blend-mode|color-scheme|-webkit-text-[a-z-]+|margin[a-z-]*\s*:[^;]*-\d|float|all)\b)",
    re.IGNORECASE,
)
"""What may lay a colour or a picture behind the words, or move them to where one is."""
_COLOURS_OF_ITS_OWN = frozenset({"a", "mark", "button", "input", "img", "svg", "video", "canvas"})


def apply_styles(root: Element, *ways: Callable[[str], bool]) -> None:
    """Write into `style` what the page's own rules hide, where nothing could show it again.

    A part that another rule shows, or that a script of the page names, is opened by its reader.

    Args:
        root: The page.
        ways: Each says whether the value of a `style` hides its element in one way.
    """
    source = with_variables("\n".join(_sources(root))[:_MAX_CHARS], scripts=_scripts(root))
    if not _MAY_HIDE.search(source):
        return
    present, page = _names_in(root), _Matches(root)
    for hides in ways:
        relevant = _relevant(source, present, hides)
        if relevant:
            _apply(root, list(rules_in(relevant)), hides, present, page)


def _apply(
    root: Element,
    rules: list[StyleRule],
    hides: Callable[[str], bool],
    present: set[str],
    page: "_Matches",
) -> None:
    hiding = {rule: found for rule in rules if (found := _hiding(rule, hides))}
    if not hiding:
        return
    named = page.named_by_scripts
    hidden: dict[Element, StyleRule] = {}
    usable = (
        rule
        for rule in hiding
        if rule.names and rule.names <= present and not {each[1:] for each in rule.names} & named
    )
    for rule in islice(usable, _MAX_HIDING):
        others = list(islice(_showing(rules, hiding, hiding[rule]), _MAX_SELECTORS))
        for element in page.of(rule):
            if tag_of(element) and not _is_shown(element, rule, hiding[rule], others, page):
                hidden.setdefault(element, rule)
    if _is_most(root, hidden):
        return
    for element, rule in hidden.items():
        element.set("style", f"{rule.text};{element.get('style') or ''}")


def is_pale(style: str) -> bool:
    """Whether the text of a style is white or transparent, if nothing else gives it a ground."""
    colours = _COLOUR.findall(style)
    return bool(colours) and _PALE.fullmatch(colours[-1]) is not None


def is_tiny(style: str) -> bool:
    """Whether the type of a style is too small for anybody to read."""
    return _TINY.search(style) is not None or _TINY_FONT.search(style) is not None


class Grounds:
    """What lies behind the words of a page, as far as the page itself says it.

    Rules count for every element that they may ever match, in any state and on any screen: where
    a ground is possible, white text is taken for seen.
    """

    def __init__(self, root: Element) -> None:
        self._root = root

    def hide(self, element: Element) -> bool:
        """Whether the own style of an element makes its words tiny, or white on white."""
        style = _stated(element)
        tiny = is_tiny(style)
        if not tiny and (not is_pale(style) or self._has_other_sheets):
            return False
        inner = [each for each in element.iterdescendants() if tag_of(each)]
        if tiny:
            sized = self._sized
            return not any(
                each in sized or (_SIZED.search(_stated(each)) and not is_tiny(_stated(each)))
                for each in inner
            )
        if any(self._is_ground(each) for each in (element, *element.iterancestors(), *inner)):
            return False
        return not any(self._has_own_colour(each) for each in inner)

    def _is_ground(self, element: Element) -> bool:
        return (
            (element.get("bgcolor") or "").strip().lower() not in ("", "white", "#ffffff")
            or bool(element.get("background"))
            or _GROUND.search(_stated(element)) is not None
            or element in self._grounded
        )

    def _has_own_colour(self, element: Element) -> bool:
        style = _stated(element)
        if tag_of(element) in _COLOURS_OF_ITS_OWN or element in self._coloured:
            return True
        return _COLOURED.search(style) is not None and not is_pale(style)

    @cached_property
    def _has_other_sheets(self) -> bool:
        """Whether rules that are not read, in files of their own, may colour anything."""
        linked = any(
            "stylesheet" in (each.get("rel") or "").lower() for each in self._root.iter("link")
        )
        schemes = (each.get("name") == "color-scheme" for each in self._root.iter("meta"))
        sheets = (each.text or "" for each in self._root.iter("style"))
        # Nested rules are not taken apart.
        return linked or any(schemes) or any("@import" in each or "&" in each for each in sheets)

    @cached_property
    def _grounded(self) -> set[Element]:
        return _ever_matched(self._root, lambda body: bool(_GROUND.search(body)))

    @cached_property
    def _coloured(self) -> set[Element]:
        return _ever_matched(
            self._root, lambda body: bool(_COLOURED.search(body)) and not is_pale(body)
        )

    @cached_property
    def _sized(self) -> set[Element]:
        return _ever_matched(
            self._root, lambda body: bool(_SIZED.search(body)) and not is_tiny(body)
        )


def _ever_matched(root: Element, sets: Callable[[str], bool]) -> set[Element]:
    """The elements of such rules; every element where rules cannot be read, or are too many."""
    css, found = vendor("cssselect"), set[Element]()
    source = "\n".join(each.text or "" for each in root.iter("style"))
    if len(source) > _MAX_CHARS:
        return set(root.iter())
    selectors = {
        STATE.sub("", each).strip() or "*"
        for head, _, body in _taken_apart(source)
        if sets(body.strip())
        for each in head.rpartition("{")[2].rpartition(";")[2].split(",")
    }
    if len(selectors) > _MAX_SELECTORS:
        return set(root.iter())
    for selector in selectors:
        try:
            found.update(root.xpath(css.HTMLTranslator().css_to_xpath(selector)))
        except (css.SelectorError, ValueError, RecursionError):
            return set(root.iter())
    return found


def _stated(element: Element) -> str:
    """The own style of an element, with the colour that a `font` has by an attribute."""
    style = element.get("style") or ""
    colour = element.get("color") if tag_of(element) == "font" else None
    return f"color:{colour};{style}" if colour else style


def _taken_apart(source: str) -> list[tuple[str, str, str]]:
    first, *behind = source.split("/*")
    uncommented = first + "".join(piece.partition("*/")[2] for piece in behind)
    return [piece.rpartition("{") for piece in uncommented.split("}")]


def _relevant(source: str, present: set[str], hides: Callable[[str], bool]) -> str:
    """A style sheet without the rules that set none of the properties that something is hidden by.

    Taking a style sheet apart as the standard says costs more than the rest of a page.
    """
    pieces = _taken_apart(source)
    used: set[str] = set()
    for selector, _, body in pieces:
        if hides(body) and any("".join(each) in present for each in NAME.findall(selector)):
            used.update(_PROPERTY.findall(body.lower()))
    used &= _HIDING_PROPERTIES
    if not used:
        return ""
    kept: list[str] = []
    for head, brace, body in pieces:
        if used.isdisjoint(_PROPERTY.findall(body.lower())):
            outer, opened, _ = head.rpartition("{")
            kept.append(outer + opened)
            # What closes a rule goes with it; what closes a group of rules stays.
            kept.append("" if brace else "}")
        else:
            kept.append(f"{head}{brace}{body}}}")
    return "".join(kept)


def _hiding(rule: StyleRule, hides: Callable[[str], bool]) -> frozenset[str]:
    """The properties by which a rule hides; none for a rule that does not."""
    if not hides(rule.text):
        return frozenset()
    alone = {name for name, value in rule.declarations.items() if hides(f"{name}:{value}")}
    return frozenset(alone or _COLOURS & rule.declarations.keys())


def _showing(
    rules: list[StyleRule],
    hiding: Mapping[StyleRule, frozenset[str]],
    properties: frozenset[str],
) -> Iterator[StyleRule]:
    """Rules that set one of these properties to what does not hide."""
    for rule in rules:
        if properties & rule.declarations.keys() - hiding.get(rule, frozenset()):
            yield rule


def _scripts(root: Element) -> str:
    return "\n".join(each.text or "" for each in root.iter("script"))


def _sources(root: Element) -> Iterator[str]:
    for style in root.iter("style"):
        if SCREEN.fullmatch(style.get("media") or ""):
            yield style.text or ""


class _Matches:
    """The elements that selectors match, each looked for once."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._found: dict[str, tuple[set[Element], tuple[int, int, int]]] = {}

    @cached_property
    def named_by_scripts(self) -> frozenset[str]:
        return frozenset(named_by_scripts(self._root))

    def of(self, rule: StyleRule) -> set[Element]:
        return self._look(rule.selector)[0]

    def weight(self, rule: StyleRule) -> tuple[int, int, int]:
        return self._look(rule.selector)[1]

    def _look(self, selector: str) -> tuple[set[Element], tuple[int, int, int]]:
        found = self._found.get(selector)
        if found is None:
            none: tuple[set[Element], tuple[int, int, int]] = (set(), (0, 0, 0))
            found = self._search(selector) if len(self._found) < _MAX_LOOKED_FOR else none
            self._found[selector] = found
        return found

    def _search(self, selector: str) -> tuple[set[Element], tuple[int, int, int]]:
        css = vendor("cssselect")
        try:
            (parsed,) = css.parse(selector)
            if parsed.pseudo_element is not None:
                return set(), (0, 0, 0)
            path = css.HTMLTranslator().selector_to_xpath(parsed)
            return set(self._root.xpath(path)), parsed.specificity()
        except (css.SelectorError, ValueError, RecursionError):
            return set(), (0, 0, 0)


def _is_shown(
    element: Element,
    rule: StyleRule,
    properties: frozenset[str],
    others: list[StyleRule],
    page: _Matches,
) -> bool:
    for other in others:
        matches = element in page.of(other)
        if other.names & rule.names and not matches:
            return True  # Another state of the same part shows it: a reader can open it.
        if matches and _wins(other, rule, properties, page):
            return True
    inline = {each.partition(":")[0].strip() for each in (element.get("style") or "").split(";")}
    return bool(inline & properties - rule.important)


def _wins(other: StyleRule, rule: StyleRule, properties: frozenset[str], page: _Matches) -> bool:
    return any(
        (name in other.important, page.weight(other), other.order)
        > (name in rule.important, page.weight(rule), rule.order)
        for name in properties & other.declarations.keys()
    )


def _names_in(root: Element) -> set[str]:
    names: set[str] = set()
    for each in root.iter():
        if tag_of(each):
            names.update(f".{name}" for name in (each.get("class") or "").split())
            names.add(f"#{each.get('id')}")
    return names


def _is_most(root: Element, hidden: Mapping[Element, StyleRule]) -> bool:
    body = root.find("body")
    length = len(one_line(visible_text(root if body is None else body)))
    outermost = [each for each in hidden if not any(up in hidden for up in each.iterancestors())]
    return sum(len(one_line(visible_text(each))) for each in outermost) > _MAX_HIDDEN_SHARE * length
