"""Files from disk, through the sandbox."""

import hashlib
import os
from pathlib import Path

import pytest

from kb.config import Limits, ParsingConfig
from kb.errors import DocumentError
from kb.ingest.load import load_file, parse_bytes


def test_a_file_is_loaded_with_its_fingerprint(tmp_path: Path):
    path = tmp_path / "refunds.md"
    path.write_text("# Refunds\n\nFive days.")

    loaded = load_file(path)

    assert (loaded.name, loaded.bytes) == ("refunds.md", len(path.read_bytes()))
    assert loaded.data_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.parsed.text == "Refunds\n\nFive days."


def refused(path: Path, limits: Limits | None = None) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        load_file(path, limits=limits or Limits())
    return caught.value


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path):
    assert refused(tmp_path / "none.md").reason == "not_found"
    assert refused(tmp_path).reason == "unsupported"
    assert "folder" in str(refused(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.txt")

    assert refused(tmp_path / "pipe.txt").reason == "unsupported"


def test_a_name_that_no_file_can_have():
    assert refused(Path("a\0b.txt")).reason == "unreadable"


def test_a_file_beyond_the_limit_is_not_even_read(tmp_path: Path):
    path = tmp_path / "big.txt"
    with path.open("wb") as sparse:
        sparse.truncate(2**40)

    error = refused(path)

    assert error.reason == "too_large"
    assert "20,971,520" in str(error)


def test_limits_and_focus_reach_the_parser_in_its_process():
    page = b"<html><body><nav>Menu</nav><article><p>" + b"Words of it. " * 40 + b"</p></article>"

    with pytest.raises(DocumentError) as caught:
        parse_bytes(page, name="a.html", limits=Limits(max_document_chars=50))

    assert caught.value.reason == "too_large"
    assert "Menu" not in parse_bytes(page, name="a.html").text
    everything = ParsingConfig(html_focus="everything")
    assert "Menu" in parse_bytes(page, name="a.html", config=everything).text
