"""A recording that is played to an agent: what is told, and what is kept of it."""

import asyncio
import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from conversation.errors import SpeechError
from orchestration.terminal.calling import played_call
from tests.orchestration.sample import sample_deployment, write_data


def test_a_voice_that_cannot_be_used_costs_neither_file_nor_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "ctranslate2" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    out = tmp_path / "call.wav"
    out.write_bytes(b"of an earlier call")
    with sample_deployment(write_data(tmp_path / "data")) as deployment:
        agent = deployment.agent("shop-desk")
        call = played_call(deployment, agent, np.zeros(1_600, np.int16), out=out, is_fast=True)
        with pytest.raises(SpeechError, match="pip install"):
            asyncio.run(call)

        assert deployment.conversations.conversations() == []
    assert out.read_bytes() == b"of an earlier call"
