"""Which of an agent's languages somebody means who names one otherwise. Pure."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, cast

_SUBTAG = re.compile(r"[A-Za-z0-9]+")
_AFTER_TAG = re.compile(r"[.;,@\s]")
"""`de_DE.UTF-8`, `sr_RS@latin`, `de;q=0.8`."""


_NORWEGIAN = {"nb", "nn"}
"""Who writes one of them reads the other."""


class _Tag(NamedTuple):
    """A language as the Unicode consortium spells it out: `zh-TW` is `zh-Hant-TW`."""

    written: str
    primary: str
    script: str
    region: str

    @property
    def is_bare(self) -> bool:
        return "-" not in self.written


def known_language(wanted: str, known: Sequence[str]) -> str | None:
    """The one of `known` that is nearest to a tag such as `de-DE`, `pt_BR` or `zh-Hans`.

    The same; else the same script in the same region, without a region, in a region that speaks
    alike, in another region; else another script of the language. Also by its name, in English or
    in the language itself. None for another language.
    """
    asked = _tag(wanted)
    if not asked.primary:
        return _named(wanted, known)
    tags = {code: _tag(code) for code in known}
    family = _family(asked)
    tests: tuple[Callable[[_Tag], bool], ...] = (
        lambda tag: tag.written == asked.written,
        lambda tag: tag[1:] == asked[1:],
        lambda tag: tag[1:3] == asked[1:3] and tag.is_bare,
        lambda tag: tag[1:3] == asked[1:3] and not family.isdisjoint(_family(tag)),
        lambda tag: tag[1:3] == asked[1:3],
        lambda tag: tag.primary == asked.primary and tag.is_bare,
        lambda tag: tag.primary == asked.primary,
        lambda tag: {tag.primary, asked.primary} == _NORWEGIAN,
    )
    for fits in tests:
        for code, tag in tags.items():
            if fits(tag):
                return code
    return _named(wanted, known)


def _family(tag: _Tag) -> set[str]:
    """The region and those that its way of speaking comes from: `es_AR` speaks as in `es_419`."""
    from babel.core import get_global

    parents = cast("dict[str, str]", get_global("parent_exceptions"))
    own = f"{tag.primary}_{tag.region}"
    found = {own}
    while (own := parents.get(own, "root")) != "root" and own not in found:
        found.add(own)
    return found


def _named(wanted: str, known: Sequence[str]) -> str | None:
    """The one that is called so: `German` and `Deutsch` are `de`."""
    name = " ".join(wanted.split()).casefold()
    return next((code for code in known if name in _names(_tag(code).primary)), None)


@lru_cache(maxsize=256)
def _names(primary: str) -> frozenset[str]:
    """What a language is called in English and by those who speak it, in lower case."""
    from babel import Locale, UnknownLocaleError

    found = set[str]()
    for said_in in ("en", primary):
        try:
            names = cast("dict[str, str]", Locale.parse(said_in).languages)  # pyright: ignore[reportUnknownMemberType]
        except (ValueError, UnknownLocaleError):
            continue
        if primary in names:
            found.add(names[primary].casefold())
    return frozenset(found)


def _tag(code: str) -> _Tag:
    from babel.core import get_global

    subtags = _SUBTAG.findall(_AFTER_TAG.split(code.strip())[0])
    written = "-".join(subtags).casefold()
    if not subtags:
        return _Tag(written, "", "", "")
    aliases = cast("dict[str, str]", get_global("language_aliases")) | {"no": "nb"}
    first, *others = subtags
    primary = aliases.get(first.casefold()) or first.casefold()
    script = next((each.title() for each in others if len(each) == 4 and each.isalpha()), "")
    region = next((each.upper() for each in others if _is_region(each)), "")
    likely = _likely(primary, script, region)
    return _Tag(written, primary, script or likely[0], region or likely[1])


def _is_region(subtag: str) -> bool:
    return len(subtag) == 2 or (len(subtag) == 3 and subtag.isdigit())


def _likely(primary: str, script: str, region: str) -> tuple[str, str]:
    """The script and the region that are meant where none is named."""
    from babel.core import get_global

    likely = cast("dict[str, str]", get_global("likely_subtags"))
    for parts in ((primary, script, region), (primary, script), (primary, region), (primary,)):
        found = likely.get("_".join(part for part in parts if part))
        if found is not None:
            _, likely_script, likely_region, *_ = (*found.split("_"), "", "")
            return likely_script, likely_region
    return "", ""
