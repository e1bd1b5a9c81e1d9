"""What commands and the server did without Dagster, noted for it: the next sensor tells Dagster.

A note is a line of a file in the folder of the instance. Where there is no instance yet it is kept
in the store, each once, for the day that there is one. No command waits for Dagster to be imported.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from filelock import FileLock

from kb.whole_file import write_whole
from orchestration.settings import Settings

_NAME = "done_elsewhere.jsonl"
Kind = Literal["judged", "judged in part", "ingested"]


@dataclass(frozen=True, slots=True)
class DonePartition:
    """Something that an asset would have done."""

    kind: Kind
    key: str
    """Of the partition: a day (UTC), or an agent."""


def note_judged(settings: Settings, days: Collection[date], *, whole: bool = True) -> None:
    """Note that what was left to judge of these days was judged; or some of it only."""
    kind: Kind = "judged" if whole else "judged in part"
    _note(settings, [DonePartition(kind, day.isoformat()) for day in sorted(days)])


def note_ingested(settings: Settings, agent_id: str) -> None:
    """Note that an agent's documents were brought up to date."""
    _note(settings, [DonePartition("ingested", agent_id)])


def take_done(settings: Settings) -> list[DonePartition]:
    """Take every note, oldest first; each of them once, the last of several alike."""
    lines = [line for path in (_early(settings), _path(settings)) for line in _taken(path)]
    return list(dict.fromkeys(DonePartition(**json.loads(line)) for line in lines))


def _taken(path: Path) -> list[str]:
    if not path.exists():
        return []
    with _lock(path):
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
    return lines


def _note(settings: Settings, found: Collection[DonePartition]) -> None:
    path, early = _path(settings), _early(settings)
    lines = [json.dumps(asdict(each)) for each in found]
    if not lines:
        return
    if path.parent.is_dir():
        with _lock(path), path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    elif early.parent.is_dir():
        with _lock(early):
            known = early.read_text("utf-8").splitlines() if early.exists() else []
            # The last of several alike counts, and the file does not grow with every command.
            kept = [*(line for line in known if line not in lines), *lines]
            write_whole(early, "".join(f"{line}\n" for line in kept))


def _path(settings: Settings) -> Path:
    return settings.dagster_instance_dir / _NAME


def _early(settings: Settings) -> Path:
    return settings.store / _NAME


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_suffix(".lock"), timeout=10.0)
