import base64
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.errors import AgentConfigError
from conversation.server.access.secrets import (
    NewSecret,
    SecretChange,
    create_secret,
    list_secrets,
    update_secret,
)
from conversation.server.agents.files import AgentRecords
from conversation.server.context import ServerContext, secrets_of
from conversation.server.errors import ApiError
from conversation.server.keys.sealed_secrets import FOLDER, SealedSecrets, SealingKeyError
from conversation.server.keys.stored_secrets import StoredSecrets
from conversation.server.webhooks.workspace import add_webhook, webhooks
from conversation.store.shared_files import LOOK_EVERY_S, SharedFiles
from conversation.store.store import ConversationStore
from orchestration.deployment import Deployment
from orchestration.errors import SettingsError
from orchestration.secrets import kept_secrets, read_secrets
from orchestration.server.app import create_app
from orchestration.settings import Settings
from tests.database_work import statements_run
from tests.fakes import ScriptedChatModel
from tests.servers import postgresql_server


def test_secrets_are_read_by_name(tmp_path: Path):
    path = tmp_path / "secrets.yaml"
    path.write_text("shop: sk-1\nsecret__crm: 5\n", "utf-8")

    assert read_secrets(path) == {"shop": "sk-1", "crm": "5"}
    assert read_secrets(None) == {}
    with Deployment(Settings(data_dir=tmp_path, secrets_file=path)) as deployment:
        assert deployment.secrets["shop"] == "sk-1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop: [sk-very-secret", "not valid YAML"),
        ("sk-very-secret", "holds no names"),
        ("shop: {a: sk-very-secret}", "'shop' is no name with a text"),
        ("my shop: sk-very-secret", "'my shop' is no name"),
        ("shop: ''", "'shop' is no name with a text"),
    ],
)
def test_a_file_that_cannot_be_used_is_not_quoted(tmp_path: Path, text: str, expected: str):
    path = tmp_path / "secrets.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(SettingsError, match=expected) as caught:
        read_secrets(path)

    assert "sk-very-secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_file_is_an_error(tmp_path: Path):
    with pytest.raises(SettingsError, match="VIVAVOCE_SECRETS_FILE"):
        read_secrets(tmp_path / "nowhere.yaml")


def test_a_conversation_is_handed_over_to_agents_of_the_deployment(tmp_path: Path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "billing.yaml").write_text(
        "name: Billing\ntemplate: support\nllm: {model: embedded/extractive}\n", "utf-8"
    )
    with Deployment(Settings(data_dir=tmp_path)) as deployment:
        resolved = deployment.resolved_agent("billing")
        with pytest.raises(AgentConfigError, match="no agent 'biling'"):
            deployment.resolved_agent("biling")

    assert resolved.agent.name == "Billing"
    assert resolved.chat_model is not None
    assert resolved.knowledge_base is not None


@pytest.mark.hostile
def test_a_models_own_key_is_a_secret_by_name(tmp_path: Path):
    opened: list[dict[str, Any]] = []

    def open_model(model: str, **options: Any) -> Any:
        opened.append(options)
        return ScriptedChatModel()

    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("LLM_KEY: sk-own\n")
    settings = Settings(data_dir=tmp_path, secrets_file=secrets)
    with Deployment(settings, open_model=open_model) as deployment:
        for name in ("LLM_KEY", "", None):
            llm = LLMConfig(model="openai/x", api_base="http://llm/v1", api_key_secret=name)
            deployment.chat_model(llm)
        with pytest.raises(AgentConfigError, match="'GONE'"):
            deployment.chat_model(LLMConfig(model="openai/x", api_key_secret="GONE"))

    assert [options.get("api_key") for options in opened] == ["sk-own", "", None]


