"""What lay in memory before does not stay in the files of the vector index."""

import struct
from pathlib import Path

import pytest

from kb.index.stale_memory import blanking_unused_room
from tests.kb.conftest import OpenKnowledgeBase

SECRET = b"xylophonequartz " * 8


def test_files_of_the_index_hold_nothing_that_no_element_has(
    tmp_path: Path, open_kb: OpenKnowledgeBase
):
    open_kb().add_text("refunds", "Refunds take five days.")

    (length,) = (tmp_path / "kb").glob("chroma/*/length.bin")
    assert length.stat().st_size > 0
    assert not length.read_bytes().strip(b"\0")


def written(folder: Path, *, version: int = 1, held: int = 2, room: int = 10) -> Path:
    index = folder / "vectors" / "one"
    index.mkdir(parents=True)
    (index / "header.bin").write_bytes(struct.pack("<iQQQQ", version, 0, room, held, 12) + b"more")
    (index / "length.bin").write_bytes((b"\1" * held * 4 + SECRET)[: 4 * 10].ljust(40, b"\2"))
    (index / "data_level0.bin").write_bytes((b"\1" * held * 12 + SECRET)[:120].ljust(120, b"\2"))
    return index


def test_elements_that_are_there_stay(tmp_path: Path):
    index = written(tmp_path)

    with blanking_unused_room(tmp_path / "vectors"):
        pass

    assert (index / "length.bin").read_bytes() == b"\1" * 8 + bytes(32)
    assert (index / "data_level0.bin").read_bytes() == b"\1" * 24 + bytes(96)


@pytest.mark.parametrize("other", [{"version": 2}, {"held": 11}, {"room": 9}])
def test_a_layout_that_is_not_known_is_left_as_it_is(tmp_path: Path, other: dict[str, int]):
    index = written(tmp_path, **other)
    before = [path.read_bytes() for path in sorted(index.iterdir())]

    with blanking_unused_room(tmp_path / "vectors"):
        pass

    assert [path.read_bytes() for path in sorted(index.iterdir())] == before


def test_a_broken_header_or_a_missing_file_stops_nobody(tmp_path: Path):
    index = written(tmp_path)
    (index / "length.bin").unlink()
    (tmp_path / "vectors" / "two").mkdir()
    (tmp_path / "vectors" / "two" / "header.bin").write_bytes(b"\1")

    with blanking_unused_room(tmp_path / "vectors"):
        pass
