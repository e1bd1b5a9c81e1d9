"""What the views of the reports say."""

import pytest

from analysis.dictionary.views import agent_views
from analysis.warehouse.publish import export_documents
from conversation.agent.config import AgentConfig, Criterion
from conversation.agent.language_config import OverridesSection
from conversation.session.overrides import SessionOverrides
from conversation.session.session import Session
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_document,
    a_value,
    a_verdict,
    hold_call,
    refresh,
    save_answers,
)
from tests.analysis.warehouse.asked import ask, ask_rows
from tests.fakes import ScriptedChatModel


def test_success_rates_state_their_denominators(stores: Stores):
    verdicts = ["success"] * 6 + ["failure"] * 2 + ["unknown", None]
    for number, verdict in enumerate(verdicts):
        conversation_id = f"c{number}"
        hold_call(stores.conversations, conversation_id)
        error = None if verdict else "No JSON."
        save_answers(
            stores.evaluations, conversation_id, a_verdict(conversation_id, verdict, error=error)
        )
    refresh(stores)

    [row] = ask_rows(stores, "from success_rates")
    assert {key: row[key] for key in ("successes", "failures", "unknown", "errors")} == {
        "successes": 6,
        "failures": 2,
        "unknown": 1,
        "errors": 1,
    }
    assert (row["n_judged"], row["rate"]) == (8, 0.75)
    # By hand: z = 1.96, n = 8, p = .75 -> (.75 + .2401 -+ 1.96 sqrt(.0234 + .0150)) / 1.4802
    assert row["rate_low"] == pytest.approx(0.409, abs=0.001)
    assert row["rate_high"] == pytest.approx(0.929, abs=0.001)


