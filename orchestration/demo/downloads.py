"""Models that the demo has to fetch first: how much that is, and how far it has come."""

from conversation.agent.models.judges import panel_members
from kb.weights.folder import Weights
from kb.weights.progress import FetchProgress
from orchestration.deployment import Deployment
from orchestration.terminal.progress import ProgressDisplay

_EMBEDDED = "embedded/"


def missing_bytes(deployment: Deployment, agent_id: str) -> int:
    """Bytes of the models of an agent and its judges that are not on this machine yet."""
    agent = deployment.agent(agent_id).agent
    models = [agent.llm.model, *panel_members(agent.judge.name)]
    names = [each.removeprefix(_EMBEDDED) for each in models if each.startswith(_EMBEDDED)]
    names += deployment.knowledge_base(agent_id).embedding.model.split("+")
    return sum(_missing(deployment.weights, name) for name in dict.fromkeys(names))


def _missing(weights: Weights, name: str) -> int:
    known = name in weights.models()
    return weights.size_bytes(name) if known and not weights.is_present(name) else 0


class ShownDownloads:
    """Shows what is fetched like any other work of the demo, with the time left of the whole."""

    def __init__(self, progress: ProgressDisplay) -> None:
        self._progress = progress

    def note(self, text: str) -> None:
        """Print one line."""
        self._progress.say(f"  {text}")

    def advance(self, progress: FetchProgress, *, part_done: bool) -> None:
        """Show how many megabytes are there."""
        done, total = (round(each / 1e6) for each in (progress.done_bytes, progress.total_bytes))
        # The last bytes still have to be checked.
        self._progress(f"MB of {progress.model}", min(done, total - 1), total)

    def finish(self) -> None:
        """Remove the line."""
        self._progress.clear()
