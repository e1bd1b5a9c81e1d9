"""Documents over the network: handed in, read in the background, answered from."""

from pathlib import Path

from tests.orchestration.deployed import served_deployment
from tests.orchestration.calls import heard_answer


def test_an_agent_answers_from_a_text_that_was_handed_in(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        document_id = served.new_text("Parcels to Norway take nine days.", "Norway")
        agent_id = served.agent_with(document_id)
        served.indexed(document_id)
        heard_answer(served, agent_id, "How long do parcels to Norway take?")
        (conversation,) = served.context.store.page(agent_id=agent_id).conversations
        found = served.context.store.retrievals(conversation.conversation_id)

    assert [passage.text for passage in found] == ["Parcels to Norway take nine days."]
    assert found[0].document_id == document_id
