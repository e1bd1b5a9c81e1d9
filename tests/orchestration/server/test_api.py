"""This project's own API over a small deployment: verdicts, reasons, labels, gaps, reports."""

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core.request_options import RequestOptions

from conversation.llm.chat_model import ChatMessage, CompletionOptions
from conversation.server.keys.api_keys import Scope, new_key
from conversation.server.keys.key_store import AccessStore
from conversation.server.serving import make_server
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.server.app import create_app
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.conversation.server.receiver import receiving
from tests.conversation.server.served import wait_until
from tests.fakes import ScriptedChatModel
from tests.hurried_server import run_hurried
from tests.orchestration.sample import (
    FIRST_DAY,
    answer,
    hold_calls,
    sample_deployment,
    write_data,
)

CALLS = "/v1/convai/conversations"


def talkative(messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
    """A judge that repeats what it had better not."""
    said = answer(messages, options)
    if isinstance(said, dict) and "rationale" in said:
        return {**said, "rationale": "Answered; ada@example.com is written to."}
    return said


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_data(tmp_path)


@pytest.fixture
def deployment(settings: Settings) -> Iterator[Deployment]:
    model = ScriptedChatModel(always=talkative, model="scripted/model")
    with sample_deployment(settings, model) as opened:
        hold_calls(opened, 3)
        yield opened


@pytest.fixture
def client(deployment: Deployment) -> Iterator[httpx.Client]:
    app = create_app(deployment)
    server = make_server(app, app.state.context, host="127.0.0.1", port=0)
    thread = threading.Thread(target=run_hurried, args=(server,))
    thread.start()
    try:
        wait_until(lambda: server.started)
        url = f"http://127.0.0.1:{server.port}"
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as opened:
            yield opened
    finally:
        server.should_exit = True
        thread.join(timeout=60)


def key(deployment: Deployment, *scopes: Scope) -> dict[str, str]:
    made, record = new_key("test", scopes, now=datetime.now(UTC))
    AccessStore(deployment.conversations.engine).add_key(record)
    return {"xi-api-key": made}


def get(client: httpx.Client, deployment: Deployment, path: str, **params: Any) -> Any:
    answer = client.get(path, params=params, headers=key(deployment, "read"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_verdicts_have_versions_and_evidence(client: httpx.Client, deployment: Deployment):
    evaluate(deployment)
    found = get(client, deployment, "/api/conversations/c0/evaluations")

    (verdict,) = found["evaluations"]
    assert (verdict["criterion_id"], verdict["verdict"]) == ("helped", "success")
    assert verdict["is_current"]
    assert verdict["evidence"] == [{"turn_index": 2, "quote": "five days"}]
    assert verdict["judge_model"] == "scripted/model"
    asked = {each["question_id"]: each["definition"] for each in found["questions"]}
    assert asked["helped"]["prompt"] == "The user got an answer."
    assert found["values"][0]["field_id"] == "topic"
    assert found["questions"][0]["version"]


def test_an_older_version_stays_and_does_not_count(
    client: httpx.Client, deployment: Deployment, settings: Settings
):
    evaluate(deployment)
    path = settings.agents_dir / "shop-desk.yaml"
    path.write_text(path.read_text().replace("got an answer", "got a full answer"))
    evaluate(deployment)
    found = get(client, deployment, "/api/conversations/c0/evaluations")

    assert [each["is_current"] for each in found["evaluations"]] == [False, True]
    assert len({each["criterion_version"] for each in found["evaluations"]}) == 2


def test_analysis_comes_with_conversations_of_the_protocol(
    client: httpx.Client, deployment: Deployment
):
    before = get(client, deployment, f"{CALLS}/c1")
    run = client.post(f"{CALLS}/c1/analysis/run", headers=key(deployment, "label", "read"))
    listed = get(client, deployment, CALLS, call_successful="success")

    assert before["analysis"] is None
    analysis = run.json()["analysis"]
    assert analysis["call_successful"] == "success"
    assert analysis["evaluation_criteria_results"]["helped"]["rationale"].startswith("Answered;")
    assert analysis["data_collection_results"]["topic"]["json_schema"] == {
        "type": "string",
        "description": "What it is about.",
    }
    assert analysis["transcript_summary"]
    assert [each["conversation_id"] for each in listed["conversations"]] == ["c1"]


def test_criteria_are_judged_one_by_one_and_others_besides(
    client: httpx.Client, deployment: Deployment
):
    sdk = ElevenLabs(
        base_url=str(client.base_url),
        api_key=key(deployment, "label", "read")["xi-api-key"],
        httpx_client=client,
    ).conversational_ai.conversations
    extra = {"id": "polite", "name": "Polite", "conversation_goal_prompt": "It was polite."}
    options = {"additional_body_parameters": {"extra_evaluation_criteria": [extra]}}
    both = sdk.analysis.run_evaluation(
        "c1",
        evaluation_id="helped",
        evaluated_agent_id="shop-desk",
        request_options=cast("RequestOptions", options),
    ).analysis
    kept = sdk.get("c1").analysis

    assert both is not None
    assert kept is not None
    assert [each.criteria_id for each in both.evaluation_criteria_results_list or []] == [
        "helped",
        "polite",
    ]
    assert (both.evaluation_criteria_results or {})["polite"].result == "success"
    assert list(kept.evaluation_criteria_results or {}) == ["helped"]
    assert kept.data_collection_results == {}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "evaluation_id"),
        ({"evaluation_id": "nothing"}, 404, "'nothing'"),
        ({"evaluation_id": "helped", "evaluated_branch_id": "main"}, 400, "branches"),
        ({"evaluation_id": "helped", "evaluated_agent_id": "other"}, 422, "'shop-desk'"),
        ({"evaluation_id": "helped", "sample": 2}, 422, "sample"),
        ({"extra_evaluation_criteria": [{"id": "a", "conversation_goal_prompt": " "}]}, 422, ""),
        (
            {"extra_evaluation_criteria": [{"id": "helped", "conversation_goal_prompt": "x"}]},
            422,
            "'helped'",
        ),
        (
            {"extra_evaluation_criteria": [{"id": "a", "conversation_goal_prompt": "x"}] * 2},
            422,
            "id of its own",
        ),
    ],
)
def test_an_evaluation_that_cannot_be_run_is_refused(
    client: httpx.Client, deployment: Deployment, body: dict[str, Any], status: int, said: str
):
    headers = key(deployment, "label", "read")
    answer = client.post(f"{CALLS}/c1/analysis/evaluations/run", headers=headers, json=body)

    assert answer.status_code == status, answer.text
    assert said in answer.text


