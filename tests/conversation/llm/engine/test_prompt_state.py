import json
import os
import stat
from pathlib import Path

import pytest

from conversation.llm.engine.known_states import MAX_KNOWN, KnownStates, system_text
from conversation.llm.engine.prompt_state import (
    PromptState,
    drop_least_used,
    find_state,
    keep_state,
    state_key,
)

KEY = state_key(["weights", "build", "settings"])


def made(tmp_path: Path, content: bytes = b"keys and values") -> Path:
    path = tmp_path / "made"
    path.write_bytes(content)
    return path


def test_what_was_kept_is_found(tmp_path: Path):
    folder = tmp_path / "store" / "prompts"

    kept = keep_state(folder, KEY, "You are a shop.", made(tmp_path), 5)

    assert find_state(folder, KEY) == kept
    assert kept == PromptState("You are a shop.", folder / f"{KEY}.state", 5, 15)
    assert not (tmp_path / "made").exists()


def test_only_its_owner_may_read_it(tmp_path: Path):
    folder = tmp_path / "prompts"

    keep_state(folder, KEY, "You are a shop.", made(tmp_path), 5)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {f"{KEY}.state": 0o600, f"{KEY}.json": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_folder_holds_one_text(tmp_path: Path):
    folder = tmp_path / "prompts"
    keep_state(folder, KEY, "before", made(tmp_path), 5)

    keep_state(folder, state_key(["others"]), "after", made(tmp_path), 6)

    assert find_state(folder, KEY) is None
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "damage", ["cut", "gone", "no note", "half a note", "a note of another kind"]
)
def test_what_is_not_whole_counts_as_nothing(tmp_path: Path, damage: str):
    kept = keep_state(tmp_path / "prompts", KEY, "text", made(tmp_path), 5)
    note = kept.path.with_suffix(".json")
    match damage:
        case "cut":
            kept.path.write_bytes(b"keys")
        case "gone":
            kept.path.unlink()
        case "no note":
            note.unlink()
        case "half a note":
            note.write_text(note.read_text()[:10])
        case _:
            note.write_text(json.dumps(["tokens"]))

    assert find_state(tmp_path / "prompts", KEY) is None


@pytest.mark.parametrize(
    "changed", [["weights2", "build", "settings"], ["weights", "build2", "settings"]]
)
def test_other_weights_or_builds_find_nothing(tmp_path: Path, changed: list[str]):
    keep_state(tmp_path / "prompts", KEY, "text", made(tmp_path), 5)

    assert find_state(tmp_path / "prompts", state_key(changed)) is None


def test_a_prompt_gets_the_state_that_saves_most(tmp_path: Path):
    known = KnownStates()
    path = made(tmp_path)
    short, long = (PromptState("d" * size, path, size, 15) for size in (10, 20))
    for state in (long, short):
        known.add(state)

    assert known.best_for(system_text("d" * 20 + "more")).state is long
    assert known.best_for(system_text("d" * 12 + "other")).state is long  # more than half of it
    assert known.best_for(system_text("d" * 5 + "other")).state is short
    assert known.best_for(system_text("another")).state is None


def test_a_state_whose_file_is_gone_is_not_restored(tmp_path: Path):
    known = KnownStates()
    state = PromptState("d" * 10, made(tmp_path), 10, 15)
    known.add(state)
    state.path.unlink()

    assert known.best_for(system_text("d" * 10)) == (None, 0)


def test_the_newest_states_are_known(tmp_path: Path):
    known = KnownStates()
    path = made(tmp_path)
    for number in range(MAX_KNOWN + 1):
        known.add(PromptState(f"{number} agent {number}", path, 10, 15))

    assert known.best_for(system_text("0 agent 0")).state is None
    assert known.best_for(system_text(f"{MAX_KNOWN} agent {MAX_KNOWN}")).state is not None


def test_what_was_of_no_use_for_longest_is_dropped_until_all_of_it_fits(tmp_path: Path):
    folders = [tmp_path / name / "derived" for name in ("old", "used", "new")]
    for at, folder in enumerate(folders):
        state = keep_state(folder, KEY, "Hello.", made(tmp_path, b"x" * 100), 3)
        os.utime(state.path, (at, at))
    used = find_state(folders[0], KEY)
    assert used is not None
    used.mark_used()

    dropped = drop_least_used(folders, most_bytes=250, spare=folders[2])

    assert dropped == [folders[1]]
    assert [find_state(folder, KEY) is None for folder in folders] == [False, True, False]


def test_the_state_that_was_just_made_stays_however_large_it_is(tmp_path: Path):
    keep_state(tmp_path / "kb", KEY, "Hello.", made(tmp_path, b"x" * 100), 3)

    assert drop_least_used([tmp_path / "kb"], most_bytes=1, spare=tmp_path / "kb") == []
    assert find_state(tmp_path / "kb", KEY) is not None
