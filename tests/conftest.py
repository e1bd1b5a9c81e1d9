"""Shared fixtures. Nothing here opens the network."""

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# A busy machine is no failure. `make test PROFILE=thorough` tries ten times as many examples.
for _profile, _examples in (("quick", 50), ("thorough", 500)):
    hypothesis.settings.register_profile(
        _profile,
        max_examples=_examples,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("quick")


@pytest.fixture
def datasets() -> Path:
    """Folder of the shared measuring data; the test is skipped where there is none."""
    folder = Path(os.environ.get("VIVAVOCE_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
    if not folder.is_dir():
        pytest.skip(f"no measuring data at {folder} (set VIVAVOCE_DATASETS)")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Count a skip as a failure where the environment promises that nothing is missing."""
    # Worker processes hand their reports to the one that counts.
    if os.environ.get("TESTS_MUST_NOT_SKIP") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_NoSkips(), "no-skips")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are collected, nor look through them and all modules later.

    They stay to the end, so each pass finds nothing among them: that took a third of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_finish() -> None:
    """Spare stores their migrations; tests of migrations have imported the real ones by now."""
    if "conversation.store.database" in sys.modules:
        from tests.ready_made import begin_from_ready_made_tables

        begin_from_ready_made_tables()


class _NoSkips:
    """`.ci/run` installs what tests need, so a skip there is a missing step. Data may be absent."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and "no measuring data" not in str(report.longrepr):
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for nodeid in self.skipped:
            terminalreporter.write_line(f"skipped where nothing may be: {nodeid}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say to `.ci/run` whether the tests ran to their end: only then is a failure tried again."""
    cache = session.config.cache
    if cache is not None and not hasattr(session.config, "workerinput"):
        cache.set("ended", session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED))


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often the slow tests of killed processes kill one."""
    parser.addoption("--kill-points", default="15", help="kills of each of the slow crash tests")
