"""Pages of a list: `page_size` and `cursor` in, items with `next_cursor` and `has_more` out.

A cursor names the place after the last item by its sort key, not by its number, so that what is
inserted meanwhile neither repeats nor hides an item.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar, cast

from fastapi import Query

from conversation.server.errors import ApiError

Item = TypeVar("Item")
SortKey = tuple[float | str, ...]

PageSize = Annotated[int, Query(ge=1, le=100, description="Items of one page.")]
Cursor = Annotated[
    str | None, Query(max_length=1_000, description="`next_cursor` of the page before.")
]
DEFAULT_PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page; `next_cursor` is None on the last."""

    items: list[Item]
    next_cursor: str | None

    @property
    def has_more(self) -> bool:
        """Whether there is another page."""
        return self.next_cursor is not None


def page_of(
    items: Sequence[Item],
    *,
    sort_key: Callable[[Item], SortKey],
    page_size: int,
    cursor: str | None,
    descending: bool = False,
) -> Page[Item]:
    """One page of `items`, in any order given, sorted by `sort_key`, which must be unique.

    Raises:
        ApiError: The cursor is not one of ours.
    """
    ordered = sorted(items, key=sort_key, reverse=descending)
    if cursor is not None:
        after = read_cursor(cursor)
        try:
            ordered = [
                item
                for item in ordered
                if (sort_key(item) < after if descending else sort_key(item) > after)
            ]
        except TypeError as error:  # a cursor of another list, with other kinds of keys
            raise _not_ours() from error
    shown = ordered[:page_size]
    last = sort_key(shown[-1]) if shown and len(ordered) > page_size else None
    return Page(shown, None if last is None else write_cursor(last))


def write_cursor(key: SortKey) -> str:
    """The place after the item with this sort key."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode()


def read_cursor(cursor: str) -> SortKey:
    """The sort key that `write_cursor` got; raises `ApiError` for anything else."""
    try:
        found: object = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError) as error:
        raise _not_ours() from error
    if not isinstance(found, list):
        raise _not_ours()
    return tuple(cast("list[float | str]", found))


def _not_ours() -> ApiError:
    return ApiError(400, "invalid_cursor", "The cursor is not one that this server gave.")
