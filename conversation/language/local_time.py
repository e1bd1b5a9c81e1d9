"""Which day it is where a conversation is held. Pure; what is stored stays UTC."""

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

TIMEZONE_KEY = "timezone"
"""Of a conversation's metadata: the time zone that it is held in."""


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of a name such as `Europe/Berlin`.

    Raises:
        ValueError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(
            f"there is no time zone {name!r}; use a name such as 'Europe/Berlin' or 'UTC'"
        ) from error


def is_zone(name: object) -> bool:
    """Return whether `name` is one of a time zone."""
    if not isinstance(name, str):
        return False
    try:
        zone_of(name)
    except ValueError:
        return False
    return True


def _checked(name: str) -> str:
    zone_of(name)
    return name


TimeZoneName = Annotated[str, AfterValidator(_checked)]
"""A name of the IANA time zone database, such as `America/New_York`."""


def local_day(moment: datetime, *zones: str | None) -> date:
    """Return the day of `moment` in the first of `zones` that is known, else in its own zone."""
    name = next((zone for zone in zones if zone and is_zone(zone)), None)
    return moment.date() if name is None else moment.astimezone(zone_of(name)).date()