def test_rates_of_nothing_are_null_not_zero(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(stores.evaluations, "c1", a_verdict("c1", "unknown"))
    refresh(stores)
    [row] = ask_rows(stores, "from success_rates")
    assert (row["n_judged"], row["rate"], row["rate_low"], row["rate_high"]) == (
        0,
        None,
        None,
        None,
    )


def test_the_latest_answer_is_in_force_and_history_stays(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(stores.evaluations, "c1", a_verdict("c1", "failure", criterion_version="old"))
    save_answers(stores.evaluations, "c1", a_verdict("c1", "success"))
    save_answers(stores.evaluations, "c1", a_verdict("c1", "unknown", sample=1))
    refresh(stores)
    assert ask(stores, "select verdict, is_current from evaluations order by evaluation_id") == [
        ("failure", False),
        ("success", True),
        ("unknown", False),
    ]
    assert ask(stores, "select handled_inquiry from agent_shop_desk") == [("success",)]


def test_wide_views_have_real_types_and_names_that_do_not_collide(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(
        stores.evaluations,
        "c1",
        a_verdict("c1"),
        a_value("c1", "conversation_topic", "user's account"),
        a_value("c1", "order.items", 12),
        a_value("c1", "amount", 12.5),
        a_value("c1", "urgent", False),
        a_value("c1", "polite", "very", status="unsupported"),
        a_value("c1", "status", "shipped"),
    )
    refresh(stores)
    [row] = ask_rows(stores, "from agent_shop_desk")
    assert row["conversation_topic"] == "user's account"
    assert row["order_items"] == 12
    assert row["amount"] == 12.5
    assert row["urgent"] is False
    assert row["polite"] is None, "the criterion, which was not judged"
    assert row["field_polite"] is None, "not supported by what was said"
    assert (row["status"], row["field_status"]) == ("done", "shipped")
    types = {name: kind for name, kind, *_ in ask(stores, "describe agent_shop_desk")}
    assert types["conversation_topic"] == "ENUM('refund', 'delivery', 'user''s account')"


def test_agents_whose_views_would_share_a_name_are_told_apart(stores: Stores):
    agents = [AgentConfig(agent_id=name, name=name) for name in ("a_b", "a-b")]
    assert [view.name for view in agent_views(agents)] == ["agent_a_b", "agent_a_b_2"]
    refresh(stores, *agents)


def test_a_criterion_may_be_called_like_an_sql_word(stores: Stores):
    agent = AgentConfig(
        agent_id="select", name="S", criteria=(Criterion(criterion_id="order", prompt="\"x'y"),)
    )
    refresh(stores, agent)
    assert ask(stores, 'select "order" from agent_select') == []


def test_samples_tell_how_steady_a_judge_is(stores: Stores):
    for conversation_id, again in (("c1", "success"), ("c2", "failure")):
        hold_call(stores.conversations, conversation_id)
        save_answers(
            stores.evaluations,
            conversation_id,
            a_verdict(conversation_id),
            a_verdict(conversation_id, again, sample=1),
        )
    hold_call(stores.conversations, "once")
    save_answers(stores.evaluations, "once", a_verdict("once"))
    refresh(stores)
    assert ask(
        stores, "select conversations, mean_samples, flipping, flip_rate from judge_stability"
    ) == [(2, 2.0, 1, 0.5)]


def test_flagged_conversations_come_with_words(stores: Stores):
    for conversation_id in ("c1", "c2", "c3"):
        hold_call(stores.conversations, conversation_id)
    hold_call(stores.conversations, "c4", status="failed")
    save_answers(stores.evaluations, "c1", a_verdict("c1", "failure"), summary="It failed.")
    save_answers(stores.evaluations, "c2", a_verdict("c2", None, error="Timeout."))
    save_answers(stores.evaluations, "c3", a_verdict("c3", "success"))
    refresh(stores)
    found = ask(
        stores,
        "select conversation_id, reason, quote, turn_index, rationale, summary "
        "from flagged_conversations order by 1",
    )
    assert found == [
        ("c1", "criterion_failed", "five days", 2, "Because of what was said.", "It failed."),
        ("c2", "judge_failed", None, None, "Timeout.", None),
        ("c4", "conversation_failed", None, None, "user_ended", None),
    ]


def test_topics_count_only_what_the_words_support(stores: Stores):
    answers = [("refund", "supported"), ("refund", "supported"), ("delivery", "unsupported")]
    for number, (topic, status) in enumerate(answers):
        conversation_id = f"c{number}"
        hold_call(stores.conversations, conversation_id)
        save_answers(
            stores.evaluations,
            conversation_id,
            a_value(conversation_id, "conversation_topic", topic, status=status),
            a_verdict(conversation_id, "failure" if number == 0 else "success"),
        )
    refresh(stores)
    assert ask(
        stores, "select topic, conversations, share, flagged, flagged_share from topics"
    ) == [("refund", 2, 1.0, 1, 0.5)]


def test_a_customer_is_found_by_what_the_session_was_given(stores: Stores):
    config = AgentConfig(
        agent_id="shop-desk",
        name="Shop desk",
        overrides=OverridesSection(temperature=True),
    )
    session = Session.start(
        config,
        store=stores.conversations,
        chat_model=ScriptedChatModel("Hello."),
        variables={"customer": "c-17", "größe": 44, "vip": True, "secret__token": "hush"},
        overrides=SessionOverrides(temperature=0.5),
        clock=lambda: DAY,
    )
    list(session.reply("Hi"))
    session.end()
    hold_call(stores.conversations, "c1")
    refresh(stores)

    assert ask(stores, "select kind, name, value from session_variables order by 1, 2") == [
        ("override", "temperature", "0.5"),
        ("variable", "customer", "c-17"),
        ("variable", "größe", "44"),
        ("variable", "vip", "true"),
    ]
    stored = stores.conversations.transcript(session.conversation_id)
    assert stored.variables == {"customer": "c-17", "größe": 44, "vip": True}
    assert stored.overrides == {"temperature": 0.5}
    assert "hush" not in str(stores.conversations.events(session.conversation_id))


def test_cost_and_latency_add_up(stores: Stores):
    for conversation_id in ("c1", "c2"):
        hold_call(stores.conversations, conversation_id)
        save_answers(stores.evaluations, conversation_id, a_verdict(conversation_id))
    refresh(stores)
    assert ask(
        stores, "select activity, model, calls, cost_usd from costs_by_model order by 1"
    ) == [("analysis", "scripted/judge", 6, 2.0), ("conversation", "scripted/llm", 2, 0.5)]
    assert ask(stores, "select step, n, p50_ms from latency order by 1") == [
        ("request_to_first_token", 2, 400.0),
        ("request_to_last_token", 2, 900.0),
    ]
    [day] = ask_rows(stores, "from daily_report")
    assert (day["conversations"], day["successes"], day["rate"], day["cost_usd"]) == (
        2,
        2,
        1.0,
        2.5,
    )


def test_lineage_goes_from_the_answer_to_the_source(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(
        stores.evaluations,
        "c1",
        a_verdict("c1"),
        a_value("c1", "conversation_topic", "refund"),
        a_value("c1", "amount", None),
    )
    documents = [a_document(version=1, source="old.md"), a_document(version=2)]
    assert export_documents(stores.warehouse, AGENT.agent_id, documents) == 2
    refresh(stores)
    found = ask(
        stores,
        "select kind, question_id, answer, turn_index, quote, answering_turn_index, chunk_id, "
        "document_version, source from lineage order by 1, 2",
    )
    origin = ("chunk-7", 2, "refunds.md")
    assert found == [
        ("criterion", "handled_inquiry", "success", 2, "five days", 2, *origin),
        ("field", "amount", None, None, None, None, None, None, None),
        ("field", "conversation_topic", "refund", 1, "refunds", 2, *origin),
    ]