def test_conversations_are_masked_where_the_agent_says_so(
    client: httpx.Client, deployment: Deployment, settings: Settings
):
    hold_call(
        deployment.conversations,
        "c9",
        started_at=FIRST_DAY,
        question="Write to ada@example.com, please.",
    )
    path = settings.agents_dir / "shop-desk.yaml"
    evaluate(deployment)
    given = {"rating": 2, "comment": "Nobody wrote to ada@example.com. Call +1 415 555 0132!"}
    headers = key(deployment, "converse")
    assert client.post(f"{CALLS}/c9/feedback", json=given, headers=headers).is_success
    before = get(client, deployment, f"{CALLS}/c9")["metadata"]["feedback"]
    path.write_text(path.read_text() + "\nprivacy: {redact: true}\n")
    after = get(client, deployment, f"{CALLS}/c9")["metadata"]["feedback"]

    assert before["comment"] == given["comment"]
    assert after == {**before, "comment": "Nobody wrote to [EMAIL_1]. Call [PHONE_1]!"}
    commented = get(client, deployment, CALLS, has_feedback_comment="true")
    assert [each["conversation_id"] for each in commented["conversations"]] == ["c9"]
    assert "555" not in str(commented)
    assert "[EMAIL_1]" in str(get(client, deployment, f"{CALLS}/c9"))
    assert get(client, deployment, CALLS, search="ada@example.com")["conversations"] == []
    assert len(get(client, deployment, CALLS, search="please")["conversations"]) == 1
    for where in (f"{CALLS}/c9", f"{CALLS}/c9/summary", "/api/conversations/c9/evaluations"):
        assert "ada@example.com" not in str(get(client, deployment, where))


