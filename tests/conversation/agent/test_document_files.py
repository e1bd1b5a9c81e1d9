from pathlib import Path

import pytest

from conversation.agent.document_files import listed_files

FILES = (
    "guides/a.md",
    "guides/b.pdf",
    "guides/deep/c.md",
    "guides/.hidden/d.md",
    "guides/~$b.docx",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*FILES, "guides/.e.md", "z.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    (tmp_path / "agents").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (["../z.md"], ["z.md"]),
        (["../guides"], ["guides/a.md", "guides/b.pdf", "guides/deep/c.md"]),
        (["../guides/*.md"], ["guides/a.md"]),
        (["../guides/**/*.md"], ["guides/a.md", "guides/deep/c.md"]),
        (["../*/a.md", "../guides/"], ["guides/a.md", "guides/b.pdf", "guides/deep/c.md"]),
        (["../guides/.e.md"], ["guides/.e.md"]),
        (["../missing.md", "../guides/*.docx"], ["missing.md", "guides/*.docx"]),
        (["../empty"], ["empty"]),
    ],
)
def test_entries_lead_to_files(folder: Path, entries: list[str], expected: list[str]):
    found = listed_files(entries, folder / "agents")

    assert [path.relative_to(folder).as_posix() for path in found] == expected


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path):
    (folder / "what [draft]?.md").write_text("text")

    assert listed_files(["what [draft]?.md"], folder) == (folder / "what [draft]?.md",)


def test_a_link_that_leads_to_no_file_stays_to_be_told_of(folder: Path):
    link = folder / "guides" / "z.md"
    link.symlink_to(folder / "gone.md")

    assert link in listed_files(["guides"], folder)
