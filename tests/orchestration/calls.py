"""Text conversations with agents of a running server."""

import json

from websockets.sync.client import connect

from tests.orchestration.deployed import ServedDeployment


def heard_answer(served: ServedDeployment, agent_id: str, question: str) -> str:
    """What the agent answers to one question, in a conversation of its own."""
    url = f"{served.url.replace('http', 'ws')}/v1/convai/conversation?agent_id={agent_id}"
    with connect(url, proxy=None) as socket:
        socket.send(json.dumps({"type": "conversation_initiation_client_data"}))
        answers: list[str] = []
        while len(answers) < 2:
            frame = json.loads(socket.recv(timeout=60))
            if frame["type"] == "agent_response":
                answers.append(frame["agent_response_event"]["agent_response"])
                if len(answers) == 1:
                    socket.send(json.dumps({"type": "user_message", "text": question}))
    return answers[1]
