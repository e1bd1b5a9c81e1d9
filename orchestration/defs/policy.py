"""What holds for every asset: who owns it, and which failures are worth another attempt."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg
from sqlalchemy.exc import OperationalError

from conversation.errors import ModelUnavailableError, StoreUnavailableError
from kb.errors import BusyError

WRITERS = "team:documents"
"""Who writes what agents answer from."""
ANALYSTS = "team:analysts"
"""Who asks the questions and reads the answers."""
OPERATORS = "team:operators"
"""Who keeps it running."""

PERSONAL = {"holds": "personal_data"}
"""Words of callers, or what was concluded from them: `vivavoce forget` and retention reach it."""
MEASURED = {"holds": "measurements"}
WRITTEN = {"holds": "documents"}
CONFIGURED = {"holds": "settings"}

MODEL_POOL = "llm"
"""Steps that ask a language model, however they were started, share the slots of this pool."""

AGAIN_LATER = dg.RetryPolicy(
    max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
_TRANSIENT = (
    ModelUnavailableError,
    StoreUnavailableError,
    BusyError,
    OperationalError,
    ConnectionError,
    TimeoutError,
)


@contextmanager
def only_transient_failures_again() -> Iterator[None]:
    """Let a step be attempted again when it failed for a reason that may pass, and only then.

    A key that is refused or a file that is wrong fails at once: waiting would only hide it.
    """
    try:
        yield
    except _TRANSIENT:
        raise
    except Exception as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error


def fail_for_refused(agents: Mapping[str, str]) -> None:
    """Fail a run that judged all but these agents, whose judge is not set up.

    What was judged is kept; nobody would look at a run that is green.

    Raises:
        dagster.Failure: With each agent and its reason, and without another attempt.
    """
    if agents:
        told = "; ".join(f"agent {name!r}: {reason}" for name, reason in sorted(agents.items()))
        raise dg.Failure(f"Not judged: {told}", allow_retries=False)
