"""Parsers in a child process: what a bad document may cost, and what not."""

import threading
from pathlib import Path

import pytest

from kb.config import MEBIBYTE, Limits, SandboxConfig
from kb.errors import DocumentError
from kb.formats.parse import parse_document
from kb.ingest.load import parse_bytes
from kb.ingest.sandbox import ParserPool

PAGE = b"<html><body><h1>Refunds</h1><p>They take five days, as a rule.</p></body></html>"


def test_the_sandbox_changes_nothing_in_the_result():
    assert parse_bytes(PAGE, name="a.html") == parse_document(PAGE, name="a.html", limits=Limits())


def test_a_refusal_crosses_with_its_reason_and_sentence():
    with pytest.raises(DocumentError, match=r"'a\.bin' looks like") as caught:
        parse_bytes(b"\x00\x01\x02\x03" * 100, name="a.bin")

    assert caught.value.reason == "unsupported"


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> object:
    """Workers that do what the document says, as a parser under attack would."""
    boot = (
        "import sys; sys.path.insert(0, sys.argv[1]); import kb.ingest.parser_worker as worker\n"
        "def parse(data, **given):\n"
        "    scope = dict(given)\n"
        "    exec(data.decode(), scope)\n"
        "    return scope['parse_document'](b'survived', **given)\n"
        "original = worker.parse_document\n"
        "worker.parse_document = lambda data, **given: parse(\n"
        "    b'from kb.formats.parse import parse_document\\n' + data, **given)\n"
        "worker.main()\n"
    )
    monkeypatch.setattr("kb.ingest.sandbox._BOOT", boot)
    return None


def run(pool: ParserPool, code: str, limits: Limits | None = None) -> str:
    """Run `code` in a worker; returns the text it produced, or the reason it failed for."""
    try:
        return pool.parse(code.encode(), name="evil.txt", limits=limits or Limits()).text
    except DocumentError as error:
        return error.reason if "evil.txt" in str(error) else f"unnamed: {error}"


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("while True: pass", "timeout"),
        ("import time; time.sleep(60)", "timeout"),
        ("held = bytearray(2**30)", "out_of_memory"),
        ("import ctypes; ctypes.string_at(0)", "malformed"),
        ("import os; os._exit(3)", "malformed"),
        ("import os; os.abort()", "out_of_memory"),
        ("import sys; sys.exit(0)", "malformed"),
    ],
)
def test_a_document_costs_itself_and_the_next_one_is_parsed(code: str, reason: str):
    pool = ParserPool(SandboxConfig(base_s=1.0, memory_bytes=512 * MEBIBYTE))

    assert run(pool, code) == reason
    assert run(pool, "") == "survived"
    pool.close()


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('example.com', 80)",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "open('{folder}/must-not-exist', 'w')",
    ],
)
def test_a_parser_reaches_neither_network_nor_programs_nor_files(code: str, tmp_path: Path):
    pool = ParserPool()
    code = code.format(folder=tmp_path)
    guarded = (
        f"try:\n    {code}\nexcept PermissionError:\n    pass\nelse:\n    import os; os._exit(9)"
    )

    assert run(pool, guarded) == "survived"
    pool.close()


@pytest.mark.usefixtures("hostile")
def test_a_parser_does_not_see_the_parents_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROVIDER_API_KEY", "secret")
    pool = ParserPool()

    assert run(pool, "import os\nif 'PROVIDER_API_KEY' in os.environ: os._exit(9)") == "survived"
    pool.close()


def test_an_answer_beyond_the_limits_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kb.ingest.sandbox._FIXED_OUTPUT_BYTES", 40)
    monkeypatch.setattr("kb.ingest.sandbox._BYTES_PER_CHAR", 0)
    pool = ParserPool()

    with pytest.raises(DocumentError, match="Split it") as caught:
        pool.parse(PAGE, name="a.html", limits=Limits())

    assert caught.value.reason == "too_large"
    pool.close()


def test_a_worker_is_reused_and_replaced_in_time():
    pool = ParserPool(SandboxConfig(documents_per_worker=2, idle_workers=1))
    seen: list[int] = []
    for _ in range(4):
        pool.parse(PAGE, name="a.html", limits=Limits())
        seen.append(len(pool._idle))

    assert seen == [1, 0, 1, 0]
    pool.close()


def test_threads_parse_side_by_side():
    pool = ParserPool()
    texts: list[str] = []

    def work(number: int) -> None:
        for _ in range(5):
            data = f"Document {number} speaks of itself.".encode()
            texts.append(pool.parse(data, name=f"{number}.txt", limits=Limits()).text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()

    assert sorted(texts) == sorted(
        f"Document {n} speaks of itself." for n in range(4) for _ in range(5)
    )


def test_a_closed_pool_says_so():
    pool = ParserPool()
    pool.close()

    with pytest.raises(RuntimeError, match="closed"):
        pool.parse(PAGE, name="a.html", limits=Limits())
