"""Runs commands, each in a process forked from one that has loaded them, in places of all kinds.

Started as `python -P places.py FILE`, where FILE holds `Sweep` as JSON; prints a list of `Ended`.
"""

import ctypes
import json
import os
import resource
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

Ended = tuple[int | None, str]
"""Exit code, None for a command that was still running and was stopped, and all that it wrote."""
_WAITS_S = 40.0
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1


class Sweep(TypedDict):
    """What to run: commands, the folder that each gets its copy of, and what is wrong there."""

    folder: str
    commands: list[list[str]]
    wrong: str


def modes_hold() -> None:
    """Before a program starts: have modes of files hold for it, also where everybody is root."""
    if sys.platform == "linux" and os.geteuid() == 0:
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)


def read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _writable(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _spoil(place: Path, wrong: str) -> None:
    if wrong == "read-only":
        read_only(place)
    elif wrong == "no store, read-only":
        shutil.rmtree(place / "data" / "store")
        read_only(place)
    elif wrong == "a file for a store":
        shutil.rmtree(place / "data" / "store")
        (place / "data" / "store").write_text("no folder")
    elif wrong == "outputs":
        (place / "locked").mkdir(mode=0o555)
        for ending in ("csv", "parquet", "json", "html", "wav"):
            (place / f"taken.{ending}").mkdir()


def _command(arguments: Sequence[str], place: Path, wrong: str) -> None:
    from orchestration.cli import main as entry

    os.chdir(place)
    os.environ["HOME"] = str(place / "home")
    if wrong == "no room":
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if wrong == "no room for what is printed":
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
    sys.argv = ["vivavoce", *arguments]
    entry.main()
    sys.stdout.flush()


def _child(arguments: Sequence[str], place: Path, wrong: str, writes: int) -> None:
    code: Any = 0
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(writes, 1)
        os.dup2(writes, 2)
        _command(arguments, place, wrong)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _ended(arguments: Sequence[str], place: Path, wrong: str) -> Ended:
    reads, writes = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _child(arguments, place, wrong, writes)
    os.close(writes)
    said, until, is_stopped = b"", time.monotonic() + _WAITS_S, False
    while select.select([reads], [], [], max(0, until - time.monotonic()))[0]:
        if not (part := os.read(reads, 65_536)):
            break
        said += part
    else:
        is_stopped = True
        os.killpg(child, signal.SIGKILL)
    os.close(reads)
    _, status = os.waitpid(child, 0)
    text = said.decode(errors="replace")
    return None if is_stopped else os.waitstatus_to_exitcode(status), text


def _without_weights() -> None:
    """Answers of models, and vectors, as the tests of the deployment have them."""
    import orchestration.deployment as deployment
    from kb.knowledge_base import KnowledgeBase
    from tests.fakes import ScriptedChatModel
    from tests.kb.conftest import WordEmbedder
    from tests.orchestration.sample import answer

    def open_model(*_: Any, **__: Any) -> ScriptedChatModel:
        return ScriptedChatModel(always=answer, model="scripted/model")

    def open_one(folder: Path, config: Any = None, **options: Any) -> KnowledgeBase:
        return KnowledgeBase(
            Path(folder),
            config,
            embedder=WordEmbedder,
            read_only=options.get("read_only", False),
            shared=options.get("shared"),
        )

    deployment._open_model = open_model  # type: ignore[attr-defined]
    KnowledgeBase.open = staticmethod(open_one)  # type: ignore[method-assign]


def sweep(wanted: Sweep) -> list[Ended]:
    """How each command ends."""
    _without_weights()
    ended: list[Ended] = []
    for number, arguments in enumerate(wanted["commands"]):
        place = Path(wanted["folder"]).with_name(f"place{number}")
        shutil.copytree(wanted["folder"], place)
        try:
            _spoil(place, wanted["wrong"])
            ended.append(_ended(arguments, place, wanted["wrong"]))
        finally:
            _writable(place)
            shutil.rmtree(place)
    return ended


if __name__ == "__main__":
    print(json.dumps(sweep(json.loads(Path(sys.argv[1]).read_text()))))
