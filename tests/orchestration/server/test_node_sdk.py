"""The published Node.js client, unchanged, on agents that can be changed."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.npm import node_with
from tests.orchestration.deployed import served_deployment

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
