from datetime import date
from pathlib import Path

import pytest

from conversation.llm.limits.own_prices import TokenPrice, parse_prices
from orchestration.env_file import add_keys
from orchestration.errors import SettingsError
from orchestration.settings import PREFIX, Settings, load_settings
from orchestration.shown_settings import shown_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


def test_defaults_keep_everything_under_the_data_folder():
    settings = load_settings({})

    assert settings.store == Path("data/store")
    assert settings.agents_dir == Path("data/agents")
    assert settings.dagster_instance_dir == Path("data/store/dagster")
    assert settings.weights_source_names == ("folder", "huggingface", "pypi", "npm")


def test_variables_and_the_env_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env").write_text("VIVAVOCE_JUDGE=openai/gpt-4.1\nOTHER=1\n")
    monkeypatch.setenv("VIVAVOCE_STORE_DIR", "/var/lib/vivavoce")
    monkeypatch.setenv("VIVAVOCE_LLM", "")

    settings = load_settings()

    assert settings.store == Path("/var/lib/vivavoce")
    assert settings.judge == "openai/gpt-4.1"
    assert settings.llm is None, "an empty variable is an unset one"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("VIVAVOCE_LLM", "gpt-4", "VIVAVOCE_LLM: 'gpt-4' is not a model string"),
        ("VIVAVOCE_LINK_NETWORKS", "10.0.0.0/8, intranet", "VIVAVOCE_LINK_NETWORKS: "),
        ("VIVAVOCE_LINK_NETWORKS", "10.0.0.0/33", "VIVAVOCE_LINK_NETWORKS: "),
        ("VIVAVOCE_STORE_URL", "store.db", "VIVAVOCE_STORE_URL: not a SQLAlchemy URL"),
        ("VIVAVOCE_JUDGE_CONCURRENCY", "0", "VIVAVOCE_JUDGE_CONCURRENCY: Input should be greater"),
        (
            "VIVAVOCE_WEIGHTS_SOURCES",
            "ftp",
            "'ftp': name one or more of folder, huggingface, pypi, npm or folder:PATH",
        ),
        ("VIVAVOCE_LLM_LIMITS", "gpt=5/5", "'gpt=5/5' is no limit; write MODEL=REQUESTS/TOKENS"),
        ("VIVAVOCE_LLM_CONTEXTS", "gpt=32k", "'gpt=32k' is no size of a context; write MODEL="),
        ("VIVAVOCE_LLM_CONTEXTS", "openai/own=12", "with at least 1024 tokens"),
        ("VIVAVOCE_FIRST_DAY", "2999-01-01", "2999-01-01 is in the future"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(
    variable: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert told in str(caught.value)


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(SettingsError, match=r"'VIVAVOCE_STOREDIR'.*'VIVAVOCE_STORE_DIR'"):
        load_settings({"VIVAVOCE_STOREDIR": "x"})


def test_every_setting_is_shown_with_a_description_and_without_passwords():
    settings = Settings(store_url="postgresql+psycopg://app:hunter2@db:5432/vivavoce")

    shown = {setting.variable: setting for setting in shown_settings(settings)}

    assert len(shown) == len(Settings.model_fields)
    assert all(name.startswith(PREFIX) and setting.description for name, setting in shown.items())
    assert shown["VIVAVOCE_STORE_URL"].value == "postgresql+psycopg://app:****@db:5432/vivavoce"
    assert not shown["VIVAVOCE_STORE_URL"].is_default
    assert shown["VIVAVOCE_LLM"].is_default


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        (
            "store_url",
            "postgresql://app:a%40b@db/x?password=c",
            "postgresql://app:****@db/x?password=****",
        ),
        ("store_url", "postgresql://app@db/x", "postgresql://app@db/x"),
        ("celery_broker_url", "redis://:hunter2@db:6379/0", "redis://:****@db:6379/0"),
        ("chroma_url", "https://hunter2@chroma.internal", "https://****@chroma.internal"),
        (
            "warehouse_url",
            "ducklake:postgres:dbname=x password='hunter 2' user=v",
            "ducklake:postgres:dbname=x password=**** user=v",
        ),
    ],
)
def test_no_secret_is_shown_however_it_is_written(name: str, value: str, shown: str):
    (found,) = [
        setting.value
        for setting in shown_settings(Settings.model_validate({name: value}))
        if setting.variable == f"{PREFIX}{name.upper()}"
    ]

    assert found == shown


def in_file(folder: Path, text: str) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "settings.yaml").write_text(text, "utf-8")


