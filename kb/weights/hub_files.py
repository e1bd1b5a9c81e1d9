"""Any file of the Hugging Face Hub as weights: what the Hub says of it becomes a catalog entry.

hf:ORG/REPO/FILE.gguf            as it is the first time; what was fetched is used from then on
hf:ORG/REPO/FILE.gguf@REVISION   a branch, tag or commit
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple, cast

from kb.errors import WeightsError
from kb.weights.model_weights import HubRepository, ModelWeights, WeightsFile

PREFIX = "hf:"
NOTE = "hub.json"
"""Beside the file: what the Hub said of it, so that nobody has to ask again."""
TIMEOUT_S = 10.0
_FORM = re.compile(
    r"hf:(?P<repository>[\w.-]+/[\w.-]+)/(?P<path>[\w.-]+(?:/[\w.-]+)*\.gguf)(?:@(?P<revision>[\w./-]+))?"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class HubFile(NamedTuple):
    """A file of a repository of the Hub."""

    repository: str
    path: str
    revision: str

    @property
    def folder_name(self) -> str:
        """Name of the folder that keeps it, different for every file and revision."""
        parts = [*self.repository.split("/"), *self.path.split("/")]
        if self.revision != "main":
            parts.append(self.revision.replace("/", "-"))
        return "--".join(["hf", *parts])


def hub_file(name: str) -> HubFile:
    """What `hf:ORG/REPO/FILE.gguf` names.

    Raises:
        WeightsError: It has another form.
    """
    found = _FORM.fullmatch(name)
    if found is None or ".." in name:
        raise WeightsError(
            f"{name!r} names no file of the Hugging Face Hub. Write hf:ORG/REPO/FILE.gguf, and "
            "@REVISION behind it for another than the newest."
        )
    return HubFile(found["repository"], found["path"], found["revision"] or "main")


def hub_weights(file: HubFile, root: Path, *, endpoint: str | None, may_ask: bool) -> ModelWeights:
    """The file with its digest: as it was noted when it was fetched, else as the Hub says.

    Args:
        file: Which.
        root: Folder of all weights.
        endpoint: Address of the Hub; None for the usual one.
        may_ask: Whether the Hub is among the sources that are allowed.

    Raises:
        WeightsError: Nothing was noted and the Hub is not allowed, cannot be reached, does not have
            the file, or has no digest of it.
    """
    home = root / file.folder_name
    noted = _noted(home / NOTE, file)
    if noted is not None:
        return noted
    if not may_ask:
        raise WeightsError(
            f"{file.path!r} of {file.repository!r} was never fetched, and the Hugging Face Hub is "
            "none of the allowed sources. Add 'huggingface' to VIVAVOCE_WEIGHTS_SOURCES, or fetch "
            "the file yourself and name it as embedded/PATH.gguf."
        )
    sha256, size, commit = _asked(file, endpoint)
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f"{NOTE}.next"
    draft.write_text(json.dumps({"sha256": sha256, "size_bytes": size, "commit": commit}), "utf-8")
    draft.replace(home / NOTE)
    return _weights(file, sha256, size, commit)


def _asked(file: HubFile, endpoint: str | None) -> tuple[str, int, str]:
    import httpx
    from huggingface_hub import (
        get_hf_file_metadata,  # pyright: ignore[reportUnknownVariableType]
        hf_hub_url,
    )
    from huggingface_hub.errors import HfHubHTTPError

    url = hf_hub_url(file.repository, file.path, revision=file.revision, endpoint=endpoint)
    try:
        told = get_hf_file_metadata(url, timeout=TIMEOUT_S, endpoint=endpoint)
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise _unknown(file, f"it answered {status}") from error
    except (httpx.HTTPError, OSError, ValueError) as error:
        raise _unknown(file, f"it cannot be reached ({type(error).__name__})") from error
    if not _SHA256.fullmatch(told.etag or "") or not told.size or not told.commit_hash:
        raise _unknown(file, "it tells no sha256 of it")
    return str(told.etag), told.size, told.commit_hash


def _unknown(file: HubFile, reason: str) -> WeightsError:
    return WeightsError(
        f"{file.path!r} of {file.repository!r} could not be found on the Hugging Face Hub: "
        f"{reason}. Correct the name, or fetch the file yourself and name it as embedded/PATH.gguf."
    )


def _noted(path: Path, file: HubFile) -> ModelWeights | None:
    try:
        note = cast("dict[str, Any]", json.loads(path.read_text("utf-8")))
        return _weights(file, str(note["sha256"]), int(note["size_bytes"]), str(note["commit"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _weights(file: HubFile, sha256: str, size_bytes: int, commit: str) -> ModelWeights:
    name = file.path.rpartition("/")[2]
    return ModelWeights(
        name=file.folder_name,
        files=(WeightsFile(name, size_bytes, sha256),),
        licence="as its repository says",
        hub=HubRepository(file.repository, commit, {name: file.path}),
        packages=(),
    )
