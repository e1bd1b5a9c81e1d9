"""Conversations are found by what was said in them, in any script, by an index that is bounded."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conversation.errors import StoreUnavailableError
from conversation.store.database import migrate, open_database
from conversation.store.listing import pages, word_index, words
from conversation.store.store import ConversationStore
from conversation.store.tables import SCHEMA
from conversation.transcript import Transcript, Turn
from tests.database_work import statements_run
from tests.servers import postgresql_server

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], scope="module"
)
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConversationStore]:
    folder = tmp_path_factory.mktemp("words")
    if request.param == "sqlite":
        with ConversationStore.open(f"sqlite:///{folder / 'store.sqlite'}") as opened:
            yield _filled(opened)
        return
    with (
        postgresql_server(folder) as address,
        ConversationStore.open(f"postgresql+psycopg://{address}") as opened,
    ):
        yield _filled(opened)


def _filled(store: ConversationStore) -> ConversationStore:
    for number, (key, text) in enumerate(SAID.items()):
        say(store, key, "...", text, hours=number)
    return store


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ConversationStore]:
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


def _forget_all(store: ConversationStore) -> None:
    for each in store.conversations():
        store.delete(each.conversation_id)


def say(store: ConversationStore, key: str, *texts: str, hours: int = 0) -> None:
    at = NOON + timedelta(hours=hours)
    store.begin(key, agent_id="a", started_at=at)
    for text in texts:
        store.append_turn(key, Turn(role="user", text=text), at=at)


def found(store: ConversationStore, text: str, **narrowed: Any) -> list[str]:
    return [each.conversation_id for each in store.page(text=text, **narrowed).conversations]


SAID = {
    "latin": "I would like a REFUND: 50% of order A-17, please",
    "german": "Die Größe der TÜR ist falsch",
    "russian": "Верните деньги за заказ",
    "greek": "Πού είναι ο ΛΟΓΑΡΙΑΣΜΟΣ μου;",
    "japanese": "東京から大阪までの送料はいくらですか",
    "chinese": "我要退款",
    "korean": "환불은 언제 되나요",
    "thai": "ขอคืนเงินได้ไหม",
    "hindi": "मुझे पैसे वापस चाहिए",
    "arabic": "أريد استرداد المبلغ",
    "hebrew": "אני רוצה החזר",
    "emoji": "It broke 😡😡 again",
    "quotes": 'He said "no" and it\'s (very) AND OR NOT NEAR* bad_one \\ done',
}


@pytest.mark.parametrize(
    ("words_said", "who"),
    [
        ("refund", "latin"),
        ("REFUND", "latin"),
        ("0% of", "latin"),
        ("a-17, PLEASE", "latin"),
        (" would like a refund: 50% of order a-17, please", "latin"),
        ("tür", "german"),
        ("GRÖSSE DER", None),
        ("größe", "german"),
        ("üR", "german"),
        ("ДЕНЬГИ", "russian"),
        ("еньги з", "russian"),
        ("заказ", "russian"),
        ("λογαριασμο", "greek"),
        ("送料はいくら", "japanese"),
        ("大阪", "japanese"),
        ("か", "japanese"),
        ("退款", "chinese"),
        ("款", "chinese"),
        ("환불", "korean"),
        ("คืนเงิน", "thai"),
        ("ไหม", "thai"),
        ("पैसे", "hindi"),
        ("استرداد", "arabic"),
        ("החזר", "hebrew"),
        ("😡😡", "emoji"),
        ("😡", "emoji"),
        ('"no"', "quotes"),
        ("it's (very) and or not near* BAD", "quotes"),
        ("d_o", "quotes"),
        ("\\", "quotes"),
        ("near*", "quotes"),
        ("京東", None),
        ("款退", None),
        ("badXone", None),
        ("refunds", None),
        ("\x03", None),
        ("0% off", None),
        ("zzz", None),
    ],
)
@pytest.mark.parametrize("way", ["index", "walk"])
def test_words_are_found_in_every_script(
    store: ConversationStore, way: str, words_said: str, who: str | None, monkeypatch: Any
):
    if way == "walk":
        monkeypatch.setattr(words, "MOST_TURNS", -1)

    assert found(store, words_said) == ([] if who is None else [who])


SMALL_ALPHABET = st.text(alphabet="abAB äÄжЖ東京都ไ\"'%_*", max_size=9)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(SMALL_ALPHABET, max_size=5), wanted=SMALL_ALPHABET.filter(bool))
@example(texts=["xx東"], wanted="東")
def test_what_is_found_is_what_contains_it(
    module_store: ConversationStore, texts: Sequence[str], wanted: str
):
    _forget_all(module_store)
    for number, text in enumerate(texts):
        say(module_store, f"conv_{number}", text)

    expected = {f"conv_{n}" for n, text in enumerate(texts) if wanted.lower() in text.lower()}
    assert set(found(module_store, wanted)) == expected


@pytest.fixture(scope="module")
def module_store() -> Iterator[ConversationStore]:
    with ConversationStore.open("sqlite://") as opened:
        yield opened


def test_what_changed_is_found_as_it_is_now(own: ConversationStore):
    say(own, "conv_a", "The parcel is lost")
    (turn,) = own.transcript("conv_a").turns
    own.revise_turn("conv_a", turn.model_copy(update={"text": "The letter"}), at=NOON)
    assert (found(own, "parcel"), found(own, "letter")) == ([], ["conv_a"])
    own.delete("conv_a")
    assert found(own, "letter") == []


def test_a_list_by_common_words_goes_on_where_it_stopped(own: ConversationStore, monkeypatch: Any):
    for number in range(9):
        say(own, f"conv_{number}", "yes" if number in (0, 1, 7) else "no", hours=number)
    monkeypatch.setattr(words, "MOST_TURNS", 1)
    monkeypatch.setattr(pages, "WALKED", 3)

    for oldest_first in (False, True):
        seen: list[str] = []
        cuts = 0
        cursor = None
        while True:
            page = own.page(text="yes", limit=2, cursor=cursor, oldest_first=oldest_first)
            seen += [each.conversation_id for each in page.conversations]
            cuts += page.is_cut
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == ["conv_0", "conv_1", "conv_7"][:: 1 if oldest_first else -1]
        assert cuts >= 2


def test_a_deleted_conversation_leaves_no_piece_of_its_words(own: ConversationStore):
    say(own, "conv_a", "My code word is xylophone")
    say(own, "conv_b", "My code word is trumpet")
    own.delete("conv_a")
    with own.engine.begin() as connection:
        words.tidy_index(connection)
    with own.engine.connect() as connection:
        # Whatever numbers it gives to rows, the index has its own.
        connection.connection.driver_connection.execute("VACUUM")  # pyright: ignore[reportOptionalMemberAccess]

    with own.engine.connect() as connection:
        pieces = set(connection.exec_driver_sql("select term from turn_search_terms").scalars())
    assert "tru" in pieces
    assert pieces.isdisjoint({"xyl", "ylo", "lop", "oph", "pho", "hon", "one"})
    assert found(own, "trumpet") == ["conv_b"]


@pytest.mark.parametrize("way", ["write", "read"])
def test_a_damaged_index_is_made_anew(own: ConversationStore, way: str):
    say(own, "conv_a", "one", "two apples")
    with own.engine.begin() as connection:
        connection.exec_driver_sql("update turn_search_data set block = x'0102030405'")

    ways = {
        "write": lambda: own.append_turn("conv_a", Turn(role="user", text="three"), at=NOON),
        "read": lambda: found(own, "apples"),
    }
    with pytest.raises(StoreUnavailableError, match="made anew") as told:
        ways[way]()
    assert "apples" not in str(told.value)
    own.append_turn("conv_a", Turn(role="user", text="three"), at=NOON)
    assert (found(own, "apples"), found(own, "three")) == (["conv_a"], ["conv_a"])
    assert len(own.transcript("conv_a").turns) == 3


def test_a_store_of_before_is_indexed(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'store.sqlite'}", SCHEMA)
    with ConversationStore(engine) as store:
        migrate(engine, SCHEMA, revision="0013")
        say(store, "conv_a", "one", "two apples")
        say(store, "conv_b", "three pears")
        migrate(engine, SCHEMA)
        assert (found(store, "apples"), found(store, "pear")) == (["conv_a"], ["conv_b"])
        store.delete("conv_a")
        assert found(store, "apples") == []


def _steps(store: ConversationStore, text: str) -> int:
    """Instructions of the database: they follow the rows and index entries it touches."""
    counted = 0

    def step() -> int:
        nonlocal counted
        counted += 1
        return 0

    with store.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(step, 1)
        try:
            pages.read_page(connection, [], limit=2, cursor=None, words=text)
        finally:
            raw.set_progress_handler(None, 1)
    return counted


def test_rare_words_touch_the_rows_that_say_them():
    """...and the newest conversations do not."""
    costs: list[list[int]] = []
    for count in (10, 80):
        with ConversationStore.open("sqlite://") as store:
            say(store, "conv_old", "a marker here", "送料はいくら")
            turns = tuple(Turn(role="user", text=text) for text in ("Something else", "And more"))
            for number in range(count):
                later = NOON + timedelta(hours=1 + number)
                store.import_transcript(
                    Transcript(conversation_id=f"conv_{number}", turns=turns, started_at=later)
                )
            costs.append([_steps(store, text) for text in ("absent", "marker", "送料", "無い")])
            assert _steps(store, "qq") > 10 * count, "a walk is counted"
    for few, many in zip(*costs, strict=True):
        assert many < few * 1.2 + 50


@pytest.mark.slow
def test_postgresql_finds_rare_words_by_its_index(tmp_path: Path):
    with (
        postgresql_server(tmp_path) as address,
        ConversationStore.open(f"postgresql+psycopg://{address}") as store,
    ):
        say(store, "conv_a", "Where is the xylophone?")
        for number in range(300):
            say(store, f"conv_{number}", f"Something else, number {number}", hours=1)
        with store.engine.connect() as connection:
            connection.exec_driver_sql("analyze")
            connection.exec_driver_sql("set enable_seqscan = off")
            # A table so small is read whole, or by its key, whatever there is beside.
            connection.exec_driver_sql("set enable_indexscan = off")
            said = words.said_anywhere(connection, "xylophone")
            assert not said.is_walk
            compiled = pages.summaries_that_meet([said.condition]).compile(
                connection, compile_kwargs={"literal_binds": True}
            )
            plan = "\n".join(
                connection.exec_driver_sql(
                    "explain " + str(compiled).replace("%%", "%").replace("%", "%%")
                ).scalars()
            )
        assert "turns_by_words" in plan
        assert found(store, "XYLO") == ["conv_a"]
        with store.engine.begin() as connection:
            connection.exec_driver_sql("drop index turns_by_words")
        assert found(store, "XYLO") == ["conv_a"], "without the extension by a walk"


@pytest.mark.slow
def test_an_index_that_cannot_be_used_is_made_beside_writers(tmp_path: Path):
    with (
        postgresql_server(tmp_path) as address,
        ConversationStore.open(f"postgresql+psycopg://{address}") as store,
    ):
        engine = store.engine

        def run(*statements: str) -> None:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)

        def is_walk() -> bool:
            with engine.connect() as connection:
                return words.said_anywhere(connection, "xylophone").is_walk

        say(store, "conv_a", "Where is the xylophone?")
        assert word_index.word_index_state(engine) == "usable"
        invalid = "update pg_index set indisvalid = false where indexrelid = 'turns_by_words'"
        for damage, state in (
            (f"{invalid}::regclass", "invalid"),
            ("drop index turns_by_words", "missing"),
            ("drop extension pg_trgm cascade", "missing"),
        ):
            run(damage)
            assert word_index.word_index_state(engine) == state
            assert is_walk()
            assert found(store, "XYLO") == ["conv_a"]
            assert word_index.mend_word_index(engine) is None
            assert word_index.word_index_state(engine) == "usable"
            assert not is_walk()
            assert found(store, "XYLO") == ["conv_a"]
        with statements_run(engine) as statements:
            assert word_index.mend_word_index(engine) is None
        assert len(statements) == 1

        # Somebody holds a transaction open for longer than it waits; another process makes it.
        run("drop index turns_by_words")
        with engine.begin() as other:
            other.exec_driver_sql("select count(*) from turns")
            other.exec_driver_sql("lock table turns in row exclusive mode")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(word_index, "_LONGEST_WAIT_S", 1)
                told = word_index.mend_word_index(engine)
        assert told is not None
        assert "lock timeout" in told
        assert word_index.word_index_state(engine) == "invalid"
        with engine.begin() as other:
            other.exec_driver_sql(f"select pg_advisory_xact_lock({word_index._LOCK_ID})")
            assert word_index.mend_word_index(engine) is None
        assert word_index.word_index_state(engine) == "invalid"
        assert word_index.mend_word_index(engine) is None
        assert word_index.word_index_state(engine) == "usable"

        run(
            "drop extension pg_trgm cascade",
            "create role plain login",
            "grant all on all tables in schema public to plain",
        )
        plain = address.replace("tester@", "plain@")
        with ConversationStore.open(f"postgresql+psycopg://{plain}") as theirs:
            assert word_index.word_index_state(theirs.engine) == "not allowed"
            assert word_index.mend_word_index(theirs.engine) is None
            assert word_index.word_index_state(theirs.engine) == "not allowed"
            run("create extension pg_trgm")
            told = word_index.mend_word_index(theirs.engine)
            assert told is not None
            assert "must be owner" in told
