"""Conversations over HTTP: lists, details, feedback, deletion."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conversation.errors import ModelUnavailableError
from conversation.server.ended.after_conversations import StoreOnly
from conversation.server.ended.bodies import CallAnalysis, CriterionResult, FieldResult
from conversation.server.ended.shown_conversation import overall
from conversation.store.store import ConversationStore
from conversation.transcript import (
    Citation,
    Retrieval,
    ToolCall,
    Transcript,
    Turn,
    TurnLatency,
    Usage,
)
from tests.conversation.server.served import PRIVATE, SUPPORT, Served, serving

MORNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CONVERSATIONS = "/v1/convai/conversations"


def call(
    store: ConversationStore, number: int, *, agent_id: str = "support", **changes: Any
) -> str:
    """One ended conversation, an hour after the one before."""
    started_at = MORNING + timedelta(hours=number)
    transcript = Transcript.model_validate(
        {
            "conversation_id": f"conv_{number:032d}",
            "agent_id": agent_id,
            "turns": (
                Turn(role="agent", text="Hello!", offset_s=0.0),
                Turn(role="user", text=f"Where is order {number}?", offset_s=3.4),
            ),
            "started_at": started_at,
            "ended_at": started_at + timedelta(seconds=30 + number),
            "end_reason": "user_ended",
            "metadata": {"user_id": f"u{number % 2}", "client": "js_sdk"},
            **changes,
        }
    )
    assert store.import_transcript(transcript)
    return transcript.conversation_id


def get(served: Served, path: str, *, scope: Any = "read", **params: Any) -> Any:
    answer = served.http.get(path, params=params, headers={"xi-api-key": served.key(scope)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page: Mapping[str, Any]) -> list[int]:
    return [int(each["conversation_id"].removeprefix("conv_")) for each in page["conversations"]]


class ScriptedAfterCalls(StoreOnly):
    """Judges by the number in the conversation's id."""

    def __init__(self, store: ConversationStore) -> None:
        super().__init__(store)
        self.judged: list[str] = []
        self.error: Exception | None = None

    def analyses(
        self, conversation_ids: Sequence[str], *, agent_ids: Mapping[str, str] | None = None
    ) -> Mapping[str, CallAnalysis]:
        return {each: analysis(int(each[-4:])) for each in conversation_ids}

    def analyse(self, conversation_id: str, *, only: str | None = None) -> None:
        if self.error is not None:
            raise self.error
        self.judged.append(conversation_id)


def analysis(number: int) -> CallAnalysis:
    result = CriterionResult(
        criteria_id="resolved",
        result=("success", "failure", "unknown")[number % 3],
        rationale="So.",
    )
    order = FieldResult(data_collection_id="order", value=number, rationale="Said.")
    return CallAnalysis(
        call_successful=result.result,
        transcript_summary="An order was asked for.",
        evaluation_criteria_results={"resolved": result},
        evaluation_criteria_results_list=[result],
        data_collection_results={"order": order},
    )


def test_a_list_is_read_page_by_page_while_others_begin(tmp_path: Path):
    with serving(tmp_path) as served:
        for number in range(5):
            call(served.store, number)
        first = get(served, CONVERSATIONS, page_size=2)
        call(served.store, 9)
        second = get(served, CONVERSATIONS, page_size=2, cursor=first["next_cursor"])
        third = get(served, CONVERSATIONS, page_size=2, cursor=second["next_cursor"])

    assert [ids(page) for page in (first, second, third)] == [[4, 3], [2, 1], [0]]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]
    assert third["next_cursor"] is None
    assert first["conversations"][0] == {
        **first["conversations"][0],
        "agent_name": "Support",
        "start_time_unix_secs": int((MORNING + timedelta(hours=4)).timestamp()),
        "call_duration_secs": 34,
        "message_count": 2,
        "status": "done",
        "call_successful": "unknown",
    }