@pytest.mark.hostile
def test_an_endpoint_that_a_client_once_set_gets_no_key_of_the_environment(tmp_path: Path):
    """Agents saved before such endpoints named their keys: their files say nothing of one."""
    opened: list[dict[str, Any]] = []

    def open_model(model: str, **options: Any) -> Any:
        opened.append(options)
        return ScriptedChatModel()

    theirs, own = "https://theirs.example/v1", "https://own.example/v1"
    with Deployment(Settings(data_dir=tmp_path), open_model=open_model) as deployment:
        records = AgentRecords(deployment.settings.agents_dir, deployment.conversations.engine)
        llm = LLMConfig(model="openai/x", api_base=theirs)
        prompt = {"llm": "openai/x", "custom_llm": {"url": theirs}}
        records.create(
            AgentConfig(agent_id="old", name="Old", llm=llm),
            now=datetime.now(UTC),
            by="key 1",
            sent={"conversation_config": {"agent": {"prompt": prompt}}},
        )
        deployment.chat_model(deployment.agent("old").agent.llm)
        named = llm.model_copy(update={"api_key_variable": "OPENAI_API_KEY"})
        deployment.chat_model(named)
        deployment.chat_model(LLMConfig(model="openai/x", api_base=own))
        deployment.chat_model(llm.named("openai/x"))

    assert [options.get("api_key") for options in opened] == ["", None, None]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The store of several machines."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'common' / 'store.sqlite'}"
        return
    with postgresql_server(tmp_path) as address:
        yield f"postgresql+psycopg://{address}"


@pytest.mark.hostile
def test_what_several_machines_know_of_a_secret(tmp_path: Path, store_url: str):
    """As the guide of several machines says: the name is everywhere, the value is not."""
    (tmp_path / "secrets.yaml").write_text("CRM: sk-crm\n", "utf-8")
    with ExitStack() as opened:

        def machine(name: str, secrets_file: Path | None = None) -> ServerContext:
            settings = Settings(
                data_dir=tmp_path / name, store_url=store_url, secrets_file=secrets_file
            )
            settings.agents_dir.mkdir(parents=True)
            deployment = opened.enter_context(Deployment(settings))
            return create_app(deployment).state.context

        a, b, with_file = machine("a"), machine("b"), machine("c", tmp_path / "secrets.yaml")
        key: Any = None
        secret = create_secret(NewSecret(name="CRM", value="sk-crm"), a, key)
        webhook_id, _ = add_webhook(a, {"webhook_url": "https://example.com/"}, {})
        assert [each.name for each in list_secrets(b, key).secrets] == ["CRM"]
        assert (a.secrets.get("CRM"), b.secrets.get("CRM")) == ("sk-crm", None)
        assert with_file.secrets["CRM"] == "sk-crm"
        for status, refused in (
            (400, lambda: create_secret(NewSecret(name="CRM", value="sk-crm"), b, key)),
            (422, lambda: update_secret(secret.secret_id, SecretChange(name="CRM"), b, key)),
        ):
            with pytest.raises(ApiError) as told:
                refused()
            assert told.value.status_code == status
        assert [*webhooks(a.records, secrets_of(a))] == [webhook_id]
        assert webhooks(b.records, secrets_of(b)) == {}

        (tmp_path / "b" / "store").mkdir(exist_ok=True)
        shutil.copy2(tmp_path / "a/store/secrets.json", tmp_path / "b/store/secrets.json")
        assert b.secrets["CRM"] == "sk-crm", "without a restart"
        assert [*webhooks(b.records, secrets_of(b))] == [webhook_id]
        given = SecretChange(name="CRM", value="sk-new")
        update_secret(secret.secret_id, given, b, key)
        assert (a.secrets["CRM"], b.secrets["CRM"]) == ("sk-crm", "sk-new")


