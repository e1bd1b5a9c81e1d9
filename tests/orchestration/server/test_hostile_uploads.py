"""Uploads of every odd name, type and damage: refused with a reason, or a document as any other."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conversation.server.context import ServerContext
from tests.orchestration.deployed import ServedDeployment, served_deployment

pytestmark = [
    pytest.mark.hostile,
    # The form parser leaves the file of a part without end to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BOUNDARY = "b0undary"
PATHS = ("/v1/convai/knowledge-base/file", "/v1/convai/knowledge-base")
FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = st.one_of(
    st.sampled_from(
        [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "..\\..\\boot.ini",
            "C:\\con.txt",
            "a\0b.txt",
            "a\r\nX-Evil: 1",
            "\u6f22" * 120,
            "a" * 3_000,
            "\u202egpj.exe",
            "=cmd()|'/c'!A1.csv",
            "{{secret__CRM}}.md",
            "%2e%2e%2fa",
            "a.pdf.html.txt",
            "'; drop table library_documents; --",
            '"',
            " ",
            "\ud7ff\U0010ffff",
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=30),
)
TYPES = st.one_of(
    st.sampled_from(
        ["", "text/html; charset=idna", "application/pdf", "a", "/", "text/plain\0", "x" * 500]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20),
)
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(
        [b"%PDF-1.7\n", b"PK\x03\x04", b"\x1f\x8b\x08", b"<html>", b"\xff\xfe", b"\0" * 64, b"{"]
    ),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    def unhurried(context: ServerContext) -> None:
        context.limits = replace(context.limits, requests_per_minute=10**9)

    folder: Path = tmp_path_factory.mktemp("uploads")
    with served_deployment(folder, prepare=unhurried) as opened:
        yield opened


def part(name: str, content: bytes, *, field: str = "file", kind: str | None = None) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    head += "" if kind is None else f"Content-Type: {kind}\r\n"
    return head.encode("utf-8", "replace") + b"\r\n" + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def sent(served: ServedDeployment, path: str, body: bytes, *, kind: str | None = None) -> None:
    """Send a body as it stands; whatever it is, the client is told and nothing is left behind."""
    stated = kind or f"multipart/form-data; boundary={BOUNDARY}"
    before = files(served)
    headers = {b"content-type": stated.encode("latin-1")}
    answer = served.http.post(path, content=body, headers=headers)

    assert answer.status_code < 500, (answer.status_code, answer.text, body[:300])
    if answer.status_code == 200:
        # Another test's worth of documents must fit.
        found = answer.json()["id"]
        assert served.http.delete(f"/v1/convai/knowledge-base/{found}").status_code == 204
    else:
        assert answer.json()["detail"], body[:300]
    assert files(served) <= before
    assert not [each for each in served.settings.data_dir.parent.iterdir() if each.name == "etc"]


def files(served: ServedDeployment) -> set[Path]:
    """Everything outside of the store: no upload may write there."""
    store = served.settings.store
    return {
        path
        for path in served.settings.data_dir.rglob("*")
        if not path.is_relative_to(store) and path.is_file()
    }


@pytest.mark.slow
@FEW
@given(name=NAMES, kind=TYPES, content=CONTENTS, path=st.sampled_from(PATHS))
def test_an_odd_file_is_taken_or_refused_with_a_reason(
    served: ServedDeployment, name: str, kind: str, content: bytes, path: str
):
    sent(served, path, part(name, content, kind=kind) + END)


@FEW
@given(
    pieces=st.lists(
        st.one_of(
            st.builds(part, NAMES, CONTENTS, field=st.sampled_from(["file", "name", "url", "x"])),
            st.just(END),
            st.just(f"--{BOUNDARY}\r\n".encode()),
            st.sampled_from([b"\r\n", b"--", b"Content-Disposition: form-data\r\n\r\n", b"\xff"]),
            st.binary(max_size=30),
        ),
        max_size=6,
    ),
    cut=st.integers(0, 40),
    path=st.sampled_from(PATHS),
)
@example([part("a.txt", b"x")], 20, PATHS[0])
@example([], 0, PATHS[0])
@example([part("a.txt", b"x"), part("b.txt", b"y"), END], 0, PATHS[0])
@example([part("a.txt", b"x", field="url"), END], 0, PATHS[1])
def test_a_damaged_form_is_refused_with_a_reason(
    served: ServedDeployment, pieces: list[bytes], cut: int, path: str
):
    body = b"".join(pieces)
    sent(served, path, body[: len(body) - cut] if cut else body)


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 5_000,
        "multipart/form-data; boundary=\u00ff",
        "multipart/form-data; charset=utf-7; boundary=x",
        "multipart/mixed; boundary=b0undary",
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
    ],
)
def test_a_form_of_another_type_is_refused_with_a_reason(served: ServedDeployment, kind: str):
    for path in PATHS:
        sent(served, path, part("a.txt", b"x") + END, kind=kind)


def test_many_parts_and_long_heads_end(served: ServedDeployment):
    for body in (
        b"".join(part(f"{n}.txt", b"x", field=f"f{n}") for n in range(3_000)) + END,
        b"".join(part("", b"x" * 10, field="name") for _ in range(3_000)) + END,
        f"--{BOUNDARY}\r\n".encode() + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\nx" + END,
        f"--{BOUNDARY}\r\n".encode() + b"X: y\r\n" * 50_000 + b"\r\nx" + END,
    ):
        sent(served, PATHS[0], body)
