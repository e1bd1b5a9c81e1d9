"""Names of documents and ways through menus -> how a person says them. Pure.

A document is called by its title: `knowledge-base.html` is "knowledge base". Names that are known,
those of the passages that an answer rests on, are said so whatever they look like; others only when
they are plainly a document's, since of `config.yaml` every sign may matter.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

_SUFFIX = re.compile(r"(?<=\w)\.[A-Za-z][A-Za-z0-9]{0,4}$")
_ORDER = re.compile(r"^\d{1,3}[-_. ]+(?=.*[^\W\d_])")
_BETWEEN_WORDS = re.compile(r"[-_+\s]+|(?<=[^\W\d])\.(?=[^\W\d])")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_PLAINLY_A_DOCUMENT = re.compile(
    r"(?<![\w./~@-])[^\W\d_][^\W_]*(?:[-_][^\W_]+)+"
    r"\.(?:html?|pdf|docx?|pptx?|odt|odp|rtf|epub|md|rst|txt)(?![\w/@-]|\.\w)",
    re.IGNORECASE,
)
_TRAIL = re.compile(
    r"(?<![^\W\d_])(?P<before>[^\W\d_]{2,}+)(?P<close>[\"'\u201d\u2019)*_`]{0,3})\s[>\u203a\u00bb]\s"
)
_CAPITALISED = re.compile(r"[\"'\u201c\u2018(*_`]{0,3}(?P<first>[^\W\d_])[^\W_]")


@dataclass(frozen=True, slots=True)
class DocumentLabel:
    """How a prompt names a passage, e.g. `terms.pdf > Refunds`."""

    document_name: str
    heading_path: tuple[str, ...] = ()


class SpokenTitles:
    """Replaces names of documents that are known."""

    def __init__(self, labels: Iterable[DocumentLabel] = ()) -> None:
        said: dict[str, str] = {}
        for label in labels:
            parts = (label.document_name, *label.heading_path)
            for count in range(1, len(parts) + 1):
                title = ", ".join([spoken_title(parts[0]), *parts[1:count]])
                said[_as_shown(parts[:count])] = title
        self._said = {name: title for name, title in said.items() if name != title}
        # The longest first: a name may begin with another one.
        names = sorted(self._said, key=len, reverse=True)
        alternatives = "|".join(re.escape(name) for name in names)
        self._names = re.compile(rf"(?<![\w.-])(?:{alternatives})(?![\w-]|\.\w)") if names else None

    def applied(self, text: str) -> str:
        """`text` with titles for names, and pauses for the steps of a way through menus."""
        if self._names is not None:
            text = self._names.sub(lambda found: self._said[found.group()], text)
        text = _PLAINLY_A_DOCUMENT.sub(lambda found: spoken_title(found.group()), text)
        return _TRAIL.sub(_step, text) if any(sign in text for sign in ">\u203a\u00bb") else text


NO_TITLES = SpokenTitles()


@lru_cache(maxsize=1_024)
def spoken_title(name: str) -> str:
    """The title in the name of a document: of a file or an address, without what machines need.

    A name in which nothing would be left to say stays as it is.
    """
    path = name
    if "://" in name:
        path = unquote(urlsplit(name).path).rstrip("/") or urlsplit(name).netloc
    stem = path.replace("\\", "/").rstrip("/").rpartition("/")[2]
    if "://" not in name or stem != urlsplit(name).netloc:
        stem = _SUFFIX.sub("", stem)
    title = _CAMEL.sub(" ", _BETWEEN_WORDS.sub(" ", _ORDER.sub("", stem))).strip()
    return title if any(char.isalnum() for char in title) else name


def _as_shown(parts: Sequence[str]) -> str:
    """As a prompt shows where a passage stands."""
    return re.sub(r"\s+", " ", " > ".join(parts)).replace('"', "'").strip()


def _step(found: re.Match[str]) -> str:
    """`Settings > Privacy` is a way, `x > y` compares."""
    follows = _CAPITALISED.match(found.string, found.end())
    is_way = follows is not None and follows["first"].isupper()
    return f"{found['before']}{found['close']}, " if is_way else found.group()
