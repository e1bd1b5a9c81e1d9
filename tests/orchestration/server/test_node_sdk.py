"""The published Node.js client, unchanged, on agents that can be changed."""

import json
import subprocess
from pathlib import Path

import pytest

from conversation.agent.agent_file import load_agent
from tests.analysis.calls import hold_call
from tests.npm import node_with
from tests.orchestration.deployed import served_deployment
from tests.orchestration.server.test_agents_api import RICH

pytestmark = pytest.mark.slow
JS = """
const { ElevenLabsClient } = require("@elevenlabs/elevenlabs-js");
const [baseUrl, apiKey] = process.argv.slice(2);
(async () => {
  const { agents } = new ElevenLabsClient({ baseUrl, apiKey }).conversationalAi;
  const listed = await agents.list({});
  const agent = await agents.get("shop-desk");
  const changed = await agents.update("shop-desk", { name: "Desk" });
  console.log(JSON.stringify({
    listed: listed.agents.map((each) => each.agentId),
    name: agent.name,
    nodes: agent.workflow.nodes,
    loops: agent.workflow.preventSubagentLoops,
    changed: changed.name,
  }));
})();
"""


@pytest.mark.timeout(300)
def test_agents_are_listed_read_and_changed(tmp_path: Path):
    node = node_with(tmp_path, "@elevenlabs/elevenlabs-js")
    (tmp_path / "agents.js").write_text(JS)
    with served_deployment(tmp_path / "data") as served:
        done = subprocess.run(
            [node, "agents.js", served.url, served.key("admin")],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "listed": ["shop-desk"],
        "name": "Shop desk",
        "nodes": {},
        "loops": False,
        "changed": "Desk",
    }


ANSWERS_JS = """
const { ElevenLabsClient } = require("@elevenlabs/elevenlabs-js");
const [baseUrl, apiKey, call, document_] = process.argv.slice(2);
const ours = new ElevenLabsClient({ baseUrl, apiKey }).conversationalAi;
const agent = "shop-desk";
const model = "multilingual_e5_large_instruct";
const calls = {
  agents: () => ours.agents.list({}),
  agent: () => ours.agents.get(agent),
  update: () => ours.agents.update(agent, { tags: ["a"] }),
  summaries: () => ours.agents.summaries.get({ agentIds: [agent] }),
  widget: () => ours.agents.widget.get(agent),
  link: () => ours.agents.link.get(agent),
  size: () => ours.agents.knowledgeBase.size(agent),
  branches: () => ours.agents.branches.list(agent),
  branch: () => ours.agents.branches.get(agent, "main"),
  version: async () => {
    const { versionId } = await ours.agents.get(agent);
    return ours.agents.versions.get(agent, versionId);
  },
  earlier: async () => {
    const { versionId } = await ours.agents.get(agent);
    return ours.agents.get(agent, { versionId });
  },
  topics: () => ours.conversations.topics.get(agent, {}),
  conversations: () => ours.conversations.list({}),
  conversation: () => ours.conversations.get(call),
  signed: () => ours.conversations.getSignedUrl({ agentId: agent }),
  tags: () => ours.conversations.tags.list({}),
  tag: () => ours.conversations.tags.create({ title: "Urgent" }),
  messages: () => ours.conversations.messages.textSearch({ textQuery: "parcel" }),
  documents: () => ours.knowledgeBase.list({}),
  document: () => ours.knowledgeBase.documents.get(document_),
  text: () => ours.knowledgeBase.documents.createFromText({ text: "Nine.", name: "N" }),
  folder: async () => {
    const { id } = await ours.knowledgeBase.documents.createFolder({ name: "F" });
    return ours.knowledgeBase.documents.get(id);
  },
  index: () => ours.knowledgeBase.document.computeRagIndex(document_, { model }),
  overview: () => ours.ragIndexOverview(),
  indexes: () => ours.getDocumentRagIndexes(document_),
  chunks: () => ours.knowledgeBase.documents.chunks.list(document_, { embeddingModel: model }),
  dependents: () => ours.knowledgeBase.documents.getAgents(document_, {}),
  found: () => ours.knowledgeBase.search({ query: "parcels" }),
  crawls: () => ours.knowledgeBase.crawlJobs.list({}),
  crawl: async () => {
    const { id } = await ours.knowledgeBase.crawlJobs.create({ url: "http://127.0.0.1:1/" });
    return ours.knowledgeBase.crawlJobs.get(id);
  },
  tools: () => ours.tools.list({}),
  tests: () => ours.tests.list({}),
  secrets: () => ours.secrets.list({}),
  settings: () => ours.settings.get(),
  users: () => ours.users.list({}),
  live: () => ours.analytics.liveCount.get({}),
  models: () => ours.llm.list(),
};
(async () => {
  const failed = {};
  for (const [name, ask] of Object.entries(calls)) {
    try {
      const answer = await ask();
      if (answer === undefined || answer === null) failed[name] = "nothing";
    } catch (error) {
      failed[name] = String(error.message ?? error).slice(0, 300);
    }
  }
  console.log(JSON.stringify({ asked: Object.keys(calls).length, failed }));
})();
"""


