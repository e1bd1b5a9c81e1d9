"""Settings as `vivavoce settings` prints them: values in force, and no passwords."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from orchestration.settings import PREFIX, Settings

_SECRET_FIELD = re.compile(
    r"((?:password|passwd|secret|token|api_?key)=)('[^']*'|\"[^\"]*\"|[^\s&;]+)", re.IGNORECASE
)
"""As catalogs and query strings write a secret; one with spaces stands in quotes."""


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting as `vivavoce settings` prints it."""

    variable: str
    value: str
    """With passwords masked; empty when unset."""
    is_default: bool
    description: str


def shown_settings(settings: Settings) -> list[ShownSetting]:
    """Every setting with its value in force; passwords inside of URLs are masked."""
    return [
        ShownSetting(
            variable=f"{PREFIX}{name.upper()}",
            value=_masked(getattr(settings, name)),
            is_default=name not in settings.model_fields_set,
            description=field.description or "",
        )
        for name, field in type(settings).model_fields.items()
    ]


def _masked(value: object) -> str:
    if value is None:
        return ""
    text = _SECRET_FIELD.sub(r"\1****", str(value))
    if "://" not in text:
        return text
    parts = urlsplit(text)
    user, at, address = parts.netloc.rpartition("@")
    if not at:
        return text
    name, colon, _ = user.partition(":")
    # A name alone in the address of a server is a token.
    shown = f"{name}:****" if colon else "****" if parts.scheme in ("http", "https") else name
    return urlunsplit(parts._replace(netloc=f"{shown}@{address}"))