@pytest.mark.hostile
def test_machines_with_one_key_know_every_secret_and_webhook(tmp_path: Path, store_url: str):
    (tmp_path / "key").write_text(KEY, "utf-8")
    with ExitStack() as opened:

        def machine(name: str) -> ServerContext:
            settings = Settings(
                data_dir=tmp_path / name, store_url=store_url, secrets_key_file=tmp_path / "key"
            )
            settings.agents_dir.mkdir(parents=True)
            return create_app(opened.enter_context(Deployment(settings))).state.context

        a, b = machine("a"), machine("b")
        key: Any = None
        secret = create_secret(NewSecret(name="CRM", value="sk-crm"), a, key)
        webhook_id, _ = add_webhook(a, {"webhook_url": "https://example.com/"}, {})
        time.sleep(LOOK_EVERY_S)

        assert b.secrets["CRM"] == "sk-crm"
        assert [*webhooks(b.records, secrets_of(b))] == [webhook_id]
        update_secret(secret.secret_id, SecretChange(name="CRM", value="sk-new"), b, key)
        assert machine("c").secrets["CRM"] == "sk-new"
        assert not [*tmp_path.glob("*/store/secrets.json")]


KEY, OTHER = (base64.b64encode(bytes([each]) * 32).decode() for each in (1, 2))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    with closing(ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}")) as opened:
        yield opened


def machine(store: ConversationStore, *keys: str) -> SealedSecrets:
    return SealedSecrets(SharedFiles(store.engine, FOLDER), keys or (KEY,), look_every_s=0)


def test_every_machine_with_the_key_has_what_one_was_handed(store: ConversationStore):
    first, second = machine(store), machine(store)

    first.put("name:crm", "s3cret")
    second.put("name:mail", "other")
    first.put("name:crm", "changed")

    assert second.values() == {"name:crm": "changed", "name:mail": "other"}
    second.remove("name:crm")
    assert first.get("name:crm") is None
    assert first.get("name:mail") == "other"


def test_the_store_alone_tells_no_value(store: ConversationStore, tmp_path: Path):
    machine(store).put("name:crm", "a-value-to-look-for")
    store.close()

    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert b"name:crm" in held
    assert b"a-value-to-look-for" not in held


def test_another_key_opens_nothing_and_says_which_secret(store: ConversationStore):
    machine(store).put("name:crm", "s3cret")

    with pytest.raises(SealingKeyError, match="'name:crm' was sealed with a key that is not in"):
        machine(store, OTHER).values()


def test_a_key_is_exchanged_while_the_old_one_still_opens(store: ConversationStore):
    machine(store).put("name:crm", "s3cret")

    assert machine(store, OTHER, KEY).seal_anew() == 1
    assert machine(store, OTHER, KEY).seal_anew() == 0
    assert machine(store, OTHER).values() == {"name:crm": "s3cret"}


def test_reading_asks_the_store_for_nothing_that_is_known(store: ConversationStore):
    secrets = machine(store)
    for each in range(50):
        secrets.put(f"name:{each}", "value")

    with statements_run(store.engine) as asked:
        assert len(secrets.values()) == 50

    assert sum(each.startswith("SELECT") for each in asked) == 1


def test_what_lies_in_the_file_of_a_machine_is_sealed_and_the_file_is_gone(
    store: ConversationStore, tmp_path: Path
):
    file, key_file = tmp_path / "secrets.json", tmp_path / "key"
    key_file.write_text(f"{KEY}\n")
    StoredSecrets(file).put("name:crm", "s3cret")

    kept = kept_secrets(file, key_file, lambda: store)

    assert kept.values() == {"name:crm": "s3cret"}
    assert not file.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "holds no key"),
        ("short", "no 32 bytes in base64"),
        ("\u00e4", "cannot be read: it is no text"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_key_that_is_none_is_refused_without_showing_it(
    store: ConversationStore, tmp_path: Path, content: str | None, told: str
):
    key_file = tmp_path / "key"
    if content is not None:
        key_file.write_text(content, "utf-8")

    with pytest.raises(SealingKeyError, match=told) as refused:
        kept_secrets(tmp_path / "secrets.json", key_file, lambda: store)

    assert "openssl rand -base64 32" in str(refused.value)
    assert not content or content not in str(refused.value)