@pytest.mark.timeout(300)
def test_every_answer_is_read_by_its_own_deserialisers(tmp_path: Path):
    node = node_with(tmp_path, "@elevenlabs/elevenlabs-js")
    (tmp_path / "answers.js").write_text(ANSWERS_JS)
    with served_deployment(tmp_path / "data") as served:
        hold_call(served.deployment.conversations, "c1", question="Where is my parcel?")
        document = served.new_text("Parcels take nine days.")
        served.indexed(document)
        done = subprocess.run(
            [node, "answers.js", served.url, served.key("admin"), "c1", document],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)
    assert answered["failed"] == {}
    assert answered["asked"] == 37


BACK_JS = """
const { ElevenLabsClient } = require("@elevenlabs/elevenlabs-js");
const [baseUrl, apiKey] = process.argv.slice(2);
(async () => {
  const { agents } = new ElevenLabsClient({ baseUrl, apiKey }).conversationalAi;
  const shown = {};
  for (const id of ["rich", "desk"]) {
    const agent = await agents.get(id);
    shown[id] = agent.conversationConfig.agent.prompt.customLlm.modelId;
    await agents.update(id, agent);
  }
  const prompt = { llm: "custom-llm", customLlm: { url: "vivavoce:", modelId: "ollama/llama3.2" } };
  const { agentId } = await agents.create({ conversationConfig: { agent: { prompt } } });
  console.log(JSON.stringify({ shown, agentId }));
})();
"""
DESK = "agent_id: desk\nname: Desk\nllm: {model: scripted/a, fallbacks: [ollama/b]}\n"


@pytest.mark.timeout(300)
def test_agents_with_models_that_it_has_no_name_for_are_read_and_put_back(tmp_path: Path):
    node = node_with(tmp_path, "@elevenlabs/elevenlabs-js")
    (tmp_path / "back.js").write_text(BACK_JS)
    with served_deployment(tmp_path / "data") as served:
        files = {name: served.settings.agents_dir / f"{name}.yaml" for name in ("rich", "desk")}
        for name, text in (("rich", RICH), ("desk", DESK)):
            files[name].write_text(text)
        served.deployment.knowledge_base("rich")
        done = subprocess.run(
            [node, "back.js", served.url, served.key("admin")],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        after = {name: file.read_text() for name, file in files.items()}
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        made = load_agent(served.settings.agents_dir / f"{said['agentId']}.yaml")

    assert said["shown"] == {"rich": "scripted/model", "desk": "scripted/a"}
    assert after == {"rich": RICH, "desk": DESK}
    assert made.llm.model == "ollama/llama3.2"
