"""A deployment on a real server, and the published Python client of it."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from conversation.server.agents.authoring import Authoring
from conversation.server.context import ServerContext
from conversation.server.keys.api_keys import Scope, new_key
from conversation.server.keys.key_store import AccessStore
from conversation.server.serving import make_server
from orchestration.deployment import Deployment
from orchestration.server.app import create_app
from orchestration.settings import Settings
from tests.fakes import ScriptedChatModel
from tests.hurried_server import run_hurried
from tests.orchestration.sample import sample_deployment, write_data


@dataclass
class ServedDeployment:
    """A running server of a deployment."""

    deployment: Deployment
    context: ServerContext
    url: str
    http: httpx.Client
    """With a key that may do everything."""

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    @property
    def authoring(self) -> Authoring:
        assert self.context.authoring is not None
        return self.context.authoring

    def key(self, *scopes: Scope) -> str:
        """A new key with these scopes."""
        key, record = new_key("test", scopes, now=self.context.clock())
        AccessStore(self.context.store.engine).add_key(record)
        return key

    def client(self) -> Any:
        """The published client."""
        from elevenlabs import ElevenLabs

        return ElevenLabs(base_url=self.url, api_key=self.key("admin"), httpx_client=self.http)

    def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """The answer to a request, which has this status."""
        answer = self.http.request(method, f"/v1/convai{path}", **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def new_text(self, text: str, name: str = "Notes") -> str:
        """The id of a new document."""
        body = {"text": text, "name": name}
        return self.call("POST", "/knowledge-base/text", json=body)["id"]

    def index_status(self, document_id: str) -> str:
        body = {"model": "multilingual_e5_large_instruct"}
        path = f"/knowledge-base/{document_id}/rag-index"
        return self.call("POST", path, json=body)["status"]

    def indexed(self, document_id: str, status: str = "succeeded") -> None:
        """Wait until a document was read."""
        wait_for(lambda: self.index_status(document_id) not in ("created", "processing"))
        assert self.index_status(document_id) == status

    def agent_with(self, *document_ids: str, **parts: Any) -> str:
        """The id of a new public agent that answers from these documents."""
        locators = [{"type": "text", "id": each, "name": ""} for each in document_ids]
        prompt = {"llm": "scripted/model", "knowledge_base": locators}
        body = {
            "name": "Desk",
            "conversation_config": {"agent": {"first_message": "Hello!", "prompt": prompt}},
            "platform_settings": {"auth": {"enable_auth": False}},
        }
        return self.call("POST", "/agents/create", json=body | parts)["agent_id"]


@contextmanager
def served_deployment(
    folder: Path,
    *,
    model: ScriptedChatModel | None = None,
    networks: str = "127.0.0.0/8",
    store_url: str | None = None,
    prepare: Callable[[ServerContext], object] = lambda _context: None,
) -> Generator[ServedDeployment]:
    """A deployment with the sample's agent, on a free port; a second call goes on with its data."""
    if not (folder / "agents").exists():
        write_data(folder)
    settings = Settings(data_dir=folder, link_networks=networks, store_url=store_url)
    with sample_deployment(settings, model) as deployment:
        app = create_app(deployment)
        context: ServerContext = app.state.context
        prepare(context)
        server = make_server(app, context, host="127.0.0.1", port=0)
        thread = threading.Thread(target=run_hurried, args=(server,))
        thread.start()
        try:
            wait_for(lambda: server.started)
            url = f"http://127.0.0.1:{server.port}"
            with httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
                served = ServedDeployment(deployment, context, url, http)
                http.headers["xi-api-key"] = served.key("admin")
                yield served
        finally:
            server.should_exit = True
            thread.join(timeout=60)
    assert not thread.is_alive(), "the server does not stop"


def wait_for(is_so: Callable[[], Any], timeout_s: float = 60) -> None:
    """Wait for something that happens on another thread."""
    until_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until_s, "it never happened"
        time.sleep(0.02)