def test_a_full_last_page_has_no_next_one(tmp_path: Path):
    with serving(tmp_path) as served:
        for number in range(2):
            call(served.store, number)
        page = get(served, CONVERSATIONS, page_size=2)

    assert (ids(page), page["has_more"]) == ([1, 0], False)


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"agent_id": "private"}, [5]),
        ({"user_id": "u1"}, [5, 3, 1]),
        ({"search": "ORDER 3"}, [3]),
        ({"call_successful": "failure"}, [4, 1]),
        ({"evaluation_params": "resolved:unknown"}, [5, 2]),
        ({"call_duration_min_secs": 33, "call_duration_max_secs": 34}, [4, 3]),
        ({"call_start_after_unix": int(MORNING.timestamp()) + 4 * 3600}, [5, 4]),
        ({"call_start_before_unix": int(MORNING.timestamp()) + 3600}, [1, 0]),
        ({"conversation_initiation_source": "python_sdk"}, []),
        ({"rating_min": 4}, [2]),
        ({"has_feedback_comment": "true"}, [2]),
        ({"sort_direction": "asc"}, [0, 1, 2, 3, 4, 5]),
        ({"tool_names": ["lookup", "other"]}, [4, 3]),
        ({"tool_names_successful": "lookup"}, [3]),
        ({"tool_names_errored": "lookup"}, [4]),
        ({"tool_names": "nothing"}, []),
        ({"main_languages": ["de"]}, [1]),
        ({"termination_reasons": ["agent_ended"]}, [0]),
        ({"exclude_statuses": ["done"]}, []),
        ({"version_id": "nope"}, []),
        ({"data_collection_params": "order:gte:3"}, [5, 4, 3]),
        ({"data_collection_params": ["order:gte:3", "order:neq:4"]}, [5, 3]),
        ({"data_collection_filter": "order:in:1|2"}, [2, 1]),
        ({"data_collection_params": "colour:eq:"}, [5, 4, 3, 2, 1, 0]),
        ({"data_collection_params": "colour:neq:"}, []),
    ],
)
def test_a_list_is_narrowed(tmp_path: Path, params: dict[str, Any], found: list[int]):
    with serving(tmp_path) as served:
        call(served.store, 0, end_reason="agent_ended")
        call(served.store, 1, metadata={"user_id": "u1", "client": "js_sdk", "language": "de"})
        call(served.store, 2)
        for number, failed in ((3, False), (4, True)):
            used = ToolCall(tool_name="lookup", tool_call_id="t", parameters={}, is_error=failed)
            turn = Turn(role="user", text=f"Where is order {number}?", tool_calls=(used,))
            call(served.store, number, turns=(Turn(role="agent", text="Hello!"), turn))
        call(served.store, 5, agent_id="private")
        rated = {"rating": 4, "comment": "Quick."}
        served.http.post(f"{CONVERSATIONS}/conv_{2:032d}/feedback", json=rated)
        served.context.after_calls = ScriptedAfterCalls(served.store)

        assert ids(get(served, CONVERSATIONS, **params)) == found


def test_a_list_shows_the_findings_that_are_asked_for(tmp_path: Path):
    with serving(tmp_path) as served:
        call(served.store, 3)
        served.context.after_calls = ScriptedAfterCalls(served.store)

        def shown(**asked: Any) -> tuple[list[str], list[str]]:
            (item,) = get(served, CONVERSATIONS, **asked)["conversations"]
            results, values = item["evaluation_criteria_results"], item["data_collection_results"]
            return sorted(results), sorted(values)

        assert shown() == (["resolved"], ["order"])
        assert shown(evaluation_criteria_ids=["polite", "resolved"]) == (["resolved"], ["order"])
        assert shown(evaluation_criteria_ids="polite") == ([], ["order"])
        assert shown(data_collection_ids="colour") == (["resolved"], [])


