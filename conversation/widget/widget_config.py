"""The `widget` section of an agent file: how the talk page and the embedded widget look and behave.

Everything has a default: an agent without the section has a page and a widget as well.
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

Position = Literal["bottom-right", "bottom-left", "top-right", "top-left", "inline"]
FeedbackKind = Literal["thumbs", "stars", "both", "none"]

TEXT_KEYS = frozenset(
    {
        *("title", "subtitle", "open", "close", "placeholder", "send", "start_voice", "end_voice"),
        *("mute", "unmute", "microphone_why", "thinking", "still_thinking", "new_conversation"),
        *("ended", "sources", "terms_accept", "terms_decline", "rate", "thanks", "disclaimer"),
    }
)
"""Texts of the page and the widget that an agent file may put in its own words."""
MAX_TEXT_CHARS = 400

_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_HOST = re.compile(
    r"(?:\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?"
    r"|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
)

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class WidgetColours(_Section):
    """Colours as `#rrggbb`; the colour of writing on them is chosen so that it can be read."""

    accent: str | None = None
    """Of buttons and of what the user says."""
    background: str | None = None
    """Of the panel, in light and dark; None follows the reader's colour scheme."""

    @field_validator("accent", "background")
    @classmethod
    def _is_a_colour(cls, colour: str | None) -> str | None:
        if colour is not None and _COLOUR.fullmatch(colour) is None:
            raise ValueError("a colour is written with three or six digits, e.g. '#0b5c55'")
        return colour


class WidgetSection(_Section):
    """How the agent shows itself on its page and on pages of others."""

    name: str | None = Field(default=None, min_length=1, max_length=80)
    """What users see; None takes the agent's."""
    avatar: str | None = Field(default=None, max_length=2_000)
    """An `https:` address of a picture; None shows the first letter of the name."""
    colours: WidgetColours = WidgetColours()
    position: Position = "bottom-right"
    """Where the widget stands on its page; `inline` where the element stands."""
    first_message: str | None = Field(default=None, max_length=MAX_TEXT_CHARS)
    """Shown before the conversation begins; None shows the agent's `first_message`. The agent
    never said it, so that no transcript holds it."""
    examples: tuple[Text, ...] = Field(default=(), max_length=6)
    """Questions that a user can ask with one click."""
    texts: dict[str, dict[str, Text]] = {}
    """Words of buttons and notes by language, e.g. `de: {placeholder: Ihre Frage}`."""
    terms: str | None = Field(default=None, min_length=1, max_length=8_000)
    """What a user accepts before anything is sent; Markdown."""
    feedback: FeedbackKind = "both"
    """`thumbs` on each answer, `stars` at the end."""
    allowed_origins: tuple[str, ...] = Field(default=(), max_length=10)
    """Web pages that may show the agent, as `access.allowed_origins`, for which it stands in."""
    variables: tuple[str, ...] | None = None
    """Dynamic variables that pages may set by attributes; None lets them set any."""
    sources: bool = True
    """Whether users see which document, page and words an answer rests on."""
    tool_calls: bool = True
    """Whether users see that the agent uses a tool, by its name."""

    @field_validator("avatar")
    @classmethod
    def _is_a_picture(cls, avatar: str | None) -> str | None:
        if avatar is None or avatar.startswith("data:image/"):
            return avatar
        place = urlsplit(avatar)
        if place.scheme != "https" or not place.hostname:
            raise ValueError("an avatar is an `https:` address, or a `data:image/...` address")
        return avatar

    @field_validator("texts")
    @classmethod
    def _are_known(cls, texts: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for language, by_key in texts.items():
            if _LANGUAGE.fullmatch(language) is None:
                raise ValueError(f"{language!r} is no code of a language such as `de` or `pt-BR`")
            unknown = sorted(by_key.keys() - TEXT_KEYS)
            if unknown:
                raise ValueError(
                    f"there are no texts {', '.join(unknown)}; those of a widget are "
                    + ", ".join(sorted(TEXT_KEYS))
                )
        return texts

    @field_validator("allowed_origins")
    @classmethod
    def _are_hosts(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            bare = origin.removeprefix("https://").removeprefix("http://").rstrip("/")
            if _HOST.fullmatch(bare) is None or "*" in bare:
                raise ValueError(
                    f"{origin!r} is no host: write `shop.example.com` or `localhost:3000`"
                )
        return origins