@pytest.mark.hostile
def test_a_search_of_messages_does_not_tell_what_is_masked(
    client: httpx.Client, deployment: Deployment
):
    store = deployment.conversations
    for number, words in enumerate(
        ["Write to ada@example.com, please."] * 4 + ["Ada, please."] * 2
    ):
        hold_call(store, f"m{number}", started_at=FIRST_DAY, question=words)
    path = deployment.settings.agents_dir / "shop-desk.yaml"
    path.write_text(path.read_text() + "\nprivacy: {redact: true}\n")

    def found(words: str, size: int, **more: str) -> Any:
        where = f"{CALLS}/messages/text-search"
        return get(client, deployment, where, text_query=words, page_size=str(size), **more)

    for size in (1, 2, 30):
        assert found("ada@example.com", size) == found("eve@example.com", size)
    # Four conversations say "ada" where it is masked, and two where everybody may read it.
    first = found("ada", 1)
    second = found("ada", 1, cursor=first["next_cursor"])
    assert second["next_cursor"] is None
    assert {each["conversation_id"] for each in first["results"] + second["results"]} == {
        "m4",
        "m5",
    }
    assert [found("ada", size)["has_more"] for size in (1, 2, 3)] == [True, False, False]


@pytest.mark.hostile
def test_a_list_masks_the_ids_of_users_as_a_conversation_does(
    client: httpx.Client, deployment: Deployment
):
    store = deployment.conversations
    for key, user_id in (("u1", "ada@example.com"), ("u2", "user-7")):
        about = {"user_id": user_id}
        store.begin(key, agent_id="shop-desk", started_at=FIRST_DAY, metadata=about)
        store.end(key, at=FIRST_DAY, reason="user_ended")
    path = deployment.settings.agents_dir / "shop-desk.yaml"

    def shown() -> dict[str, str | None]:
        listed = get(client, deployment, CALLS)["conversations"]
        by_key = {each["conversation_id"]: each["user_id"] for each in listed}
        return {key: by_key[key] for key in ("u1", "u2")}

    assert shown() == {"u1": "ada@example.com", "u2": "user-7"}
    path.write_text(path.read_text() + "\nprivacy: {redact: true}\n")
    assert shown() == {"u1": "[EMAIL_1]", "u2": "user-7"}
    assert get(client, deployment, f"{CALLS}/u1")["user_id"] == "[EMAIL_1]"


def test_deleting_reaches_everything(client: httpx.Client, deployment: Deployment):
    evaluate(deployment)
    publish_reports(deployment)
    admin = key(deployment, "admin")
    assert client.delete(f"{CALLS}/c0", headers=admin).status_code == 200

    assert client.get(f"{CALLS}/c0", headers=admin).status_code == 404
    assert client.get("/api/conversations/c0/evaluations", headers=admin).status_code == 404
    rows = get(client, deployment, "/api/reports/evaluations")["rows"]
    assert "c0" not in {value for row in rows for value in row if isinstance(value, str)}
    assert deployment.evaluations.evaluations(["c0"]) == []


def test_why_leads_to_words_passages_and_documents(client: httpx.Client, deployment: Deployment):
    headers = key(deployment, "read")
    early = client.get("/api/conversations/c0/why/helped", headers=headers)
    ingest(deployment, "shop-desk")
    evaluate(deployment)
    publish_reports(deployment)
    found = get(client, deployment, "/api/conversations/c0/why/helped")
    unknown = client.get("/api/conversations/c0/why/helpd", headers=headers)

    assert early.status_code == 409
    assert early.json()["detail"]["status"] == "reports_not_published"
    assert found["answer"] == "success"
    assert found["quotes"][0]["quote"] == "five days"
    assert found["quotes"][0]["passages"][0]["document_name"] == "Refund policy"
    assert unknown.status_code == 404
    assert "Did you mean 'helped'" in unknown.json()["detail"]["message"]


