"""Who may talk to an agent, which personal data is masked, and how long anything is kept.

Plain records, read from the agent file; `analysis` masks, `orchestration` deletes.
"""

from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

BuiltinKind = Literal["email", "phone", "card", "iban", "ip", "url", "secret"]
"""Found by form and check digits, without a model. A `url` is one that carries a token, a
`secret` a key, a password or a code."""
NamedKind = Literal["person", "place", "national_id"]
"""Found by Presidio only (`pip install 'vivavoce[privacy]'`)."""
PIIKind = BuiltinKind | NamedKind

BUILTIN_KINDS: tuple[PIIKind, ...] = get_args(BuiltinKind)
NAMED_KINDS: tuple[PIIKind, ...] = get_args(NamedKind)


class PrivacySection(BaseModel):
    """The `privacy` section of an agent file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    redact: bool = False
    """Whether personal data is replaced by placeholders such as `[EMAIL_1]` before a conversation
    is judged or reported. The conversation store keeps the words as they were said."""
    detector: Literal["builtin", "presidio"] = "builtin"
    """`presidio` finds names and places as well, with a language model of its own."""
    kinds: tuple[PIIKind, ...] = BUILTIN_KINDS
    """What is replaced."""
    transcripts_days: PositiveInt | None = None
    """Days after its end that a conversation is deleted with everything made from it."""
    recordings_days: PositiveInt | None = None
    """Days after a conversation's end that its sound is deleted."""
    evaluations_days: PositiveInt | None = None
    """Days after a conversation's end that verdicts, values, summaries and labels are deleted."""

    @model_validator(mode="after")
    def _detector_knows_the_kinds(self) -> Self:
        named = [kind for kind in self.kinds if kind in NAMED_KINDS]
        if self.redact and named and self.detector == "builtin":
            raise ValueError(
                f"the built-in detector cannot find {', '.join(named)}; write `detector: presidio`"
            )
        return self

    @model_validator(mode="after")
    def _nothing_outlives_its_words(self) -> Self:
        for name in ("recordings_days", "evaluations_days"):
            days: int = getattr(self, name) or 0
            if self.transcripts_days is not None and days > self.transcripts_days:
                raise ValueError(
                    f"{name} ({days}) cannot exceed transcripts_days ({self.transcripts_days}): "
                    "with a transcript goes all that was made of it"
                )
        return self


class AccessSection(BaseModel):
    """Who may talk to the agent over the network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public: bool = False
    """Whether anybody may, without a key or a signed URL."""
    allowed_origins: tuple[str, ...] = Field(default=(), max_length=10)
    """Web pages that may: hosts such as `example.com` or `localhost:3000`; empty allows all."""
    files: int = Field(default=0, ge=0, le=50)
    """How many files a user may hand in during a conversation by text; 0: none."""
