"""Files that users hand in during a conversation."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conversation.server.conversations import file_routes
from conversation.server.errors import ApiError
from conversation.server.library import held_files
from conversation.server.library.held_files import (
    MAX_FILE_BYTES,
    MAX_FILE_CHARS,
    PLACES,
    PLACES_OF_ADDRESS,
    PLACES_OF_CONVERSATION,
    READ_AT_ONCE,
    HeldFiles,
)
from kb.config import ParsingConfig, SandboxConfig
from kb.errors import DocumentError
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
        assert [hand_in(served, call).status_code for _ in range(3)] == [200, 200, 400]


def test_a_file_that_cannot_be_read_counts(served: Served):
    with served.dial() as client:
        call = client.opened()
        assert hand_in(served, call, b"").status_code == 422
        assert hand_in(served, call, bytes(range(256)) * 9).status_code == 422
        assert [hand_in(served, call).status_code for _ in range(2)] == [200, 400]


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


def added(held: HeldFiles, call: str, name: str, read: Callable[[], str], *, most: int) -> str:
    return asyncio.run(held.add(call, name, read, most=most, address="192.0.2.1"))


def waiting(held: HeldFiles, places: Sequence[tuple[str, str]]) -> tuple[list[str], int, list[str]]:
    """What comes of files of (conversation, address) of which none is read until all were sent:
    `held` or a status, the most that were read at once, and the threads that read them."""
    go_on, lock, reading, most, threads = threading.Event(), threading.Lock(), 0, 0, list[str]()

    def read() -> str:
        nonlocal reading, most
        with lock:
            reading += 1
            most = max(most, reading)
            threads.append(threading.current_thread().name)
        assert go_on.wait(60)
        with lock:
            reading -= 1
        return "x"

    async def all_of_them() -> list[str]:
        sent = [
            asyncio.create_task(held.add(call, "a.txt", read, most=99, address=address))
            for call, address in places
        ]
        await asyncio.sleep(0)  # each has its place, or was refused: nobody waits to hear it
        refused = [each.done() for each in sent]
        go_on.set()
        said = await asyncio.gather(*sent, return_exceptions=True)
        assert refused == [isinstance(each, ApiError) for each in said]
        return [each.status if isinstance(each, ApiError) else "held" for each in said]

    return asyncio.run(all_of_them()), most, threads


@pytest.mark.parametrize(
    ("places", "taken"),
    [
        ([("c", "192.0.2.1")] * 9, PLACES_OF_CONVERSATION),
        ([(f"c{n}", "192.0.2.1") for n in range(9)], PLACES_OF_ADDRESS),
        ([(f"c{n}", f"192.0.2.{n}") for n in range(20)], PLACES),
    ],
)
def test_few_files_wait_and_the_others_are_refused_at_once(
    places: Sequence[tuple[str, str]], taken: int
):
    held = HeldFiles(lambda: 0.0)
    said, most, threads = waiting(held, places)
    assert said == ["held"] * taken + ["too_many_files"] * (len(places) - taken)
    assert most <= READ_AT_ONCE
    # On no thread that answers requests.
    assert all(name.startswith("reads-a-file") for name in threads)
    # Their places are free again.
    assert waiting(held, places)[0].count("held") == taken


def test_who_is_refused_hears_when_to_try_again(served: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(held_files, "PLACES_OF_CONVERSATION", 0)
    with served.dial() as client:
        refused = hand_in(served, client.opened())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")


def test_a_file_that_fails_gives_its_place_back():
    held = HeldFiles(lambda: 0.0)

    def broken() -> str:
        raise ApiError(422, "file_malformed", "It is broken.")

    for _ in range(2 * PLACES):
        with pytest.raises(ApiError, match="broken"):
            added(held, "c", "a.txt", broken, most=99)
    with pytest.raises(ApiError, match="takes 16"):
        added(held, "c", "a.txt", lambda: "x", most=2 * PLACES)


def test_a_file_is_not_held_for_a_conversation_that_ended_while_it_was_read():
    held = HeldFiles(lambda: 0.0)

    def read() -> str:
        held.forget("c")
        return "x"

    with pytest.raises(ApiError, match="is over"):
        added(held, "c", "a.txt", read, most=1)


def test_a_file_of_a_conversation_is_given_less_time_than_a_document():
    given: list[ParsingConfig] = []

    def parse(data: bytes, **settings: Any) -> Any:
        given.append(settings["config"])
        raise DocumentError("timeout", "raise `parsing.sandbox.base_s`")

    own = ParsingConfig(ocr=True, sandbox=SandboxConfig(base_s=0.5, seconds_per_mebibyte=60))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(file_routes, "parse_bytes", parse)
        with pytest.raises(ApiError, match="takes longer than a file of a conversation may"):
            file_routes.text_of_file(b"x", name="a.txt", parsing=own)
    (quick,) = given
    seconds = quick.sandbox.base_s + 10 * quick.sandbox.seconds_per_mebibyte
    assert (quick.sandbox.base_s, seconds <= 10, quick.sandbox.ocr_page_s <= 10) == (
        0.5,
        True,
        True,
    )


def test_a_long_file_says_how_much_was_left_out():
    held = HeldFiles(lambda: 0.0)
    file = added(held, "c", "long.txt", lambda: "x" * (MAX_FILE_CHARS + 1_500), most=1)
    (taken,) = held.take("c", [file])
    assert len(taken.text) == MAX_FILE_CHARS
    assert taken.said.endswith("[1,500 more characters]")


def test_files_of_other_conversations_are_not_there():
    held = HeldFiles(lambda: 0.0)
    file = added(held, "c", "a.txt", lambda: "x", most=1)
    assert held.take("d", [file]) == []
    assert held.take("c", [file, "none"]) == []
    held.forget("c")
    assert held.take("c", [file]) == []
    with pytest.raises(ApiError, match="takes 0"):
        added(held, "c", "a.txt", lambda: "x", most=0)


def test_files_that_nobody_names_are_let_go():
    now_s = 0.0
    held = HeldFiles(lambda: now_s)
    old = added(held, "c", "a.txt", lambda: "x", most=9)
    now_s = 4_000.0
    new = added(held, "c", "b.txt", lambda: "y", most=9)
    assert held.take("c", [old]) == []
    assert [each.text for each in held.take("c", [new])] == ["y"]