def test_a_rare_outcome_is_found_beyond_what_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("conversation.server.conversations.search.LOOKED_AT_ONCE", 2)
    monkeypatch.setattr("conversation.server.conversations.search.MOST_LOOKED_AT", 4)
    with serving(tmp_path) as served:
        for number in range(8):
            call(served.store, number)
        first = get(served, CONVERSATIONS, search="order 1")
        nowhere = {"conversation_initiation_source": "nowhere"}
        rare = get(served, CONVERSATIONS, **nowhere)
        rest = get(served, CONVERSATIONS, **nowhere, cursor=rare["next_cursor"])
        of_nobody = get(served, CONVERSATIONS, user_id="nobody")

    assert ids(first) == [1]
    assert (ids(of_nobody), of_nobody["has_more"]) == ([], False), "an index finds users"
    assert (ids(rare), rare["has_more"]) == ([], True)
    assert (ids(rest), rest["has_more"]) == ([], False)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"cursor": "bm9uc2Vuc2U="}, 400),
        ({"cursor": "%%%"}, 400),
        ({"page_size": 101}, 422),
        ({"call_successful": "great"}, 422),
        ({"evaluation_params": "resolved"}, 422),
        ({"data_collection_params": "order"}, 422),
        ({"data_collection_params": "order:gt:many"}, 422),
        ({"data_collection_params": "order:like:1"}, 422),
        ({"sort_direction": "up"}, 422),
        ({"exclude_statuses": "gone"}, 422),
    ],
)
def test_what_cannot_be_asked_is_said(tmp_path: Path, params: dict[str, Any], status: int):
    with serving(tmp_path) as served:
        answer = served.http.get(
            CONVERSATIONS, params=params, headers={"xi-api-key": served.key("read")}
        )

    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_parameter_without_effect_is_refused_by_name(tmp_path: Path):
    with serving(tmp_path) as served:
        answer = served.http.get(
            CONVERSATIONS,
            params={"whatsapp_phone_number_ids": "w", "phone_number_ids": "p", "page_size": 3},
            headers={"xi-api-key": served.key("read")},
        )

    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert detail["status"] == "unsupported_parameter"
    assert "phone_number_ids, whatsapp_phone_number_ids" in detail["message"]
    assert "page_size" in detail["message"]


def test_a_list_from_its_oldest_on_goes_on_where_it_stopped(tmp_path: Path):
    with serving(tmp_path) as served:
        for number in range(5):
            call(served.store, number)
        first = get(served, CONVERSATIONS, page_size=3, sort_direction="asc")
        rest = get(
            served, CONVERSATIONS, page_size=3, sort_direction="asc", cursor=first["next_cursor"]
        )

    assert [ids(page) for page in (first, rest)] == [[0, 1, 2], [3, 4]]


