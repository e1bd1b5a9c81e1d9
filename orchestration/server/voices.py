"""Ears and voices of a deployment, for the server: loaded once, and never waited for too long."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillLoading
from importlib.util import find_spec

from conversation.agent.config import AgentConfig
from conversation.errors import SpeechError
from conversation.voice.open_voice import open_voice
from conversation.voice.ports import CallModels
from orchestration.deployment import Deployment

MAX_WAIT_S = 15.0
"""So long a caller may wait for models; those that are still fetched then go on loading."""
TRY_AGAIN_AFTER_S = 30.0
"""An agent whose models could not be loaded is offered by text until then."""

_log = logging.getLogger(__name__)


class DeployedVoices:
    """What hears and speaks for the agents of a deployment. Safe to use from any thread."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        open_models: Callable[..., CallModels] = open_voice,
        max_wait_s: float = MAX_WAIT_S,
        timer_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deployment = deployment
        self._open_models = open_models
        self._max_wait_s = max_wait_s
        self._timer_s = timer_s
        self._failed_s: dict[str, float] = {}

    def can_speak_for(self, agent: AgentConfig) -> bool:
        """Whether the extra is there that the agent's models need, and they did not fail lately."""
        if agent.voice is None:
            return False
        failed_s = self._failed_s.get(_wanted_by(agent))
        if failed_s is not None and self._timer_s() - failed_s < TRY_AGAIN_AFTER_S:
            return False
        is_embedded = agent.voice.stt.model.startswith("embedded/")
        return not is_embedded or find_spec("ctranslate2") is not None

    def models(self, agent: AgentConfig) -> CallModels:
        """What hears and speaks in the calls of `agent`.

        Raises:
            SpeechError: It cannot be used, or is still being fetched.
        """
        try:
            return self._load(agent).result(self._max_wait_s)
        except StillLoading as error:
            self._fails(agent)
            raise SpeechError(
                "The models of its voice are still being fetched or loaded. `vivavoce voice check` "
                "fetches them beforehand, and `vivavoce serve --preload` loads them at the start."
            ) from error
        except SpeechError:
            self._fails(agent)
            raise

    def preload(self, agents: Sequence[AgentConfig]) -> list[str]:
        """Load the models of every agent with a voice; returns who has none, and why."""
        problems: list[str] = []
        for agent in agents:
            if agent.voice is not None:
                try:
                    self._load(agent).result()
                except SpeechError as error:
                    problems.append(f"{agent.agent_id}: {error}")
        return problems

    def _fails(self, agent: AgentConfig) -> None:
        now_s = self._timer_s()
        recent = {
            wanted: failed_s
            for wanted, failed_s in list(self._failed_s.items())
            if now_s - failed_s < TRY_AGAIN_AFTER_S
        }
        self._failed_s = {**recent, _wanted_by(agent): now_s}

    def _load(self, agent: AgentConfig) -> "Future[CallModels]":
        loading: Future[CallModels] = Future()
        thread = threading.Thread(target=self._run, args=(agent, loading), daemon=True)
        thread.start()
        return loading

    def _run(self, agent: AgentConfig, loading: "Future[CallModels]") -> None:
        try:
            models = self._open_models(
                agent.voice and agent.voice.beside(self._deployment.settings.agents_dir),
                language=agent.language,
                further_languages=tuple(agent.languages),
                weights=self._deployment.weights,
            )
        except Exception as error:
            loading.set_exception(
                error
                if isinstance(error, SpeechError)
                else SpeechError(f"The voice failed to load: {type(error).__name__}.")
            )
        else:
            self._failed_s.pop(_wanted_by(agent), None)
            loading.set_result(models)


def _wanted_by(agent: AgentConfig) -> str:
    """What an agent hears and speaks with.

    A session may have chosen another voice for itself: where that cannot be used, all others are
    still heard.
    """
    of_a_user = {"stt": {"keywords"}, "tts": {"speed"}}
    voice = "" if agent.voice is None else agent.voice.model_dump_json(exclude=of_a_user)
    return f"{agent.agent_id} {agent.language} {voice}"
