"""What tokens of models cost, where the settings say it."""

import re
from dataclasses import dataclass

_PRICE = re.compile(
    r"(?P<model>[^=\s]+/[^=\s]+)\s*=\s*(?P<read>\d+(?:\.\d+)?)/(?P<written>\d+(?:\.\d+)?)"
)
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """US dollars for a million tokens."""

    read_usd: float
    written_usd: float

    def of(self, read: int, written: int) -> float:
        """US dollars for so many tokens."""
        return (read * self.read_usd + written * self.written_usd) / _MILLION


def parse_prices(text: str) -> dict[str, TokenPrice]:
    """Prices by model string, from `MODEL=READ/WRITTEN, ...` in US dollars a million tokens.

    Raises:
        ValueError: The text has another form.
    """
    prices: dict[str, TokenPrice] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        found = _PRICE.fullmatch(entry)
        if found is None:
            raise ValueError(
                f"{entry!r} is no price; write MODEL=READ/WRITTEN in US dollars for a million "
                "tokens, e.g. openai/own=0.25/1.00"
            )
        prices[found["model"]] = TokenPrice(float(found["read"]), float(found["written"]))
    return prices