def test_a_conversation_has_every_field_that_sdks_read(tmp_path: Path):
    turn = Turn(
        role="agent",
        text="It has",
        generated_text="It has shipped.",
        interrupted=True,
        offset_s=5.9,
        tool_calls=(
            ToolCall(
                tool_name="order",
                tool_call_id="t1",
                parameters={"number": 7},
                result="out",
                latency_ms=120,
            ),
        ),
        citations=(
            Citation(
                document_id="d",
                document_name="Orders",
                chunk_id="c",
                start_char=0,
                end_char=4,
                quote="ship",
                turn_start_char=0,
                turn_end_char=6,
                score=1,
            ),
        ),
        latency=TurnLatency(request_to_retrieval_ms=40, request_to_first_token_ms=400),
        usage=Usage(model="m", input_tokens=100, cached_input_tokens=60, output_tokens=5),
    )
    with serving(tmp_path) as served:
        store = served.store
        version = served.context.agents.agent("support").version
        store.begin(
            "conv_a",
            agent_id="support",
            agent_version=version,
            started_at=MORNING,
            metadata={"user_id": "u"},
        )
        turn_id = store.append_turn("conv_a", turn, at=MORNING)
        found = Retrieval(
            turn_id=turn_id,
            query="order 7",
            chunk_id="c",
            document_id="d",
            document_name="Orders",
            start_char=0,
            end_char=4,
            rank=1,
            score=0.75,
        )
        asked = Turn(role="agent", text="Anything else?")
        store.append_turn("conv_a", asked, at=MORNING, retrieved=[found])
        store.add_event(
            "conv_a",
            "feedback",
            at=MORNING,
            payload={"score": "like", "event_id": 1},
            turn_id=turn_id,
        )
        store.end("conv_a", reason="user_ended", at=MORNING + timedelta(seconds=61))
        served.context.after_calls = ScriptedAfterCalls(store)
        served.context.after_calls.analyses = lambda conversation_ids, **_: {"conv_a": analysis(0)}
        shown = get(served, f"{CONVERSATIONS}/conv_a")
        short = get(served, f"{CONVERSATIONS}/conv_a/summary", max_messages=1)

    item = shown["transcript"][0]
    assert (item["message"], item["original_message"]) == ("It has", "It has shipped.")
    assert item["interrupted"]
    assert item["time_in_call_secs"] == 5
    assert item["tool_calls"][0]["params_as_json"] == '{"number": 7}'
    assert item["tool_results"][0]["result_value"] == "out"
    assert item["feedback"] == {"score": "like", "time_in_call_secs": 5}
    assert item["conversation_turn_metrics"]["metrics"]["convai_llm_service_ttfb"] == {
        "elapsed_time": 0.4
    }
    assert item["rag_retrieval_info"] == {
        "chunks": [{"document_id": "d", "chunk_id": "c", "vector_distance": 0.25}],
        "embedding_model": "all-MiniLM-L6-v2",
        "retrieval_query": "order 7",
        "rag_latency_secs": 0.04,
        "used_chunk_ids": ["c"],
    }
    assert item["llm_usage"]["model_usage"]["m"]["input"] == {"tokens": 40}
    assert shown["status"] == "done"
    assert shown["metadata"]["call_duration_secs"] == 61
    assert shown["metadata"]["feedback"]["likes"] == 1
    assert shown["analysis"]["evaluation_criteria_results"]["resolved"]["result"] == "success"
    assert shown["conversation_initiation_client_data"]["dynamic_variables"] == {}
    assert not shown["has_audio"]
    assert short["messages"] == [{"role": "agent", "message": "Anything else?"}]
    assert short["messages_omitted"]


def test_a_conversation_under_way_is_read_and_not_deleted(tmp_path: Path):
    with serving(tmp_path) as served, served.dial() as client:
        conversation_id = client.opened()
        shown = get(served, f"{CONVERSATIONS}/{conversation_id}")
        refused = served.http.delete(
            f"{CONVERSATIONS}/{conversation_id}", headers={"xi-api-key": served.key("admin")}
        )

    assert shown["status"] == "in-progress"
    assert refused.status_code == 400
    assert refused.json()["detail"]["status"] == "conversation_in_progress"


def test_a_deleted_conversation_is_gone(tmp_path: Path):
    with serving(tmp_path) as served:
        conversation_id = call(served.store, 1)
        headers = {"xi-api-key": served.key("admin")}
        path = f"{CONVERSATIONS}/{conversation_id}"
        words = served.store.transcript(conversation_id).turns[0].text.encode()
        before = [file for file in tmp_path.glob("store.sqlite*") if words in file.read_bytes()]
        assert served.http.delete(path, headers=headers).status_code == 200
        after = [file for file in tmp_path.glob("store.sqlite*") if words in file.read_bytes()]
        again = served.http.delete(path, headers=headers)
        shown = served.http.get(path, headers=headers)

    assert before
    assert not after, "the database or its log still holds the words"
    assert (again.status_code, shown.status_code) == (404, 404)
    assert shown.json()["detail"]["status"] == "conversation_not_found"


