"""A writer of a shared knowledge base is killed at any moment: nothing acknowledged is lost."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kb.snapshots.collecting import collect_strays
from tests.conftest import REPOSITORY
from tests.kb.snapshots.machines import Machines

WRITER = """
import sys
from pathlib import Path
from tests.kb.snapshots.machines import Machines

folder, name, url, store, first = sys.argv[1:]
machine = Machines(Path(folder), url, store).open(name)
machine.kb.add_text("warm", "Models are loaded.")
print("ready", flush=True)
for number in range(int(first), int(first) + 1000):
    machine.kb.add_text(f"text {number}", f"Number {number} is kept.")
    print(number, flush=True)
"""


def killed_after(arguments: list[str], delay_s: float) -> list[int]:
    """Run a writer, kill it so long after it is ready, and return what it had acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    timer = threading.Timer(delay_s, process.kill)
    timer.start()
    said = process.stdout.read().split()
    process.wait()
    timer.cancel()
    process.stdout.close()
    return [int(number) for number in said]


def kill_writers(machines: Machines, points: int, seed: int) -> None:
    chosen = random.Random(seed)
    kept: set[int] = set()
    for point in range(points):
        first = point * 1_000
        arguments = [str(machines.folder), chosen.choice("ab"), machines.url, machines.store_url]
        kept |= set(killed_after([*arguments, str(first)], chosen.uniform(0.0, 2.0)))
        reader = machines.open(f"reader {point % 2}")
        found = [each.name for each in reader.kb.documents()]
        assert len(found) == len(set(found)), "doubled"
        missing = {f"text {number}" for number in kept} - set(found)
        assert not missing, (seed, point, missing)
        if kept:
            sought = chosen.choice(sorted(kept))
            texts = [each.text for each in reader.kb.retrieve(f"number {sought}", limit=3)]
            assert f"Number {sought} is kept." in texts
        reader.kb.close()

    # The next one finishes, at once, and leaves nothing of the killed ones behind.
    began_s = time.monotonic()
    writers = {name: machines.open(name) for name in "ab"}
    for name, each in writers.items():
        each.kb.add_text("last", f"The last of {name}.")
    writer = writers["b"]
    assert time.monotonic() - began_s < 30
    writer.kb.shared.collect()
    with writer.kb.shared._shared.pointers.lease("desk", timeout_s=1):
        assert collect_strays(writer.kb.shared._shared) == 0
    for name in "ab":
        left = [path.name for path in (machines.folder / name / "copies").iterdir()]
        assert [each for each in left if each.startswith(".") and each != ".lock"] == []
    assert kept


@pytest.mark.slow
def test_a_killed_writer_loses_nothing(tmp_path: Path):
    address = f"file://{tmp_path / 'objects'}"
    machines = Machines(tmp_path, address, f"sqlite:///{tmp_path / 'store.sqlite'}")
    kill_writers(machines, points=1, seed=23)
    machines.close()


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_a_writer_killed_again_and_again_loses_nothing(
    tmp_path: Path, request: pytest.FixtureRequest
):
    address = f"file://{tmp_path / 'objects'}"
    machines = Machines(tmp_path, address, f"sqlite:///{tmp_path / 'store.sqlite'}")
    kill_writers(machines, points=int(str(request.config.getoption("--kill-points"))), seed=2_026)
    machines.close()
