"""Errors hold what was said, and terminals obey control sequences."""

import pytest

from analysis.errors import QueryError
from orchestration.cli import main


@pytest.mark.hostile
def test_an_error_writes_no_control_sequence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def app_for(_arguments: object) -> object:
        raise QueryError("Could not convert string '\x1b]0;pwn\x07' to INT32\n\nLINE 1")

    monkeypatch.setattr(main, "app_for", app_for)
    monkeypatch.setattr(main, "make_private", lambda: None)
    with pytest.raises(SystemExit):
        main.main()
    said = capsys.readouterr().err
    assert "pwn" in said
    assert said.endswith("\n\nLINE 1\n")
    assert not {"\x1b", "\x07"} & set(said)
