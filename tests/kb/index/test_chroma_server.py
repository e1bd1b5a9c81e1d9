"""The same knowledge base with its vectors on a Chroma server: a real one, on this machine."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kb.config import IndexConfig
from kb.errors import KnowledgeBaseError
from tests.kb.conftest import UNLIMITED, OpenKnowledgeBase
from tests.servers import free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def chroma_url(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command = Path(sys.executable).with_name("chroma")
    arguments = ["run", "--host", "127.0.0.1", "--port", str(port), "--path", str(tmp_path / "srv")]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [str(command), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        for _ in range(600):
            try:
                httpx.get(f"{url}/api/v2/heartbeat", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
        server.kill()


def test_it_works_the_same_on_a_server(open_kb: OpenKnowledgeBase, chroma_url: str):
    index = IndexConfig(chroma_url=chroma_url, collection_prefix="support")
    config = UNLIMITED.model_copy(update={"index": index})
    kb, reader = open_kb(config), open_kb(config, read_only=True)
    kb.add_text("Refunds", "Refunds take five days.")
    kb.add_text("Shipping", "Parcels are shipped to islands.")

    assert reader.retrieve("parcels to islands")[0].document_name == "Shipping"

    kb.remove(kb.documents()[1].document_id)
    passages = reader.retrieve("refunds")
    assert [passage.document_name for passage in passages] == ["Refunds"]
    assert passages[0].ranks["dense_last"] == 1
    assert not (kb.directory / "chroma").exists()


def test_a_server_that_does_not_answer_is_named(open_kb: OpenKnowledgeBase):
    index = IndexConfig(chroma_url=f"http://127.0.0.1:{free_port()}")
    kb = open_kb(UNLIMITED.model_copy(update={"index": index}))

    with pytest.raises(KnowledgeBaseError, match=r"does not answer.*chroma_url"):
        kb.add_text("Refunds", "Refunds take five days.")
