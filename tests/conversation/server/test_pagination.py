import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.server.errors import ApiError
from conversation.server.pagination import SortKey, page_of, write_cursor


def key(item: int) -> SortKey:
    return (item // 10, str(item))


@given(
    items=st.sets(st.integers(0, 200)),
    page_size=st.integers(1, 20),
    descending=st.booleans(),
    inserted=st.sets(st.integers(0, 200)),
)
def test_pages_show_everything_once_also_when_items_come_in_between(
    items: set[int], page_size: int, descending: bool, inserted: set[int]
):
    shown: list[int] = []
    now, cursor = set(items), None
    while True:
        page = page_of(
            list(now), sort_key=key, page_size=page_size, cursor=cursor, descending=descending
        )
        shown += page.items
        assert len(page.items) <= page_size
        assert page.has_more == (page.next_cursor is not None)
        if page.next_cursor is None:
            break
        cursor, now = page.next_cursor, now | inserted

    assert len(shown) == len(set(shown))
    assert items <= set(shown)


@pytest.mark.parametrize("cursor", ["", "nonsense", "e30=", "ü", write_cursor(("text", 1.0))])
def test_a_cursor_of_another_kind_is_refused(cursor: str):
    with pytest.raises(ApiError) as caught:
        page_of([1, 2], sort_key=key, page_size=1, cursor=cursor)

    assert (caught.value.status_code, caught.value.status) == (400, "invalid_cursor")
