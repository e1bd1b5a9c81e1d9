"""Files that users hand in during a conversation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conversation.server.conversations.held_files import (
    MAX_FILE_BYTES,
    MAX_FILE_CHARS,
    HeldFiles,
)
from conversation.server.errors import ApiError
from tests.conversation.server.served import PRIVATE, SUPPORT, Served, serving
from tests.fakes import ScriptedChatModel

PATH = "/v1/convai/conversations/{}/files"


def taking(agent: Any, files: int) -> Any:
    access = agent.access.model_copy(update={"files": files})
    return agent.model_copy(update={"access": access})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    agents = [
        taking(SUPPORT, 3),
        taking(PRIVATE, 3),
        SUPPORT.model_copy(update={"agent_id": "plain"}),
    ]
    folder: Path = tmp_path_factory.mktemp("files")
    with serving(folder, *agents, model=ScriptedChatModel(always="I see.")) as opened:
        yield opened


def hand_in(served: Served, call: str, data: bytes = b"Order 4711.", key: str | None = None) -> Any:
    files = {"file": ("order.txt", data)}
    headers = {} if key is None else {"xi-api-key": key}
    return served.http.post(PATH.format(call), files=files, headers=headers)


def message(*file_ids: str, text: str | None = None) -> dict[str, Any]:
    files = [{"type": "file_input", "file_id": each} for each in file_ids]
    said = {} if text is None else {"text": {"type": "user_message", "text": text}}
    return {"type": "multimodal_message", "file": files[0], "files": files} | said


def test_a_file_is_part_of_the_turn_that_names_it(served: Served):
    with served.dial() as client:
        call = client.opened()
        one = hand_in(served, call).json()["file_id"]
        two = hand_in(served, call, b"# Bill\n\nNine euros.").json()["file_id"]
        client.send(message(one, two, text="What is this?"))
        assert client.answer() == "I see."
        # It is said once, and held no more.
        client.send(message(one))
        assert "no files of these ids" in client.until("error")["error_event"]["message"]
        kept = served.http.get(f"{PATH.format(call)}/{one}")
    turns = [turn.text for turn in served.store.transcript(call).turns if turn.role == "user"]

    assert turns == [
        "What is this?\n\n[order.txt]\nOrder 4711.\n\n[order.txt]\n# Bill\n\nNine euros."
    ]
    assert (kept.status_code, "not kept" in kept.text) == (400, True)
    # Nothing of it is held after the conversation.
    assert hand_in(served, call).json()["detail"]["status"] == "conversation_over"


def test_a_file_can_be_taken_back_and_counts(served: Served):
    with served.dial() as client:
        call = client.opened()
        file = hand_in(served, call).json()["file_id"]
        assert served.http.delete(f"{PATH.format(call)}/{file}").json() == {"file_id": file}
        assert served.http.delete(f"{PATH.format(call)}/{file}").status_code == 404
        client.send(message(file))
        client.until("error")
        # What cannot be read does not count.
        assert hand_in(served, call, b"").status_code == 422
        assert hand_in(served, call, bytes(range(256)) * 9).status_code == 422
        assert [hand_in(served, call).status_code for _ in range(3)] == [200, 200, 400]


def test_strangers_and_agents_that_take_none_get_nothing_in(served: Served):
    key = served.key("converse")
    with served.dial("plain") as client:
        refused = hand_in(served, client.opened())
        assert (refused.status_code, "takes no files" in refused.text) == (400, True)
    with served.dial("private", headers={"xi-api-key": key}) as client:
        call = client.opened()
        missing = hand_in(served, "conv_none")
        stranger = hand_in(served, call)
        assert stranger.status_code == missing.status_code == 404
        assert stranger.text.replace(call, "") == missing.text.replace("conv_none", "")
        assert hand_in(served, call, key=served.key("read")).status_code == 404
        assert hand_in(served, call, key=key).status_code == 200
    with served.dial() as client:
        large = hand_in(served, client.opened(), b"x" * (MAX_FILE_BYTES + 1))
        assert large.status_code == 413


def test_a_long_file_says_how_much_was_left_out():
    held = HeldFiles(lambda: 0.0)
    file = held.add("c", "long.txt", lambda: "x" * (MAX_FILE_CHARS + 1_500), most=1)
    (taken,) = held.take("c", [file])
    assert len(taken.text) == MAX_FILE_CHARS
    assert taken.said.endswith("[1,500 more characters]")


def test_files_of_other_conversations_are_not_there():
    held = HeldFiles(lambda: 0.0)
    file = held.add("c", "a.txt", lambda: "x", most=1)
    assert held.take("d", [file]) == []
    assert held.take("c", [file, "none"]) == []
    held.forget("c")
    assert held.take("c", [file]) == []
    with pytest.raises(ApiError, match="takes 0"):
        held.add("c", "a.txt", lambda: "x", most=0)


def test_files_that_nobody_names_are_let_go():
    now_s = 0.0
    held = HeldFiles(lambda: now_s)
    old = held.add("c", "a.txt", lambda: "x", most=9)
    now_s = 4_000.0
    new = held.add("c", "b.txt", lambda: "y", most=9)
    assert held.take("c", [old]) == []
    assert [each.text for each in held.take("c", [new])] == ["y"]
