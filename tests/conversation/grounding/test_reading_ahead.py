"""Which prompts are read ahead, and what a session then finds read."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from conversation.agent.config import AgentConfig, PromptSection
from conversation.grounding.reading_ahead import chosen_beginning, read_ahead
from conversation.llm.chat_model import ChatMessage, KeptPrompt
from conversation.prompt.prompt import build_prompt
from conversation.session.overrides import SessionOverrides
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Turn
from conversation.turn.events import AgentTurn
from kb.config import KnowledgeBaseConfig
from kb.knowledge_base import KnowledgeBase
from tests.fakes import ScriptedChatModel
from tests.kb.conftest import WordEmbedder

AGENT = AgentConfig(
    agent_id="shop",
    name="Shop",
    first_message="Hello.",
    system_prompt="You are the agent of a shop.",
)
TEXT = "Refunds take 14 days. Shipping is free above 50 euros."


class FakeMemory:
    """Keeps texts in files, and notes what it is asked to read."""

    def __init__(self) -> None:
        self.prepared: list[tuple[Sequence[ChatMessage], Path | None, Callable[[], bool]]] = []
        self.made: list[str] = []
        self.while_reading: Callable[[], object] = lambda: None

    def has(self, beginning: str, folder: Path) -> bool:
        kept = folder / "kept"
        return kept.exists() and kept.read_text().startswith(beginning)

    def make(
        self,
        beginning: str,
        folder: Path,
        *,
        on_read: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> KeptPrompt:
        self.made.append(beginning)
        on_read(len(beginning), len(beginning))
        act, self.while_reading = self.while_reading, lambda: None
        act()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kept").write_text(beginning)
        return KeptPrompt(len(beginning), len(beginning))

    def prepare(
        self,
        messages: Sequence[ChatMessage],
        folder: Path | None,
        *,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.prepared.append((messages, folder, is_wanted))


class RememberingModel(ScriptedChatModel):
    """A scripted model with a memory for prompts."""

    def __init__(self, *replies: str) -> None:
        super().__init__(*replies, always="All right.")
        self.memory = FakeMemory()

    def prompt_memory(self) -> FakeMemory:
        return self.memory


@pytest.fixture
def knowledge_base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    with KnowledgeBase(
        tmp_path / "kb", KnowledgeBaseConfig(), embedder=WordEmbedder, read_only=False
    ) as opened:
        opened.add_text("terms", TEXT)
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as opened:
        yield opened


def test_documents_stand_in_the_prompt_whole_once_they_were_read(knowledge_base: KnowledgeBase):
    model = RememberingModel()
    assert chosen_beginning(AGENT, knowledge_base, model).whole == ()

    read_ahead(AGENT, knowledge_base, model)

    beginning = chosen_beginning(AGENT, knowledge_base, model)
    assert [each.text for each in beginning.whole] == [TEXT]
    assert beginning.text == model.memory.made[0]
    assert [each.document_name for each in beginning.chunks] == ["terms"]


def test_models_of_providers_search(knowledge_base: KnowledgeBase):
    model = ScriptedChatModel(always="Sure.")

    assert read_ahead(AGENT, knowledge_base, model) is None
    assert chosen_beginning(AGENT, knowledge_base, model).whole == ()


def test_a_size_in_the_agent_file_holds_for_every_model(knowledge_base: KnowledgeBase):
    agent = AGENT.model_copy(update={"prompt": PromptSection(whole_knowledge_base_tokens=1_000)})
    none = AGENT.model_copy(update={"prompt": PromptSection(whole_knowledge_base_tokens=0)})
    model = RememberingModel()
    read_ahead(AGENT, knowledge_base, model)

    assert chosen_beginning(agent, knowledge_base, ScriptedChatModel(always="Sure.")).whole
    assert not chosen_beginning(none, knowledge_base, model).whole


def test_larger_documents_are_searched_and_the_rest_is_read_ahead(knowledge_base: KnowledgeBase):
    knowledge_base.add_text("much", "A sentence about something else. " * 2_000)
    model = RememberingModel()

    read_ahead(AGENT, knowledge_base, model)

    assert "A sentence" not in model.memory.made[0]
    assert model.memory.made[0].startswith(AGENT.system_prompt)
    assert chosen_beginning(AGENT, knowledge_base, model).whole == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda kb: kb.add_text("terms", "Refunds take 30 days."),
        lambda kb: kb.add_text("more", "Another text."),
        lambda kb: kb.remove(kb.documents()[0].document_id, erase=True),
        lambda kb: kb.sync([]),
        lambda kb: kb.rollback(0),
    ],
    ids=["replaced", "added", "erased", "no longer named", "rolled back"],
)
def test_what_was_read_goes_with_the_documents(
    knowledge_base: KnowledgeBase, change: Callable[[KnowledgeBase], object]
):
    model = RememberingModel()
    read_ahead(AGENT, knowledge_base, model)
    assert knowledge_base.derived_dir.is_dir()

    change(knowledge_base)

    assert not knowledge_base.derived_dir.exists()
    assert chosen_beginning(AGENT, knowledge_base, model).whole == ()


def test_a_sync_that_changes_nothing_keeps_it(knowledge_base: KnowledgeBase):
    from kb.document import TextSource

    sources = [TextSource("terms", TEXT)]
    knowledge_base.sync(sources)
    read_ahead(AGENT, knowledge_base, model := RememberingModel())

    knowledge_base.sync(sources)

    assert chosen_beginning(AGENT, knowledge_base, model).whole


def test_documents_that_change_meanwhile_are_read_anew(knowledge_base: KnowledgeBase):
    model = RememberingModel()
    model.memory.while_reading = lambda: knowledge_base.add_text("terms", "Refunds take 30 days.")

    read_ahead(AGENT, knowledge_base, model)

    assert [("14 days" in text, "30 days" in text) for text in model.memory.made] == [
        (True, False),
        (False, True),
    ]
    kept = [path.read_text() for path in knowledge_base.derived_dir.rglob("kept")]
    assert len(kept) == 1
    assert "14 days" not in kept[0]


def test_two_agents_of_the_same_documents_keep_theirs_apart(knowledge_base: KnowledgeBase):
    model = RememberingModel()
    other = AGENT.model_copy(update={"agent_id": "other", "system_prompt": "You are somebody."})
    read_ahead(AGENT, knowledge_base, model)
    read_ahead(other, knowledge_base, model)

    assert chosen_beginning(AGENT, knowledge_base, model).whole
    assert chosen_beginning(other, knowledge_base, model).whole


@pytest.mark.parametrize(
    "prompt", ["You are Ann.", "  You are Ann.\n", "It is {{system__time}}. Help {{user}}.", ""]
)
def test_a_session_begins_with_what_was_read(
    prompt: str, knowledge_base: KnowledgeBase, store: ConversationStore
):
    agent = AGENT.model_copy(update={"system_prompt": prompt, "dynamic_variables": {"user": "Bo"}})
    model = RememberingModel("Refunds take 14 days.")
    read_ahead(agent, knowledge_base, model)

    with Session.start(
        agent, knowledge_base=knowledge_base, store=store, chat_model=model
    ) as session:
        *_, turn = session.reply("How long do refunds take?")
        list(session.reply("And shipping?"))

    (system, _), folder, _ = model.memory.prepared[0]
    assert system.content.startswith(model.memory.made[0])
    assert model.prompts[0][0] == system == model.prompts[1][0]
    assert folder is not None
    assert folder.is_relative_to(knowledge_base.derived_dir)
    (asked,) = model.prompts[0][1:]
    assert asked.content == "How long do refunds take?"
    assert "<passage" not in asked.content
    # The next prompt goes on where this one and its answer ended.
    assert [*model.prompts[0], ChatMessage("assistant", "Refunds take 14 days.")] == (
        model.prompts[1][:3]
    )
    assert isinstance(turn, AgentTurn)
    chunks = knowledge_base.chunks_of(knowledge_base.documents()[0].document_id)
    assert [cited.chunk_id for cited in turn.citations] == [chunks[0].chunk_id]
    retrieved = store.retrievals(session.conversation_id)
    assert retrieved
    assert all(each.in_prompt and each.score > 0 for each in retrieved[:1])


def test_what_a_session_overrides_stands_behind_the_documents(
    knowledge_base: KnowledgeBase, store: ConversationStore
):
    agent = AGENT.model_copy(
        update={"overrides": AGENT.overrides.model_copy(update={"system_prompt": True})}
    )
    model = RememberingModel()
    read_ahead(agent, knowledge_base, model)

    with Session.start(
        agent,
        knowledge_base=knowledge_base,
        store=store,
        chat_model=model,
        overrides=SessionOverrides(system_prompt="You are a pirate."),
    ) as session:
        list(session.reply("How long do refunds take?"))

    system = model.prompts[0][0].content
    assert system.index(TEXT) < system.index("You are a pirate.")
    assert "You are the agent of a shop." not in system


@pytest.mark.parametrize("asks", [True, False])
def test_every_question_about_whole_documents_leaves_a_way_out(
    asks: bool, knowledge_base: KnowledgeBase
):
    model = RememberingModel()
    read_ahead(AGENT, knowledge_base, model)
    whole = chosen_beginning(AGENT, knowledge_base, model)

    prompt = build_prompt(
        AGENT,
        [Turn(role="user", text="Well?")],
        passages=whole.chunks,
        whole=whole.whole,
        asks=asks,
    )

    assert prompt.messages[-1].content.startswith("Well?")
    assert ("If the passages do not tell" in prompt.messages[-1].content) == asks


def test_an_agent_without_documents_has_its_prompt_read_too(store: ConversationStore):
    model = RememberingModel()

    with Session.start(AGENT, store=store, chat_model=model) as session:
        list(session.reply("Hello"))

    (system, begun), folder, _ = model.memory.prepared[0]
    assert (system, begun, folder) == (model.prompts[0][0], ChatMessage("user", ""), None)


def test_the_next_prompt_is_read_while_the_user_has_not_spoken(
    knowledge_base: KnowledgeBase, store: ConversationStore
):
    model = RememberingModel("Refunds take 14 days.", "It is free above 50 euros.")
    read_ahead(AGENT, knowledge_base, model)

    with Session.start(
        AGENT, knowledge_base=knowledge_base, store=store, chat_model=model
    ) as session:
        wanted: list[list[bool]] = []
        for said in ("How long do refunds take?", "And shipping?"):
            list(session.reply(said))
            wanted.append([is_wanted() for _, _, is_wanted in model.memory.prepared])

    assert wanted == [[False, True], [False, False, True]]
    for (beginning, _, _), prompt in zip(model.memory.prepared, model.prompts, strict=False):
        *before, last = beginning
        assert tuple(before) == tuple(prompt[: len(before)])
        # Nothing is left to read but the words of the user.
        said = prompt[len(before)].content.removeprefix(last.content)
        assert said in ("How long do refunds take?", "And shipping?")


@pytest.mark.parametrize(
    ("language", "said", "reminds", "doubts"),
    [
        ("en", "How long do refunds take?", False, True),
        ("en", "Thank you!", False, False),
        ("de", "How long do refunds take?", True, False),
    ],
)
def test_a_model_whose_doubt_is_heard_is_not_reminded(
    language: str,
    said: str,
    reminds: bool,
    doubts: bool,
    knowledge_base: KnowledgeBase,
    store: ConversationStore,
):
    agent = AGENT.model_copy(update={"language": language})
    model = RememberingModel()
    read_ahead(agent, knowledge_base, model)

    with Session.start(
        agent, knowledge_base=knowledge_base, store=store, chat_model=model
    ) as session:
        list(session.reply(said))

    assert ("If the passages do not tell" in model.prompts[0][-1].content) == reminds
    assert (model.options[0].doubt is not None) == doubts


def test_what_the_agent_says_by_itself_is_read_too(store: ConversationStore):
    model = RememberingModel("Fine.")

    with Session.start(AGENT, store=store, chat_model=model) as session:
        list(session.reply("Hello"))
        session.say("Are you still there?")

    *_, (beginning, _, _) = model.memory.prepared
    assert beginning[-2].content == "Fine.\n\nAre you still there?"
