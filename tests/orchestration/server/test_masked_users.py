"""What a key that reads learns of users whose agent masks: no id, and no yes or no to one."""

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from analysis.evaluators.unanswered import UnansweredQuestion
from analysis.gaps.store import KeptGap, read_questions, save_gaps, save_questions
from analysis.results import Label
from conversation.transcript import Turn
from tests.orchestration.deployed import ServedDeployment, served_deployment
from tests.orchestration.sample import FIRST_DAY

pytestmark = pytest.mark.hostile

MASKING, OPEN, GONE, STRANGE = "masks", "shop-desk", "deleted", "deleted-and-public"
ADA = "ada@example.com"
HELD: dict[str, tuple[str, str, str]] = {
    "m1": (MASKING, ADA, "Hello."),
    "m2": (MASKING, ADA, "Hello again."),
    "m3": (MASKING, "crm-4711", "Hello."),
    "m4": (MASKING, "correct7horse", "My password is correct7horse"),
    "o1": (OPEN, ADA, "Hello."),
    "o2": (OPEN, "crm-4711", "Hello."),
    "g1": (GONE, "+49 170 1234567", "Hello."),
    "s1": (STRANGE, ADA, "Hello."),
    "s2": (STRANGE, ADA, "Hello."),
    "s3": (STRANGE, "bob@example.com", "Hello."),
    "s4": (OPEN, "eve", "Hello."),
    "s5": (OPEN, "eve", "Hello."),
}
"""By conversation: agent, id of the user, what it said."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    with served_deployment(tmp_path_factory.mktemp("masked")) as opened:
        written = opened.settings.agents_dir / f"{OPEN}.yaml"
        masking = written.read_text().replace(f"agent_id: {OPEN}", f"agent_id: {MASKING}")
        (written.parent / f"{MASKING}.yaml").write_text(f"{masking}\nprivacy: {{redact: true}}\n")
        store = opened.deployment.conversations
        for number, (key, (agent_id, user_id, said)) in enumerate(HELD.items()):
            at = FIRST_DAY + timedelta(minutes=number)
            about = {"user_id": user_id, "client": "app of ada@example.com"}
            if key[0] == "s":
                about = {"user_id": user_id, "authorization_method": "public"}
            given = {"variables": {f"name of {ADA}": "v"}, "overrides": {}}
            store.begin(key, agent_id=agent_id, started_at=at, metadata=about, given=given)
            store.append_turn(key, Turn(role="user", text=said), at=at)
            store.end(key, at=at, reason="user_ended")
        opened.http.headers["xi-api-key"] = opened.key("read")
        yield opened


def users(served: ServedDeployment, **params: Any) -> list[dict[str, Any]]:
    return served.call("GET", "/users", params=params)["users"]


def found(served: ServedDeployment, **params: Any) -> list[str]:
    page = served.call("GET", "/conversations", params=params)
    return sorted(each["conversation_id"] for each in page["conversations"])


def test_users_of_agents_that_mask_have_a_pseudonym(served: ServedDeployment):
    shown = {each["last_contact_conversation_id"]: each for each in users(served)}
    assert {key: each["user_id"] for key, each in shown.items() if key[0] == "o"} == {
        "o1": ADA,
        "o2": "crm-4711",
    }
    hidden = {key: each["user_id"] for key, each in shown.items() if key[0] in "mg"}
    assert hidden.keys() == {"m2", "m3", "m4", "g1"}
    assert all(each.startswith("masked_user_") and len(each) == 44 for each in hidden.values())
    assert len(set(hidden.values())) == 4
    assert shown["m2"]["conversation_count"] == 2
    assert shown["o1"]["conversation_count"] == 1, "both together would tell who is behind it"
    # It leads on to the conversations, and to nobody else's.
    assert found(served, user_id=hidden["m2"]) == ["m1", "m2"]
    assert found(served, user_id=hidden["m4"]) == ["m4"]
    assert found(served, user_id=hidden["g1"]) == ["g1"]
    assert found(served, user_id="masked_user_" + "0" * 32) == []


def test_who_says_an_id_without_proof_is_a_user_of_that_conversation_alone(
    served: ServedDeployment,
):
    """Else a stranger says a guessed id, and reads under its pseudonym who else has it."""
    listed = users(served)
    said = {each["user_id"]: each for each in listed if each["last_contact_agent_id"] == STRANGE}
    assert said.keys() == {f"masked_user_of_{key}" for key in ("s1", "s2", "s3")}
    for name, each in said.items():
        assert each["conversation_count"] == 1
        assert found(served, user_id=name) == [name.removeprefix("masked_user_of_")]
        assert found(served, user_id=name, agent_id=MASKING) == []
    (ada,) = (each for each in listed if each["last_contact_conversation_id"] == "m2")
    assert ada["conversation_count"] == 2
    assert found(served, user_id=ada["user_id"]) == ["m1", "m2"]
    assert len({each["user_id"] for each in listed}) == len(listed)
    # Where nothing is masked an id groups what was said under it, proven or not.
    (eve,) = (each for each in listed if each["user_id"] == "eve")
    assert eve["conversation_count"] == 2
    assert found(served, user_id="eve") == ["s4", "s5"]
    for key in ("o1", "m1", "s4", "nothing", ""):
        assert found(served, user_id=f"masked_user_of_{key}") == []
    words = {"text_query": "Hello", "user_id": "masked_user_of_s1"}
    by_words = served.call("GET", "/conversations/messages/text-search", params=words)
    assert [each["conversation_id"] for each in by_words["results"]] == ["s1"]


def test_no_part_of_a_masked_id_finds_its_user(served: ServedDeployment):
    # Nothing of these is in a pseudonym, which is hexadecimal.
    for part in ("ada@", ADA, "correct7horse", "+49 170"):
        assert {each["last_contact_conversation_id"][0] for each in users(served, search=part)} <= {
            "o"
        }
    name = users(served, agent_id=MASKING)[0]["user_id"]
    assert [each["user_id"] for each in users(served, search=name[5:20].upper())] == [name]


@pytest.mark.parametrize("size", [1, 2, 30])
def test_a_guessed_id_is_not_confirmed(served: ServedDeployment, size: int):
    def asked(where: str, user_id: str, **more: str) -> Any:
        params = {"user_id": user_id, "page_size": size, **more}
        return served.call("GET", f"/conversations{where}", params=params)

    for guess in (ADA, "+49 170 1234567", "correct7horse"):
        nobody = guess[::-1]
        for agent_id in (MASKING, GONE):
            assert asked("", guess, agent_id=agent_id) == asked("", nobody, agent_id=agent_id)
            words = {"text_query": "Hello", "agent_id": agent_id}
            search = "/messages/text-search"
            assert asked(search, guess, **words) == asked(search, nobody, **words)
    page = asked("", ADA)
    assert [each["conversation_id"] for each in page["conversations"]] == ["o1"]
    assert not page["has_more"]
    assert found(served, user_id="crm-4711") == ["m3", "o2"], "nothing is masked in this one"


def test_pages_of_users_name_no_id_in_their_cursors(served: ServedDeployment):
    seen: list[str] = []
    place: dict[str, str] = {}
    for _ in range(10):
        page = served.call("GET", "/users", params={"page_size": 1, "agent_id": MASKING, **place})
        seen += [each["user_id"] for each in page["users"]]
        if not page["has_more"]:
            break
        place["cursor"] = page["next_cursor"]
        assert b"ada" not in urlsafe_b64decode(place["cursor"])
    assert len(seen) == len(set(seen)) == 3


def test_a_search_has_no_more_where_only_masked_words_follow(served: ServedDeployment):
    """o1 is found by a word that may be read; that m4 says it too must not be told."""
    store = served.deployment.conversations
    at = FIRST_DAY + timedelta(days=1)
    store.begin("p1", agent_id=OPEN, started_at=at)
    store.append_turn("p1", Turn(role="user", text="correct7horse is no good password"), at=at)
    store.end("p1", at=at, reason="user_ended")
    for words in ("correct7horse", "no good password"):
        page = served.call("GET", "/conversations", params={"search": words, "page_size": 1})
        assert [each["conversation_id"] for each in page["conversations"]] == ["p1"]
        assert (page["has_more"], page["next_cursor"]) == (False, None)


def test_what_a_client_calls_itself_is_masked_in_lists_too(served: ServedDeployment):
    listed = served.call("GET", "/conversations", params={"agent_id": MASKING})["conversations"]
    assert {each["conversation_initiation_source"] for each in listed} == {"app of [EMAIL_1]"}
    source = "app of ada@example.com"
    assert found(served, conversation_initiation_source=source) == ["o1", "o2"]


def test_names_of_variables_are_masked_in_a_conversation(served: ServedDeployment):
    for key, name in {"m1": "name of [EMAIL_1]", "o1": f"name of {ADA}"}.items():
        shown = served.call("GET", f"/conversations/{key}")
        assert shown["conversation_initiation_client_data"]["dynamic_variables"] == {name: "v"}


def test_what_was_noted_before_an_agent_masked_is_masked_when_it_is_read(
    served: ServedDeployment,
):
    """Notes of people, and questions that the documents do not answer."""
    store = served.deployment.evaluations
    note = f"She is {ADA}; her password is correct7horse."
    labels = [
        Label(
            conversation_id=key, criterion_id="helped", verdict="success", annotator="b", note=note
        )
        for key in ("m4", "o1")
    ]
    store.add_labels(labels, now=FIRST_DAY)
    gap = KeptGap(
        gap_id="gap1",
        title=f"Is {ADA} known?",
        titled_by="question",
        state="open",
        state_since=FIRST_DAY,
        opened_at=FIRST_DAY,
        missing_words=(ADA, "known"),
    )
    asked = UnansweredQuestion(
        conversation_id="m1",
        turn_index=0,
        question=gap.title,
        meaning=gap.title,
        asked_at=FIRST_DAY,
        reasons=("dont_know",),
        score=None,
        seen_chunk_ids=(),
    )
    vector = np.zeros(2, np.float32)
    save_questions(store.engine, MASKING, ["m1"], [(asked, vector)], model_id="m")
    (kept,) = read_questions(store.engine, MASKING)
    questions = [replace(kept, gap_id="gap1")]
    save_gaps(store.engine, MASKING, [gap], questions, changes=(), now=FIRST_DAY)

    shown = served.http.get("/api/labels").json()["labels"]
    assert {each["conversation_id"]: each["note"] for each in shown} == {
        "m4": "She is [EMAIL_1]; her password is [SECRET_1].",
        "o1": note,
    }
    (listed,) = served.http.get("/api/gaps", params={"agent_id": MASKING}).json()["gaps"]
    found = served.http.get("/api/gaps/gap1").json()
    assert (listed["title"], listed["missing_words"]) == (
        "Is [EMAIL_1] known?",
        ["[EMAIL_1]", "known"],
    )
    assert found["questions"][0]["question"] == "Is [EMAIL_1] known?"