def test_there_is_no_recording_of_text(tmp_path: Path):
    with serving(tmp_path) as served:
        path = f"{CONVERSATIONS}/{call(served.store, 1)}/audio"
        answer = served.http.get(path, headers={"xi-api-key": served.key("read")})

    assert answer.status_code == 404
    assert answer.json()["detail"]["status"] == "audio_not_found"
    assert "was held in writing" in answer.text or "keeps none" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "", "label"),
        ("GET", "/{}", "converse"),
        ("GET", "/{}/summary", "converse"),
        ("GET", "/{}/audio", "ingest"),
        ("DELETE", "/{}", "read"),
        ("POST", "/{}/analysis/run", "read"),
        ("POST", "/{}/analysis/run", "label"),
        ("POST", "/{}/analysis/evaluations/run", "read"),
        ("POST", "/{}/analysis/evaluations/run", "label"),
    ],
)
def test_each_route_needs_its_scope(tmp_path: Path, method: str, path: str, scope: Any):
    with serving(tmp_path) as served:
        address = CONVERSATIONS + path.format(call(served.store, 1))
        without = served.http.request(method, address)
        key = {"xi-api-key": served.key(scope)}
        with_other = served.http.request(method, address, headers=key)

    assert (without.status_code, with_other.status_code) == (401, 403)
    assert with_other.json()["detail"]["status"] == "missing_permissions"


def test_feedback_of_every_client_is_kept(tmp_path: Path):
    with serving(tmp_path) as served:
        conversation_id = call(served.store, 1)
        path = f"{CONVERSATIONS}/{conversation_id}/feedback"
        for given in ({"feedback": "like"}, {"rating": 2}, {"rating": 3, "comment": "Slow."}):
            answer = served.http.post(path, json=given, headers={"origin": "https://shop.example"})
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == "*"
        shown = get(served, f"{CONVERSATIONS}/{conversation_id}")
        wrong = [served.http.post(path, json=each).status_code for each in ({}, {"rating": 6})]

    assert shown["metadata"]["feedback"] == {
        "type": "rating",
        "overall_score": "like",
        "likes": 0,
        "dislikes": 0,
        "rating": 3,
        "comment": "Slow.",
    }
    assert wrong == [422, 422]


def test_feedback_on_private_conversations_needs_a_key(tmp_path: Path):
    agent = PRIVATE.model_copy(
        update={
            "access": SUPPORT.access.model_copy(
                update={"public": False, "allowed_origins": ("shop.example",)}
            )
        }
    )
    with serving(tmp_path, agent) as served:
        by_key = {"authorization_method": "api_key"}
        hidden = call(served.store, 1, agent_id="private", metadata=by_key)
        signed = call(
            served.store,
            2,
            agent_id="private",
            metadata={"authorization_method": "signed_url"},
        )

        def give(conversation_id: str, **headers: str) -> int:
            path = f"{CONVERSATIONS}/{conversation_id}/feedback"
            return served.http.post(path, json={"rating": 5}, headers=headers).status_code

        assert give(hidden) == 404
        assert give(hidden, **{"xi-api-key": served.key("read")}) == 404
        assert give(hidden, **{"xi-api-key": served.key("converse")}) == 200
        assert give(signed, origin="https://shop.example") == 200
        assert give(signed, origin="https://other.example") == 403


def test_feedback_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("conversation.server.conversations.feedback.MAX_FEEDBACK_EVENTS", 2)
    with serving(tmp_path) as served:
        path = f"{CONVERSATIONS}/{call(served.store, 1)}/feedback"
        codes = [served.http.post(path, json={"rating": 1}).status_code for _ in range(3)]

    assert codes == [200, 200, 429]


def test_analysis_is_run_and_returned(tmp_path: Path):
    with serving(tmp_path) as served:
        after = served.context.after_calls = ScriptedAfterCalls(served.store)
        conversation_id = call(served.store, 3)
        path = f"{CONVERSATIONS}/{conversation_id}/analysis/run"
        headers = {"xi-api-key": served.key("label", "read")}
        shown = served.http.post(path, headers=headers)
        after.error = ModelUnavailableError("http://10.0.0.7 does not answer")
        failed = served.http.post(path, headers=headers)

    assert after.judged == [conversation_id]
    assert shown.json()["analysis"]["call_successful"] == "success"
    assert failed.status_code == 502
    assert "10.0.0.7" not in failed.text


def test_the_outcome_of_many_results():
    assert overall([]) == "unknown"
    assert overall(["unknown", "success"]) == "success"
    assert overall(["success", "failure", "unknown"]) == "failure"
