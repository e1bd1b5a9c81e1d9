"""Terms that a user accepted before a conversation, as the client of this project tells. Pure."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

KIND = "terms_accepted"
"""Of the event that keeps them with the conversation."""
MAX_TERMS_CHARS = 20_000
MAX_AGE_S = 30 * 86_400.0
"""Of an acceptance: a page that is open for longer asks nobody to believe its clock."""


@dataclass(frozen=True, slots=True)
class AcceptedTerms:
    """What was accepted, and how long ago."""

    text: str
    age_s: float

    def accepted_at(self, now: datetime) -> datetime:
        """By the server's clock, which the client's may differ from."""
        return now - timedelta(seconds=self.age_s)

    def metadata(self, now: datetime) -> dict[str, str]:
        """Kept with the conversation: when, and a digest that tells texts apart."""
        digest = hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
        return {
            "terms_accepted_at": self.accepted_at(now).isoformat(timespec="seconds"),
            "terms_sha256": digest,
        }

    def payload(self, kept: Mapping[str, str], *, current: str | None) -> dict[str, Any]:
        """Of the event: the words themselves, and whether the agent's file has the same now.

        Args:
            kept: Metadata of the conversation, as `metadata` gave it.
            current: Terms of the agent.
        """
        return {
            "terms": self.text,
            "accepted_at": kept["terms_accepted_at"],
            "is_current": self.text == current,
        }


def accepted_terms(given: object) -> AcceptedTerms | None:
    """What a first frame says was accepted; None where it says nothing that can be kept."""
    if not isinstance(given, Mapping):
        return None
    found = cast(Mapping[str, object], given)
    text, age_s = found.get("text"), found.get("age_s")
    if not isinstance(text, str) or not text or len(text) > MAX_TERMS_CHARS:
        return None
    if isinstance(age_s, bool) or not isinstance(age_s, int | float):
        return None
    if not math.isfinite(age_s) or not 0 <= age_s <= MAX_AGE_S:
        return None
    return AcceptedTerms(text, float(age_s))
