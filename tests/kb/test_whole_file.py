import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb.whole_file import write_whole, written_beside


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "made" / "notes.json"
    yield place
    assert {each.name for each in place.parent.iterdir()} <= {place.name}


@pytest.mark.parametrize(
    ("content", "held"), [("grün\n", "grün\n".encode()), (b"\xff\r\n", b"\xff\r\n")]
)
def test_text_and_bytes_are_written_as_they_are(path: Path, content: str | bytes, held: bytes):
    write_whole(path, "before")
    write_whole(path, content)

    assert path.read_bytes() == held


def test_others_see_the_old_file_until_the_block_ends(path: Path):
    write_whole(path, "old")
    with written_beside(path) as following:
        following.write_text("new")
        assert path.read_text() == "old"
        assert following.name.startswith(".")
        assert following.parent == path.parent

    assert path.read_text() == "new"


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(path: Path):
    write_whole(path, "old")
    with pytest.raises(OSError, match="full"):
        _fill_half(path)

    assert path.read_text() == "old"


def test_a_private_file_can_be_read_by_its_owner_alone_at_every_moment(path: Path):
    write_whole(path, "open to all")
    with written_beside(path, private=True) as following:
        assert stat.S_IMODE(following.stat().st_mode) == 0o600
        following.write_text("secret")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_writer_of_the_same_file_gets_a_file_of_its_own(path: Path):
    with ThreadPoolExecutor(1) as other, written_beside(path, at_once=True) as following:
        other.submit(write_whole, path, "other", at_once=True).result()
        following.write_text("mine")

    assert path.read_text() == "mine"


def test_what_a_killed_writer_left_is_taken_by_the_next(path: Path):
    path.parent.mkdir()
    path.with_name(f".{path.name}.next").write_text("half of it")
    write_whole(path, "all of it")

    assert path.read_text() == "all of it"


def _fill_half(path: Path) -> None:
    with written_beside(path) as following:
        following.write_text("half")
        raise OSError("the disk is full")
