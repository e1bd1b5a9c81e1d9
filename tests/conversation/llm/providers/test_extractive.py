"""Answers without a language model."""

import pytest

from conversation.agent.config import AgentConfig
from conversation.errors import ModelSetupError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.llm.limits.fallback import CONTINUE
from conversation.llm.open_model import open_chat_model
from conversation.llm.providers import extractive
from conversation.llm.providers.extractive import NO_ANSWER, extractive_answer
from conversation.prompt.prompt import build_prompt
from conversation.transcript import Turn
from kb.document import RetrievedPassage
from kb.words.sentences import split_sentences

REFUNDS = (
    "Refunds are paid within five working days. They go back to the card you paid with. "
    "Members pay nothing for shipping."
)
HOURS = "The shop in Leeds opens at nine. It is closed on Sundays."


def asked(question: str, *passages: tuple[str, str], before: str = "") -> list[ChatMessage]:
    """The prompt exactly as a session builds it."""
    found = [
        RetrievedPassage(
            document_id=name,
            document_name=name,
            chunk_id=str(rank),
            text=text,
            start_char=0,
            end_char=len(text),
            heading_path=(),
            page=None,
            score=1.0,
            rank=rank,
        )
        for rank, (name, text) in enumerate(passages, 1)
    ]
    turns = [Turn(role="user", text=before), Turn(role="agent", text="Yes.")] if before else []
    agent = AgentConfig(agent_id="a", name="A")
    prompt = build_prompt(agent, [*turns, Turn(role="user", text=question)], passages=found)
    return list(prompt.messages)


def test_the_best_sentence_is_quoted_with_its_document():
    answer = extractive_answer(
        asked("When are refunds paid?", ("hours.md", HOURS), ("refunds.md", REFUNDS))
    )

    assert answer == "refunds.md says: Refunds are paid within five working days."


@pytest.mark.parametrize("question", ["Do you sell bicycles?", "???"])
def test_it_does_not_know_when_nothing_overlaps(question: str):
    messages = asked(question, ("hours.md", HOURS), ("refunds.md", REFUNDS))

    assert extractive_answer(messages) == NO_ANSWER
    assert NO_ANSWER.startswith("I don't know")


def test_the_turn_before_breaks_ties():
    texts = ("a.md", "Members get refunds in one day. Members get shipping for free.")

    refunds = extractive_answer(asked("And for members?", texts, before="How fast are refunds?"))
    shipping = extractive_answer(asked("And for members?", texts, before="What is shipping?"))

    assert "one day" in refunds.split("says:")[1].split(".")[0]
    assert "shipping" in shipping


def test_no_passages_no_answer():
    assert extractive_answer(asked("When are refunds paid?")) == NO_ANSWER
    assert extractive_answer([]) == NO_ANSWER


def test_it_streams_and_costs_nothing():
    model = open_chat_model("embedded/extractive")
    model.check()

    *deltas, completion = model.stream(asked("When are refunds paid?", ("r.md", REFUNDS)))

    assert isinstance(completion, Completion)
    assert len(deltas) > 5
    assert "".join(map(str, deltas)) == completion.text
    assert completion.usage.cost_usd == 0
    assert completion.usage.source == "estimated"


@pytest.mark.parametrize(
    "options", [CompletionOptions(schema={"type": "object"}), CompletionOptions(top_logprobs=5)]
)
def test_it_cannot_judge(options: CompletionOptions):
    with pytest.raises(ModelSetupError, match="cannot judge conversations"):
        open_chat_model("embedded/extractive").complete([ChatMessage("user", "?")], options)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("Thanks a lot!", "You're welcome."),
        ("Hello", "Hello. What would you like to know?"),
        ("Okay, bye", "Goodbye!"),
        ("Great", "All right. What else would you like to know?"),
    ],
)
def test_small_talk_is_answered_without_documents(said: str, reply: str):
    remark = "(The user asks for nothing. Reply in one friendly sentence, without facts.)"
    prompt = [ChatMessage("user", f"{remark}\n\nThe user says: {said}")]

    assert extractive_answer(prompt) == reply
    assert extractive_answer([ChatMessage("user", said)]) == reply