def test_why_a_turn_was_said(client: httpx.Client, deployment: Deployment):
    found = get(client, deployment, "/api/conversations/c0/turns/2/why")
    of_a_user = client.get("/api/conversations/c0/turns/1/why", headers=key(deployment, "read"))

    assert found["retrieved"][0]["document_name"] == "Refund policy"
    assert found["citations"]
    assert of_a_user.status_code == 404


def test_labels_are_given_read_and_taken_back(client: httpx.Client, deployment: Deployment):
    labeller = key(deployment, "label")
    given = [
        {
            "conversation_id": f"c{n}",
            "criterion_id": "helped",
            "verdict": "failure",
            "annotator": "ada",
        }
        for n in range(3)
    ]
    kept = client.post("/api/labels", json={"labels": given}, headers=labeller)
    again = {**given[0], "verdict": "success", "note": "On second thoughts."}
    client.post("/api/labels", json={"labels": [again]}, headers=labeller)
    first = get(client, deployment, "/api/labels", page_size=2)
    rest = get(client, deployment, "/api/labels", page_size=2, cursor=first["next_cursor"])
    one = {name: given[1][name] for name in ("conversation_id", "criterion_id", "annotator")}
    codes = [
        client.delete("/api/labels", params=one, headers=labeller).status_code for _ in range(2)
    ]

    assert kept.json() == {"kept": 3}
    labels = first["labels"] + rest["labels"]
    assert {each["conversation_id"]: each["verdict"] for each in labels} == {
        "c0": "success",
        "c1": "failure",
        "c2": "failure",
    }
    assert codes == [204, 404]
    assert len(get(client, deployment, "/api/labels", conversation_id="c1")["labels"]) == 0


def test_labels_of_unknown_conversations_keep_none(client: httpx.Client, deployment: Deployment):
    given = [
        {"conversation_id": each, "criterion_id": "helped", "verdict": "failure", "annotator": "a"}
        for each in ("c0", "nope")
    ]
    answer = client.post("/api/labels", json={"labels": given}, headers=key(deployment, "label"))

    assert answer.status_code == 404
    assert "'nope'" in answer.json()["detail"]["message"]
    assert get(client, deployment, "/api/labels")["labels"] == []


def test_what_to_label_next_and_how_far_judges_agree(client: httpx.Client, deployment: Deployment):
    evaluate(deployment)
    publish_reports(deployment)
    following = client.get(
        "/api/labels/next", params={"criterion_id": "helped"}, headers=key(deployment, "label")
    ).json()
    calibrations = get(client, deployment, "/api/calibration")["calibrations"]

    assert sorted(following["conversation_ids"]) == ["c0", "c1", "c2"]
    assert calibrations[0]["name"] == "helped v1"
    assert calibrations[0]["judged_rate"] == 1.0


def test_reports_by_name(client: httpx.Client, deployment: Deployment):
    headers = key(deployment, "read")
    assert client.get("/api/reports/success_rates", headers=headers).status_code == 409
    evaluate(deployment)
    publish_reports(deployment)
    names = {each["name"] for each in get(client, deployment, "/api/reports")["reports"]}
    rates = get(client, deployment, "/api/reports/success_rates", criterion_id="helped")
    none = get(client, deployment, "/api/reports/success_rates", agent_id="' OR 1=1 --")
    second_day = (FIRST_DAY + timedelta(days=1)).date().isoformat()
    page = get(client, deployment, "/api/reports/conversations", since=second_day, limit=1)
    rest = get(
        client, deployment, "/api/reports/conversations", since=second_day, limit=1, offset=1
    )

    assert {"success_rates", "knowledge_gaps", "lineage", "costs"} <= names
    row = dict(zip(rates["columns"], rates["rows"][0], strict=True))
    assert (row["successes"], row["failures"]) == (3, 0)
    assert none["rows"] == []
    assert (len(page["rows"]), page["has_more"]) == (1, True)
    assert (len(rest["rows"]), rest["has_more"]) == (1, False)
    for path, params, code in (
        ("nonsense", {}, 404),
        ("success_rates", {"nonsense": "1"}, 422),
        ("success_rates", {"since": second_day}, 422),
        ("conversations", {"limit": 10_001}, 422),
    ):
        answer = client.get(f"/api/reports/{path}", params=params, headers=headers)
        assert answer.status_code == code, path
    wrong = client.get("/api/reports/success_rates", params={"nope": "1"}, headers=headers)
    assert wrong.json()["detail"]["status"] == "unknown_column"


