"""What of a webhook may let somebody in though it is written out, where a secret should be named.

Pure. Operators write keys into headers, constants and addresses. What is one of a few plain words
is none; everything else is taken for one, unless it describes content in a registered form.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from conversation.agent.tool_config import ToolWebhook

LONGEST_WORD = 15
_MOST_WORDS = 4
_LEAST_CHARS = 6
"""Of a text that nothing but its looks tells to be a secret."""
_LEAST_NAMED_CHARS = 4
"""Of one whose name says so. Shorter ones would blot out ordinary text."""
_PLAIN = re.compile(
    # A word, also joined to others or with a small number: orders, getOrder, SKU, v2, oauth2.
    r"(?:[a-z]+(?:[A-Z][a-z]{2,})*|(?:[A-Z][a-z]{2,})+|[A-Z][a-z]*|[A-Z]+)?\d{0,2}"
)
_UNSPEAKABLE = re.compile(r"[^aeiouy\d]{6}", re.IGNORECASE)
_JOINTS = re.compile(r"[-_.~,:+ ]")
_VARIABLE = re.compile(r"\{\{[^{}]*\}\}|\{[A-Za-z_]\w*\}")
_NAMES_A_SECRET = re.compile(
    r"auth|cookie|key|token|secret|pass|pwd|pin\b|sign|credential|session|bearer", re.IGNORECASE
)
_SCHEME = re.compile(r"([A-Za-z][\w-]*)\s+(?=\S)")
_AROUND = " \t:;,.-_/"
_BETWEEN = re.compile(r"[\s;,]+")
_PART = r"[a-z]+(?:[-+._][a-z]+)*"
_WEIGHT = r"(?:\s*;\s*q=[01](?:\.\d{1,3})?)?"
_MEDIA = (
    r"(?:\*|application|audio|font|image|message|model|multipart|text|video)/"
    rf"(?:\*|{_PART}(?:\.v\d\+[a-z]+)?)(?:\s*;\s*charset=\"?[a-z]+(?:-\d{{1,4}}){{0,2}}\"?)?"
)
_CODING = r"(?:br|compress|deflate|gzip|identity|zstd|\*)"
_LANGUAGE = r"(?:\*|[a-z]{2,3}(?:-[a-z]{2,4})*)"
_CHARSET = r"(?:\*|[a-z]+(?:-\d{1,4}){0,2})"


def _listed(form: str) -> re.Pattern[str]:
    return re.compile(rf"{form}{_WEIGHT}(?:\s*,\s*{form}{_WEIGHT})*", re.IGNORECASE)


_DESCRIBES_CONTENT = {
    "accept": _listed(_MEDIA),
    "accept-charset": _listed(_CHARSET),
    "accept-encoding": _listed(_CODING),
    "accept-language": _listed(_LANGUAGE),
    "content-encoding": _listed(_CODING),
    "content-language": _listed(_LANGUAGE),
    "content-type": _listed(_MEDIA),
    "cache-control": re.compile(r"no-cache|no-store|max-age=\d{1,8}", re.IGNORECASE),
}
"""RFC 9110 and 9111: headers that are never a credential, with the forms that they have."""
_MOST_DESCRIBED = 200


def describes_content(name: str, value: str) -> bool:
    """Whether a header says what the content is like, in a form that is registered for it."""
    form = _DESCRIBES_CONTENT.get(name.lower())
    if form is None or len(value) > _MOST_DESCRIBED or form.fullmatch(value) is None:
        return False
    return all(map(is_plain, re.split(r"[^A-Za-z]+", value)))


def is_plain(text: str) -> bool:
    """Whether `text` is a few short words, such as part of a path has, and so no secret."""
    words = _JOINTS.split(text)
    return len(words) <= _MOST_WORDS and all(map(_is_word, words))


def _is_word(text: str) -> bool:
    if len(text) > LONGEST_WORD or _PLAIN.fullmatch(text) is None:
        return False
    letters = text.rstrip("0123456789")
    return len(letters) < _LEAST_CHARS or (
        _UNSPEAKABLE.search(letters) is None and any(each in "aeiouyAEIOUY" for each in letters)
    )


def written_secrets(webhook: ToolWebhook) -> frozenset[str]:
    """Texts of the webhook that an answer of it must not bring back."""
    found = {
        text
        for name, value in _named_texts(webhook)
        for is_named in (_NAMES_A_SECRET.search(name) is not None,)
        for text in _parts(value)
        if _may_be_secret(text, is_named=is_named)
    }
    split = urlsplit(_VARIABLE.sub("/", webhook.url))
    places = [*split.path.split("/"), split.fragment, *(split.hostname or "").split(".")]
    found |= {
        form
        for place in places
        for piece in place.split(";")
        for form in (piece, unquote(piece), piece.partition("=")[2])
        if _may_be_secret(form, is_named=False)
    }
    return frozenset(found)


def _named_texts(webhook: ToolWebhook) -> Iterator[tuple[str, str]]:
    for name, value in webhook.headers.items():
        if not describes_content(name, value):
            yield name, value
    for name, value in webhook.constants.items():
        if not isinstance(value, bool):
            yield name, str(value)
    for parameter in webhook.url.partition("#")[0].partition("?")[2].split("&"):
        name, _, value = parameter.partition("=")
        yield name, value or name
        yield name, unquote(value)


def _parts(value: str) -> Iterator[str]:
    """What is written between variables, without the name of a scheme, and its own parts."""
    literals = [each.strip(_AROUND) for each in _VARIABLE.split(value)]
    for literal in literals:
        if len(literals) > 1 and is_plain(literal):
            continue  # `Bearer {{secret__CRM}}`: the variable is the secret
        yield literal
        scheme = _SCHEME.match(literal)
        bare = literal[scheme.end() :] if scheme else literal
        yield bare
        if scheme and scheme[1].lower() == "basic":
            yield from _user_and_password(bare)
        for word in _BETWEEN.split(bare):
            if not is_plain(word):
                yield word
                yield word.partition("=")[2].strip('"')


def _user_and_password(encoded: str) -> Iterator[str]:
    try:
        decoded = b64decode(encoded, validate=True).decode()
    except ValueError:
        return
    yield decoded
    yield decoded.partition(":")[2]


def _may_be_secret(text: str, *, is_named: bool) -> bool:
    if is_named:
        return len(text) >= _LEAST_NAMED_CHARS
    return len(text) >= _LEAST_CHARS and not is_plain(text)
