"""A client that sends more than anybody needs is told so, and its conversation goes on."""

from pathlib import Path

from conversation.server.limits import ServerLimits
from tests.conversation.server.served import PATIENCE_S, serving
from tests.fakes import ScriptedChatModel


def test_frames_over_the_rate_are_told_of(tmp_path: Path):
    limits = ServerLimits(init_timeout_s=PATIENCE_S, frames_per_second=5)
    model = ScriptedChatModel(always="Yes.")
    with serving(tmp_path, limits=limits, model=model) as served, served.dial() as client:
        client.opened()
        for _ in range(200):
            client.send({"type": "user_activity"})
        told = client.until("error")
        errors = [frame for frame in client.frames if frame["type"] == "error"]

    assert told["error_event"]["message"].startswith("Too many messages")
    assert len(errors) == 1