def test_as_a_fallback_it_does_not_pretend_to_go_on_with_a_sentence():
    prompt = asked("How long do refunds take?", ("refunds.md", REFUNDS))
    cut = [*prompt, ChatMessage("assistant", "Refunds are"), ChatMessage("user", CONTINUE)]

    assert extractive_answer(cut) == f" ... {extractive_answer(prompt)}"


@pytest.mark.parametrize(
    ("language", "text", "question"),
    [
        ("de", "Mitglieder dürfen sechs Bücher leihen.", "Wie viele Bücher darf ich leihen?"),
        ("fr", "La bibliothèque est fermée le lundi.", "Quand êtes-vous fermés ?"),
        ("ru", "Читатели могут брать шесть книг.", "Сколько книг можно взять?"),
        ("zh", "会员一次最多可以借六本书。图书馆每周一闭馆。", "一次可以借几本书？"),
        ("ja", "返却が遅れた場合の料金は一日二ユーロです。", "返却が遅れた場合の料金は？"),
    ],
)
def test_sentences_of_each_language_are_quoted(language: str, text: str, question: str):
    said = extractive_answer(asked(question, ("handbook", text)), language)

    assert said == f"handbook: {split_sentences(text)[0].text}"


@pytest.mark.parametrize(
    ("language", "question", "reply"),
    [
        ("de", "Wer ist Bürgermeister?", "Das weiß ich nicht."),
        ("zh", "市长是谁？", "我不知道。"),
        ("fr", "Qui est le maire ?", "Je ne sais pas."),
        ("nb", "Hvem er ordfører?", "Det vet jeg ikke."),
        ("de", "Hallo", "Guten Tag. Was möchten Sie wissen?"),
        ("es", "Muchas gracias", "De nada."),
        ("ja", "さようなら", "失礼いたします。"),
    ],
)
def test_its_own_sentences_are_in_the_agent_s_language(language: str, question: str, reply: str):
    shown = ("handbook", "The library is closed on Mondays.")

    assert extractive_answer(asked(question, shown), language) == reply


TABLE = (
    "# Plans\n\n| Plan | Price | Users |\n|---|---|---|\n| Basic | $10 | 5 |\n| Plus | $20 | 25 |\n"
)


@pytest.mark.parametrize(
    ("before", "question", "row"),
    [
        ("What does Plus cost?", "And how many users?", "Plan: Plus, Price: $20, Users: 25."),
        ("What does Plus cost?", "And Basic?", "Plan: Basic, Price: $10, Users: 5."),
        ("How many users has Basic?", "What is the price?", "Plan: Basic, Price: $10, Users: 5."),
    ],
)
def test_a_question_goes_on_with_the_row_that_was_named(before: str, question: str, row: str):
    said = extractive_answer(asked(question, ("plans", TABLE), before=before))

    assert said == f"plans says: {row}"


def test_that_there_is_no_model_is_told_to_the_operator_once_and_to_no_user(
    caplog: pytest.LogCaptureFixture,
):
    extractive._tell_the_operator.cache_clear()  # pyright: ignore[reportPrivateUsage]
    caplog.set_level("INFO", logger=extractive.__name__)
    answers: list[str] = []
    for question in ("How long do refunds take?", "And on Sundays?"):
        model = open_chat_model("embedded/extractive")
        model.check()
        messages = asked(question, ("refunds.md", REFUNDS))
        answers.append(model.complete(messages, CompletionOptions()).text)

    told = [each.getMessage() for each in caplog.records]
    assert sum("no language model is set up" in each for each in told) == 1
    assert all("model" not in answer for answer in answers)
