"""Files that users hand in during a conversation."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from conversation.errors import UnknownConversationError
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
from conversation.store.store import ConversationStore
from conversation.store.tables import handed_in_files
from conversation.transcript import Turn, TurnFile
from kb.config import ParsingConfig, SandboxConfig
from kb.errors import DocumentError
from tests.conversation.server.served import PRIVATE, SUPPORT, Served, serving
from tests.fakes import ScriptedChatModel
from tests.servers import postgresql_server

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
STORES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
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


def reading(served: Served) -> dict[str, str]:
    return {"xi-api-key": served.key("read")}


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
    said = [turn for turn in served.store.transcript(call).turns if turn.role == "user"]
    turns = [turn.text for turn in said]
    read = served.http.get(f"/v1/convai/conversations/{call}", headers=reading(served)).json()
    shown = [turn for turn in read["transcript"] if turn["role"] == "user"]

    files = [
        {
            "file_id": each,
            "original_filename": "order.txt",
            "mime_type": "text/plain",
            "file_url": "",
        }
        for each in (one, two)
    ]
    assert [(turn["file_inputs"], turn["file_input"]) for turn in shown] == [(files, files[0])]
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


@pytest.fixture(scope="module", params=STORES)
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConversationStore]:
    folder: Path = tmp_path_factory.mktemp("store")
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'store.sqlite'}"
        if request.param == "postgresql":
            url = f"postgresql+psycopg://{stack.enter_context(postgresql_server(folder))}"
        yield stack.enter_context(ConversationStore.open(url))


@pytest.fixture
def store(opened: ConversationStore) -> ConversationStore:
    """A store in which these conversations are being held, and nothing was handed in."""
    for key in ("c", "d", *(f"c{number}" for number in range(20))):
        opened.delete(key)
        opened.begin(key, agent_id="support", started_at=NOON)
    return opened


def holding(store: ConversationStore) -> HeldFiles:
    """As one server has them; another one is another `HeldFiles`."""
    return HeldFiles(store.engine, lambda: NOON)


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
    store: ConversationStore, places: Sequence[tuple[str, str]], taken: int
):
    held = holding(store)
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


def test_a_file_that_fails_gives_its_place_back(store: ConversationStore):
    held = holding(store)

    def broken() -> str:
        raise ApiError(422, "file_malformed", "It is broken.")

    for _ in range(2 * PLACES):
        with pytest.raises(ApiError, match="broken"):
            added(held, "c", "a.txt", broken, most=99)
    with pytest.raises(ApiError, match="takes 16"):
        added(held, "c", "a.txt", lambda: "x", most=2 * PLACES)


def test_a_file_is_not_held_for_a_conversation_that_ended_while_it_was_read(
    store: ConversationStore,
):
    held = holding(store)

    def read() -> str:
        store.end("c", at=NOON, reason="user_ended")
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


def test_a_long_file_says_how_much_was_left_out(store: ConversationStore):
    held = holding(store)
    file = added(held, "c", "long.txt", lambda: "x" * (MAX_FILE_CHARS + 1_500), most=1)
    (taken,) = held.take("c", [file])
    assert len(taken.text) == MAX_FILE_CHARS
    assert taken.said.endswith("[1,500 more characters]")


def test_files_of_other_conversations_are_not_there(store: ConversationStore):
    held = holding(store)
    file = added(held, "c", "a.txt", lambda: "x", most=1)
    assert held.take("d", [file]) == []
    assert held.take("c", [file, "none"]) == []
    store.end("c", at=NOON, reason="user_ended")
    assert held.take("c", [file]) == []
    with pytest.raises(ApiError, match="takes 0"):
        added(held, "d", "a.txt", lambda: "x", most=0)


async def one_round(held: HeldFiles) -> None:
    """What a server does in the background, until it looked once."""
    looked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def files() -> HeldFiles:
        # Asked for before each look: the second time the first one is over.
        if files_asked:
            loop.call_soon(looked.set)
        files_asked.append(True)
        return held

    files_asked: list[bool] = []
    work = asyncio.create_task(held_files.let_go_in_time(files, every_s=0.0))
    await asyncio.wait_for(looked.wait(), 20)
    work.cancel()


def test_files_that_nobody_names_are_let_go(store: ConversationStore):
    now_s = 0.0
    held = HeldFiles(store.engine, lambda: NOON + timedelta(seconds=now_s))
    old = added(held, "c", "a.txt", lambda: "x", most=9)
    now_s = 4_000.0
    texts = select(handed_in_files.c.text).where(handed_in_files.c.file_id == old)
    asyncio.run(one_round(held))
    with store.engine.connect() as connection:
        assert connection.execute(texts).scalar() is None
    new = added(held, "c", "b.txt", lambda: "y", most=9)
    assert held.take("c", [old]) == []
    assert [each.text for each in held.take("c", [new])] == ["y"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Text/Plain; charset=utf-8", "text/plain"),
        ("image/svg+xml", "image/svg+xml"),
        *((wrong, "application/octet-stream") for wrong in (None, "", "text", "a b/c", "x/" * 99)),
    ],
)
def test_the_type_of_a_file_is_kept_with_its_turn(
    store: ConversationStore, given: str | None, kept: str
):
    held = holding(store)
    adding = held.add("c", "a.b", lambda: "x", most=1, address="192.0.2.1", mime_type=given)
    file = asyncio.run(adding)
    came = [each.of_turn for each in held.take("c", [file])]
    assert came == [TurnFile(file_id=file, name="a.b", mime_type=kept)]
    turn = Turn(role="user", text="[a.b]\nx", turn_id="c.0", files=tuple(came))
    store.append_turn("c", turn, at=NOON)
    store.append_turn("c", Turn(role="user", text="y", turn_id="c.1"), at=NOON)
    assert [turn.files for turn in store.transcript("c").turns] == [tuple(came), ()]
    store.delete("c")
    with pytest.raises(UnknownConversationError):
        store.transcript("c")


def rows_of(store: ConversationStore, call: str) -> int:
    of_call = handed_in_files.c.conversation_id == call
    with store.engine.connect() as connection:
        query = select(func.count()).select_from(handed_in_files).where(of_call)
        return connection.execute(query).scalar_one()


def test_a_file_reaches_the_server_that_holds_the_conversation(store: ConversationStore):
    here, there = holding(store), holding(store)
    file = added(there, "c", "a.txt", lambda: "x", most=2)
    assert [each.said for each in here.take("c", [file])] == ["[a.txt]\nx"]
    assert there.take("c", [file]) == [], "it is said once"
    # They count together, and what was taken back on the other server is gone on this one.
    other = added(here, "c", "b.txt", lambda: "y", most=2)
    there.remove("c", other)
    assert here.take("c", [other]) == []
    for server in (here, there):
        with pytest.raises(ApiError, match="2 files were handed in"):
            added(server, "c", "c.txt", lambda: "z", most=2)


def test_a_file_may_be_handed_in_to_another_server(tmp_path: Path):
    agent, model = taking(SUPPORT, 2), ScriptedChatModel(always="I see.")
    with (
        serving(tmp_path, agent, model=model) as here,
        serving(tmp_path, agent, model=model) as there,
        here.dial() as client,
    ):
        call = client.opened()
        file = hand_in(there, call).json()["file_id"]
        client.send(message(file, text="What is this?"))
        assert client.answer() == "I see."
        said = [turn.text for turn in there.store.transcript(call).turns if turn.role == "user"]
        assert said == ["What is this?\n\n[order.txt]\nOrder 4711."]
        assert there.http.delete(f"{PATH.format(call)}/{file}").status_code == 404


def test_two_servers_count_and_take_one_at_a_time(store: ConversationStore):
    servers = [holding(store) for _ in range(8)]

    def hand_in_at(server: HeldFiles) -> str | None:
        try:
            return added(server, "c", "a.txt", lambda: "x", most=3)
        except ApiError:
            return None

    with ThreadPoolExecutor(8) as threads:
        ids = [each for each in threads.map(hand_in_at, servers) if each is not None]
        taken = list(threads.map(lambda server: server.take("c", ids), servers))
    assert len(ids) == 3
    assert sorted(map(len, taken)) == [0] * 7 + [3]


def test_nothing_of_a_file_is_left_after_its_conversation(store: ConversationStore):
    held = holding(store)
    for call in ("c", "d"):
        added(held, call, "a.txt", lambda: "x", most=2)
    store.end("c", at=NOON, reason="silence")
    store.delete("d")
    assert (rows_of(store, "c"), rows_of(store, "d")) == (0, 0)
    for call in ("c", "d", "c_unknown"):
        with pytest.raises(ApiError, match="is over"):
            added(held, call, "a.txt", lambda: "x", most=2)


def test_the_oldest_files_are_let_go_for_room(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(held_files, "MAX_HELD_CHARS", 25)
    now = NOON
    held = HeldFiles(store.engine, lambda: now)
    ids: list[str] = []
    for number in range(3):
        now = NOON + timedelta(seconds=number)
        ids.append(added(held, f"c{number}", "a.txt", lambda: "x" * 10, most=1))
    found = [len(held.take(f"c{number}", [each])) for number, each in enumerate(ids)]
    assert found == [0, 1, 1]