def test_every_report_can_be_read(client: httpx.Client, deployment: Deployment):
    evaluate(deployment)
    publish_reports(deployment)

    for report in get(client, deployment, "/api/reports")["reports"]:
        found = get(client, deployment, f"/api/reports/{report['name']}", limit=2)
        assert found["columns"] == [column["name"] for column in report["columns"]]


def test_gaps_of_a_deployment_without_any(client: httpx.Client, deployment: Deployment):
    assert get(client, deployment, "/api/gaps") == {
        "gaps": [],
        "next_cursor": None,
        "has_more": False,
    }
    answer = client.get("/api/gaps/nope", headers=key(deployment, "read"))
    assert answer.status_code == 404


def test_metrics_are_for_administrators(client: httpx.Client, deployment: Deployment):
    admin = key(deployment, "admin")["xi-api-key"]
    shown = client.get("/metrics", headers={"authorization": f"Bearer {admin}"})

    assert shown.status_code == 200
    assert shown.headers["content-type"].startswith("text/plain")
    assert "python_info" in shown.text


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/conversations/c0/evaluations", "label"),
        ("GET", "/api/conversations/c0/why/helped", "label"),
        ("GET", "/api/conversations/c0/turns/2/why", "converse"),
        ("GET", "/api/labels", "label"),
        ("POST", "/api/labels", "read"),
        ("DELETE", "/api/labels", "read"),
        ("GET", "/api/labels/next", "read"),
        ("GET", "/api/calibration", "converse"),
        ("GET", "/api/gaps", "ingest"),
        ("GET", "/api/gaps/x", "ingest"),
        ("GET", "/api/reports", "ingest"),
        ("GET", "/api/reports/costs", "label"),
        ("GET", "/metrics", "read"),
    ],
)
def test_each_route_needs_its_scope(
    client: httpx.Client, deployment: Deployment, method: str, path: str, scope: Scope
):
    assert client.request(method, path).status_code == 401
    assert client.request(method, path, headers=key(deployment, scope)).status_code == 403


def test_tests_of_agents_are_judged_by_the_agents_judge(
    client: httpx.Client, deployment: Deployment
):
    headers = key(deployment, "admin")
    test = {
        "name": "Refunds",
        "chat_history": [{"role": "user", "message": "How long do refunds take?"}],
        "success_condition": "The agent says how long refunds take.",
    }
    made = client.post("/v1/convai/agent-testing/create", json=test, headers=headers).json()
    asked = client.post(
        "/v1/convai/agents/shop-desk/run-tests",
        json={"tests": [{"test_id": made["id"]}]},
        headers=headers,
    ).json()
    path = f"/v1/convai/test-invocations/{asked['id']}"
    wait_until(
        lambda: client.get(path, headers=headers).json()["test_runs"][0]["status"] != "pending"
    )
    (run,) = client.get(path, headers=headers).json()["test_runs"]

    assert run["status"] == "passed", run
    assert run["condition_result"]["rationale"]["summary"].startswith("Answered;")
    assert deployment.evaluations.evaluations([run["conversation_id"]]) == []


def test_a_call_is_judged_before_its_webhook_is_told(client: httpx.Client, deployment: Deployment):
    headers = key(deployment, "admin")
    with receiving() as receiver:
        given = {"settings": {"name": "Desk", "webhook_url": receiver.url}}
        made = client.post("/v1/workspace/webhooks", json=given, headers=headers).json()
        webhooks = {"webhooks": {"post_call_webhook_id": made["webhook_id"]}}
        client.patch("/v1/convai/settings", json=webhooks, headers=headers)
        hold_call(deployment.conversations, "c7", started_at=datetime.now(UTC))
        event = json.loads(receiver.next()[0])

    assert event["data"]["conversation_id"] == "c7"
    assert event["data"]["analysis"]["call_successful"] == "success"