def test_a_settings_file_holds_what_no_variable_and_no_env_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    in_file(
        tmp_path,
        "timezone: Europe/Berlin\nllm: openai/a\njudge: openai/b\nfirst_day: 2026-02-01\n"
        "judge_concurrency: 2\nlog_level:\n",
    )
    (tmp_path / ".env").write_text("VIVAVOCE_JUDGE=openai/c\n")
    monkeypatch.setenv("VIVAVOCE_LLM", "openai/d")

    settings = load_settings()

    assert (settings.llm, settings.judge) == ("openai/d", "openai/c")
    assert settings.timezone == "Europe/Berlin"
    assert settings.first_day == date(2026, 2, 1)
    assert settings.judge_concurrency == 2
    assert settings.log_level == "info", "an empty value is an unset one"


def test_the_settings_file_lies_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "settings.yaml").write_text("timezone: Asia/Tokyo", "utf-8")
    (tmp_path / ".env").write_text("VIVAVOCE_DATA_DIR=elsewhere\n")

    assert load_settings().timezone == "Asia/Tokyo"
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", "nowhere")
    assert load_settings().timezone == "UTC"


def test_prices_of_the_file_hold_until_the_variable_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    in_file(
        tmp_path,
        "prices:\n  openai/own: {read: 0.25, written: 1}\n  ollama/x: {read: 1.0e-7, written: 0}\n",
    )

    assert parse_prices(load_settings().llm_prices) == {
        "openai/own": TokenPrice(0.25, 1.0),
        "ollama/x": TokenPrice(1e-7, 0.0),
    }
    monkeypatch.setenv("VIVAVOCE_LLM_PRICES", "openai/own=3/4")
    assert parse_prices(load_settings().llm_prices) == {"openai/own": TokenPrice(3.0, 4.0)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("timezon: UTC", "'timezon', which is no setting. Did you mean 'timezone'"),
        ("timezone: Mars/Base", "VIVAVOCE_TIMEZONE: there is no time zone 'Mars/Base'"),
        ("data_dir: other", "Set VIVAVOCE_DATA_DIR instead"),
        ("- a", "holds no settings"),
        ("a: [", "line 1 is not valid YAML"),
        ("prices: 3", "prices is no price"),
        ("prices: {openai/own: 3}", "prices.openai/own is no price"),
        ("prices: {openai/own: {read: 1}}", "prices.openai/own is no price"),
        ("prices: {openai/own: {read: -1, written: 1}}", "prices.openai/own is no price"),
        ("prices: {openai/own: {read: yes, written: 1}}", "prices.openai/own is no price"),
        ("prices: {own: {read: 1, written: 1}}", "'own=1/1' is no price"),
        ("prices: {}\nllm_prices: a/b=1/1", "sets both prices and llm_prices"),
    ],
)
def test_a_settings_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, told: str):
    in_file(tmp_path, text)

    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert told in str(caught.value)
    assert "data/settings.yaml" in str(caught.value) or "VIVAVOCE_" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_keys_of_the_env_file_reach_what_looks_into_the_environment(tmp_path: Path, encoding: str):
    text = (
        "OWN_KEY=sk-own\r\nexport OTHER='a b'\r\nEMPTY=\r\nKNOWN=new\r\nVIVAVOCE_LLM=openai/own\r\n"
    )
    (tmp_path / ".env").write_bytes(text.encode(encoding))
    environment = {"KNOWN": "old", "OTHER": ""}

    add_keys(environment, PREFIX)

    assert environment == {"OWN_KEY": "sk-own", "KNOWN": "old", "OTHER": "a b"}
    assert Settings().llm == "openai/own"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"VIVAVOCE_JUGDE=openai/own\n", "'VIVAVOCE_JUGDE', which is no setting. Did you mean"),
        (b"OWN_KEY=1\n\xff\xfe\n", "'.env' is no text in UTF-8. Save it as UTF-8."),
        (b"OWN_KEY=1\n\nsk-secret\n", "'.env', line 3: this is no setting. Write NAME=VALUE"),
        (b"OWN_KEY='sk-secret\n", "'.env', line 1: this is no setting."),
    ],
)
def test_an_env_file_that_cannot_be_used_says_where(tmp_path: Path, content: bytes, told: str):
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingsError) as refused:
        load_settings({})

    assert told in str(refused.value)
    assert "sk-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"prices:\n\topenai/own: 3\n",
            "settings.yaml', line 2 is not valid YAML: found character",
        ),
        ("timezone: Europe/Berlin\n".encode("utf-16"), "is no text in UTF-8. Save it as UTF-8."),
    ],
)
def test_a_settings_file_that_cannot_be_read_says_where_in_one_line(
    tmp_path: Path, content: bytes, told: str
):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "settings.yaml").write_bytes(content)

    with pytest.raises(SettingsError) as refused:
        load_settings({})

    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
