"""The published Python client (`elevenlabs`), unchanged, on agents and documents."""

import queue
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.agent_file import load_agent
from tests.analysis.calls import hold_call
from tests.fakes import ScriptedChatModel
from tests.orchestration.deployed import ServedDeployment, served_deployment, wait_for
from tests.orchestration.server.test_agents_api import RICH, played
from tests.orchestration.server.test_documents_api import site

pytestmark = [
    pytest.mark.slow,
    # The client's own: it names what websockets and pydantic would like renamed.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

MODEL = "multilingual_e5_large_instruct"


def config(*documents: Any, first_message: str = "Hello!") -> Any:
    from elevenlabs.types import (
        AgentConfig,
        ConversationalConfig,
        KnowledgeBaseLocator,
        PromptAgentApiModelOutput,
    )

    locators = [KnowledgeBaseLocator(type="text", id=each.id, name=each.name) for each in documents]
    prompt = PromptAgentApiModelOutput(
        prompt="You help.",
        llm="scripted/model",
        knowledge_base=locators,
    )
    return ConversationalConfig(agent=AgentConfig(first_message=first_message, prompt=prompt))


def indexed(documents: Any, document_id: str) -> str:
    """Poll as the vendor's guide does."""
    status: list[str] = []

    def is_done() -> bool:
        status.append(documents.compute_rag_index(document_id, model=MODEL).status)
        return status[-1] in ("succeeded", "failed")

    wait_for(is_done)
    return status[-1]


@contextmanager
def talking(client: Any, agent_id: str) -> Generator[tuple[Any, queue.Queue[str]]]:
    """A conversation by text, and what the agent says in it after its greeting."""
    from elevenlabs.conversational_ai.conversation import Conversation

    answers: queue.Queue[str] = queue.Queue()
    conversation = Conversation(
        client,
        agent_id,
        requires_auth=True,
        audio_interface=None,
        callback_agent_response=answers.put,
    )
    conversation.start_session()
    try:
        assert answers.get(timeout=60) == "Hello!"
        yield conversation, answers
    finally:
        conversation.end_session()
        conversation.wait_for_session_end()


def said_by(served: ServedDeployment, client: Any, agent_id: str, question: str) -> str:
    """What the agent answers to one question, in a conversation by text."""
    with talking(client, agent_id) as (conversation, answers):
        conversation.send_user_message(question)
        return answers.get(timeout=60)


def test_documents_are_handed_in_polled_and_answered_from(tmp_path: Path):
    with served_deployment(tmp_path) as served, site() as (url, _pages):
        client = served.client()
        base = client.conversational_ai.knowledge_base
        text = base.documents.create_from_text(text="Parcels take nine days.", name="Parcels")
        file = base.documents.create_from_file(file=("a.txt", b"We open at nine."), name="Hours")
        page = base.documents.create_from_url(url=f"{url}/help", name="Help")
        agent = client.conversational_ai.agents.create(
            name="Desk", conversation_config=config(text, file, page)
        )
        states = [indexed(base.document, each.id) for each in (text, file, page)]
        answer = said_by(served, client, agent.agent_id, "How long do parcels take?")
        (held,) = served.context.store.page(agent_id=agent.agent_id).conversations
        found = served.context.store.retrievals(held.conversation_id)
        listed = base.list(page_size=2)
        rest = base.list(cursor=listed.next_cursor)
        document = base.documents.get(text.id)
        content = base.documents.get_content(text.id)
        chunks = base.documents.chunks.list(text.id, embedding_model=MODEL).chunks
        chunk = base.documents.chunk.get(text.id, chunks[0].id, embedding_model=MODEL)
        agents = base.documents.get_agents(text.id).agents
        size = client.conversational_ai.agents.knowledge_base.size(agent.agent_id)
        overview = client.conversational_ai.rag_index_overview()
        (index,) = client.conversational_ai.get_document_rag_indexes(text.id).indexes

    assert states == ["succeeded"] * 3
    assert answer == "Refunds take five days."
    assert text.id in {passage.document_id for passage in found}
    assert len({each.id for each in (*listed.documents, *rest.documents)}) == 5
    assert (document.type, document.name) == ("text", "Parcels")
    assert document.metadata.size_bytes == len(b"Parcels take nine days.")
    assert content == chunk.content == "Parcels take nine days."
    assert [each.id for each in agents] == [agent.agent_id]
    assert size.number_of_pages > 0
    assert overview.total_used_bytes > 0
    assert (index.status, index.progress_percentage) == ("succeeded", 100.0)


def test_documents_are_changed_and_deleted(tmp_path: Path):
    from elevenlabs.core.api_error import ApiError

    with served_deployment(tmp_path) as served:
        client = served.client()
        base = client.conversational_ai.knowledge_base
        text = base.documents.create_from_text(text="Nine days.", name="Parcels")
        old_way = client.conversational_ai.add_to_knowledge_base(
            agent_id="shop-desk", name="Old", file=("old.md", b"# Old\n\nAn older way.")
        )
        agent = client.conversational_ai.agents.create(conversation_config=config(text))
        renamed = base.documents.update(text.id, name="Post", content="Ten days.")
        replaced = base.document.update_file(old_way.id, file=("new.md", b"# New\n\nA newer way."))
        refreshed = base.document.refresh(text.id)
        indexes = base.get_or_create_rag_indexes(
            items=[
                {"document_id": each, "model": MODEL, "create_if_missing": True}  # type: ignore
                for each in (text.id, "doc_none")
            ]
        )
        summaries = base.documents.summaries.get(document_ids=[text.id])
        found = base.search(query="a newer way")
        with pytest.raises(ApiError) as in_use:
            base.documents.delete(text.id)
        base.documents.delete(text.id, force=True)
        bulk = base.documents.bulk_delete(document_ids=[old_way.id, text.id], force=True)
        left = base.list().documents
        read = client.conversational_ai.agents.get(agent.agent_id)

    assert (renamed.name, replaced.filename, refreshed.id) == ("Post", "old.md", text.id)
    assert indexes["doc_none"].error_code == 404
    assert indexes[text.id].data.model == MODEL
    assert summaries[text.id].data.name == "Post"
    assert found.results is not None
    assert (in_use.value.status_code, in_use.value.body["detail"]["status"]) == (
        400,
        "document_in_use",
    )
    assert bulk[old_way.id].status == "success"
    assert bulk[text.id].error_status == "document_not_found"
    assert {each.name for each in left} == {"refunds.md", "delivery.md"}
    assert read.conversation_config.agent.prompt.knowledge_base == []


def test_agents_are_made_changed_copied_and_deleted(tmp_path: Path):
    from elevenlabs.core.api_error import ApiError
    from elevenlabs.types import AgentConfig, ConversationalConfig

    with served_deployment(tmp_path) as served:
        client = served.client()
        agents = client.conversational_ai.agents
        made = agents.create(conversation_config=config(), name="Desk", tags=["a"])
        read = agents.get(made.agent_id)
        sent_back = agents.update(
            made.agent_id,
            conversation_config=read.conversation_config,
            platform_settings=read.platform_settings,
        )
        greeting = ConversationalConfig(agent=AgentConfig(first_message="Good day!"))
        changed = agents.update(made.agent_id, conversation_config=greeting)
        copy = agents.duplicate(made.agent_id, name="Copy")
        listed = agents.list(search="copy")
        summaries = agents.summaries.get(agent_ids=[made.agent_id])
        link = agents.link.get(made.agent_id)
        widget = agents.widget.get(made.agent_id)
        agents.delete(copy.agent_id)
        with pytest.raises(ApiError) as gone:
            agents.get(copy.agent_id)

    assert (read.name, read.tags) == ("Desk", ["a"])
    assert read.metadata.created_at_unix_secs > 0
    assert sent_back.version_id is not None
    assert changed.conversation_config.agent.first_message == "Good day!"
    assert changed.conversation_config.agent.prompt.prompt == "You help."
    assert [each.agent_id for each in listed.agents] == [copy.agent_id]
    assert listed.agents[0].access_info.role == "admin"
    assert summaries[made.agent_id].data.name == "Desk"
    assert link.token is not None
    assert widget.widget_config.first_message == "Good day!"
    assert (gone.value.status_code, gone.value.body["detail"]["status"]) == (404, "agent_not_found")


def test_an_agent_that_is_read_and_sent_back_stays_as_it_is(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        path = served.settings.agents_dir / "rich.yaml"
        path.write_text(RICH)
        before = load_agent(path)
        agents = served.client().conversational_ai.agents
        read = agents.get("rich")
        agents.update(
            "rich",
            conversation_config=read.conversation_config,
            platform_settings=read.platform_settings,
        )
        after = load_agent(path)

    assert after == before


def test_a_conversation_is_simulated(tmp_path: Path):
    from elevenlabs.types import (
        AgentConfig,
        ConversationSimulationSpecification,
        PromptAgentApiModelOutput,
    )

    with served_deployment(tmp_path, model=ScriptedChatModel(always=played)) as served:
        user = AgentConfig(
            first_message="Where is my money?",
            language="en",
            prompt=PromptAgentApiModelOutput(prompt="A customer.", llm="scripted/model"),
        )
        agents = served.client().conversational_ai.agents
        held = agents.simulate_conversation(
            "shop-desk",
            simulation_specification=ConversationSimulationSpecification(
                simulated_user_config=user
            ),
            new_turns_limit=2,
        )
        agents.simulate_conversation_stream(
            "shop-desk",
            simulation_specification=ConversationSimulationSpecification(
                simulated_user_config=user
            ),
        )

    assert [turn.role for turn in held.simulated_conversation][:2] == ["user", "agent"]
    assert held.analysis.evaluation_criteria_results["helped"].result == "success"


def test_what_is_not_served_says_so(tmp_path: Path):
    from elevenlabs.core.api_error import ApiError

    with served_deployment(tmp_path) as served:
        ours = served.client().conversational_ai
        for call in (
            lambda: ours.agents.drafts.delete("shop-desk", branch_id="main"),
            lambda: ours.knowledge_base.crawl_jobs.create(url="https://a", enable_auto_sync=True),
            lambda: ours.mcp_servers.list(),
        ):
            with pytest.raises(ApiError) as refused:
                call()
            assert refused.value.status_code == 400


def test_versions_topics_folders_and_crawl_jobs(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        ours = served.client().conversational_ai
        agent = ours.agents.get("shop-desk")
        changed = ours.agents.update("shop-desk", name="Desk", version_description="Shorter.")
        (branch,) = ours.agents.branches.list("shop-desk").results
        whole = ours.agents.branches.get("shop-desk", branch.id)
        version = ours.agents.versions.get("shop-desk", changed.version_id)
        before = ours.agents.get("shop-desk", version_id=agent.version_id)
        topics = ours.conversations.topics.get("shop-desk", sort_by="conversations")
        base = ours.knowledge_base
        folder = base.documents.create_folder(name="Help")
        text = base.documents.create_from_text(text="Nine days.", name="Parcels")
        base.documents.move(text.id, move_to=folder.id)
        inside = base.list(parent_folder_id=folder.id).documents
        read = base.documents.get(folder.id)
        base.documents.bulk_move(document_ids=[text.id])
        base.documents.delete(folder.id)
        job = base.crawl_jobs.create(url="http://127.0.0.1:1/none")
        wait_for(lambda: base.crawl_jobs.get(job.id).status == "failed")
        jobs = base.crawl_jobs.list().crawl_jobs

    assert [each.id for each in whole.most_recent_versions] == [
        changed.version_id,
        agent.version_id,
    ]
    assert (version.version_description, version.seq_no_in_branch) == ("Shorter.", 2)
    assert version.parents.in_branch_parent_id == agent.version_id
    assert (before.name, changed.name) == (agent.name, "Desk")
    assert (topics.topics, topics.has_more) == ([], False)
    assert [each.id for each in inside] == [text.id]
    assert (read.type, read.document_count, read.children_count) == ("folder", 1, 1)
    assert [each.id for each in jobs] == [job.id]


def test_tools_tags_users_messages_and_models(tmp_path: Path):
    from elevenlabs.core.api_error import ApiError
    from elevenlabs.types import ToolRequestModel, ToolRequestModelToolConfig_Client

    with served_deployment(tmp_path) as served:
        hold_call(served.deployment.conversations, "c1", question="Where is my parcel?")
        ours = served.client().conversational_ai
        config = ToolRequestModelToolConfig_Client(name="show_order", description="Shows it.")
        tool = ours.tools.create(request=ToolRequestModel(tool_config=config))
        read = ours.tools.get(tool.id)
        listed = ours.tools.list(search="show")
        tag = ours.conversations.tags.create(title="Urgent")
        ours.conversations.tags.assign("c1", tag_ids=[tag.tag_id])
        tagged = ours.conversations.list(tag_ids=[tag.tag_id])
        found = ours.conversations.messages.text_search(text_query="parcel")
        users = ours.users.list()
        live = ours.analytics.live_count.get()
        models = ours.llm.list()
        ours.tools.delete(tool.id)
        with pytest.raises(ApiError) as gone:
            ours.tools.get(tool.id)

    assert (read.tool_config.type, read.tool_config.name) == ("client", "show_order")
    assert [each.id for each in listed.tools] == [tool.id]
    assert [each.conversation_id for each in tagged.conversations] == ["c1"]
    assert found.results[0].chunk_text == "Where is my parcel?"
    assert (users.has_more, live.count) == (False, 0)
    assert "scripted/model" in [each.llm for each in models.llms]
    assert gone.value.status_code == 404


def test_files_are_handed_in_taken_back_and_forgotten(tmp_path: Path):
    from elevenlabs.core.api_error import ApiError

    word = "quillfeather"
    model = ScriptedChatModel(always="I have read it.")
    with served_deployment(tmp_path, model=model) as served:
        client = served.client()
        conversations = client.conversational_ai.conversations
        agent_id = served.agent_with(
            conversation_config={
                "agent": {"first_message": "Hello!", "prompt": {"llm": "scripted/model"}},
                "conversation": {"file_input": {"enabled": True, "max_files_per_conversation": 2}},
            }
        )
        with talking(client, agent_id) as (conversation, answers):
            (held,) = served.context.store.page(agent_id=agent_id).conversations
            call = held.conversation_id
            taken_back = conversations.files.create(call, file=("b.txt", b"Taken back."))
            conversations.files.delete(call, taken_back.file_id)
            with pytest.raises(ApiError) as refused:
                conversations.files.delete(call, taken_back.file_id)
            kept = conversations.files.create(call, file=("a.txt", word.encode()))
            conversation.send_multimodal_message(text="Read this.", file_ids=[kept.file_id])
            assert answers.get(timeout=60) == "I have read it."
        wait_for(lambda: served.context.store.transcript(call).status == "done")
        before = holding(tmp_path, word)
        conversations.delete(call)
        wait_for(lambda: not holding(tmp_path, word))

    assert refused.value.status_code == 404
    assert any(word in prompt for prompt in model.prompt_texts)
    assert not any("Taken back" in prompt for prompt in model.prompt_texts)
    assert before


def holding(folder: Path, word: str) -> list[Path]:
    """The files in which a word stands."""
    files = [each for each in folder.rglob("*") if each.is_file()]
    return [each for each in files if word.encode() in each.read_bytes()]
