"""Every call of the published SDKs that this server answers, in an order in which it can be made.

One list for both SDKs: names and fields stand as Python has them, and Node's are the same in camel
case. `$name` stands for an id that an earlier call gave.
"""

import ast
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SdkCall:
    """One call."""

    name: str
    """Below the client, such as `conversational_ai.agents.get`."""
    path: tuple[str, ...] = ()
    """What stands in the address, in its order."""
    given: dict[str, Any] = field(default_factory=dict[str, Any])
    """Query and body. `request` alone is the whole body; `{"$file": text}` is a file."""
    keep: dict[str, str] = field(default_factory=dict[str, str])
    """Names for what comes back, by where it stands in the answer."""
    fails: int | None = None
    """The status that is the right answer here."""
    is_empty: bool = False
    """There is nothing to read in the answer, or it is plain text."""
    in_node: bool = True
    """Node's SDK has this call too."""


MODEL = "multilingual_e5_large_instruct"
# No `llm`: Node's requests allow no model but the vendor's.
TEXT_AGENT = {"agent": {"first_message": "Hello!", "prompt": {"prompt": "You help."}}}
TEST = {
    "type": "llm",
    "name": "Greets",
    "chat_history": [{"role": "user", "message": "Hi", "time_in_call_secs": 0}],
    "success_condition": "It greets.",
    "success_examples": [],
    "failure_examples": [],
}
TOOL = {
    "tool_config": {
        "type": "client",
        "name": "show_order",
        "description": "Shows an order.",
        "expects_response": False,
    }
}
PLAYED = {
    "simulated_user_config": {
        "first_message": "Where is my money?",
        "language": "en",
        "prompt": {"prompt": "A customer."},
    }
}

_AI = "conversational_ai."
_AGENTS = (
    SdkCall("agents.create", given={"name": "Desk", "conversation_config": TEXT_AGENT,
            "tags": ["a"]}, keep={"agent": "agent_id"}),
    SdkCall("agents.list", given={"page_size": 5, "search": "Desk"}),
    SdkCall("agents.get", ("$agent",), keep={"version": "version_id"}),
    SdkCall("agents.update", ("$agent",), {"name": "Desk 2", "version_description": "Renamed."}),
    SdkCall("agents.get", ("$agent",), {"version_id": "$version"}),
    SdkCall("agents.duplicate", ("$agent",), {"name": "Copy"}, {"copy": "agent_id"}),
    SdkCall("agents.summaries.get", given={"agent_ids": ["$agent"]}),
    SdkCall("agents.versions.get", ("$agent", "$version")),
    SdkCall("agents.branches.list", ("$agent",), {"limit": 3}),
    SdkCall("agents.branches.get", ("$agent", "main")),
    SdkCall("agents.knowledge_base.size", ("$agent",)),
    SdkCall("agents.link.get", ("$agent",)),
    SdkCall("agents.widget.get", ("$agent",)),
    SdkCall("agents.simulate_conversation", ("shop-desk",),
            {"simulation_specification": PLAYED, "new_turns_limit": 1}),
    SdkCall("agents.simulate_conversation_stream", ("shop-desk",),
            {"simulation_specification": PLAYED, "new_turns_limit": 1}, is_empty=True),
)  # fmt: skip
_CONVERSATIONS = (
    SdkCall("conversations.list", given={"agent_id": "shop-desk", "page_size": 50}),
    SdkCall("conversations.get", ("c1",)),
    SdkCall("conversations.get_summary", ("c1",), {"max_messages": 1}),
    SdkCall("conversations.get_signed_url", given={"agent_id": "shop-desk"}),
    SdkCall("conversations.get_webrtc_token", given={"agent_id": "shop-desk"}, fails=400),
    SdkCall("conversations.audio.get", ("c1",), fails=404),
    SdkCall("conversations.feedback.create", ("c1",), {"feedback": "like"}),
    SdkCall("conversations.analysis.run", ("c1",)),
    SdkCall("conversations.analysis.run_evaluation", ("c1",),
            {"evaluation_id": "helped", "scope": "conversation"}),
    SdkCall("conversations.files.create", ("$live",), {"file": {"$file": "Nine days."}},
            {"file": "file_id"}),
    SdkCall("conversations.files.get", ("$live", "$file"), fails=400, in_node=False),
    SdkCall("conversations.files.delete", ("$live", "$file")),
    SdkCall("conversations.messages.text_search", given={"text_query": "parcel"}),
    SdkCall("conversations.topics.get", ("shop-desk",), {"page_size": 2}),
    SdkCall("conversations.tags.create", given={"title": "Urgent", "description": "Now."},
            keep={"tag": "tag_id"}),
    SdkCall("conversations.tags.list", given={"page_size": 2}),
    SdkCall("conversations.tags.get", ("$tag",)),
    SdkCall("conversations.tags.update", ("$tag",), {"title": "Later"}),
    SdkCall("conversations.tags.assign", ("c1",), {"tag_ids": ["$tag"]}, is_empty=True),
    SdkCall("conversations.tags.unassign", ("c1", "$tag"), is_empty=True),
    SdkCall("conversations.tags.delete", ("$tag",), is_empty=True),
    SdkCall("users.list", given={"page_size": 2}),
    SdkCall("analytics.live_count.get", given={"agent_id": "shop-desk"}),
    SdkCall("llm.list"),
)  # fmt: skip
_DOCUMENTS = (
    SdkCall("knowledge_base.documents.create_folder", given={"name": "F"}, keep={"folder": "id"}),
    SdkCall("knowledge_base.documents.create_from_text", given={"text": "Nine days.", "name": "N"},
            keep={"text": "id"}),
    SdkCall("knowledge_base.documents.create_from_file",
            given={"file": {"$file": "Ten euros."}, "name": "Fees"}, keep={"upload": "id"}),
    SdkCall("knowledge_base.documents.create_from_url",
            given={"url": "http://127.0.0.1:1/a.html", "name": "P"}),
    SdkCall("add_to_knowledge_base", given={"file": {"$file": "Old form."}, "name": "Old"},
            keep={"old": "id"}),
    SdkCall("knowledge_base.list", given={"page_size": 2, "types": ["text"]}),
    SdkCall("knowledge_base.documents.get", ("$text",)),
    SdkCall("knowledge_base.documents.get", ("$folder",)),
    SdkCall("knowledge_base.documents.update", ("$text",), {"name": "N 2"}),
    SdkCall("knowledge_base.documents.get_content", ("$text",), is_empty=True),
    SdkCall("knowledge_base.documents.get_source_file_url", ("$upload",)),
    SdkCall("knowledge_base.documents.summaries.get", given={"document_ids": ["$text"]}),
    SdkCall("knowledge_base.documents.get_agents", ("$document",), {"page_size": 2}),
    SdkCall("knowledge_base.documents.get_bulk_agents", given={"document_ids": ["$document"]}),
    SdkCall("knowledge_base.documents.chunks.list", ("$document",), {"embedding_model": MODEL},
            {"chunk": "chunks.0.id"}),
    SdkCall("knowledge_base.documents.chunk.get", ("$document", "$chunk"),
            {"embedding_model": MODEL}),
    SdkCall("knowledge_base.document.compute_rag_index", ("$document",), {"model": MODEL},
            {"index": "id"}),
    SdkCall("knowledge_base.get_or_create_rag_indexes", given={"items": [
            {"document_id": "$document", "model": MODEL, "create_if_missing": False}]}),
    SdkCall("rag_index_overview"),
    SdkCall("get_document_rag_indexes", ("$document",)),
    SdkCall("delete_document_rag_index", ("$document", "$index"), fails=400),
    SdkCall("knowledge_base.document.refresh", ("$document",)),
    SdkCall("knowledge_base.document.update_file", ("$upload",), {"file": {"$file": "Eleven."}}),
    SdkCall("knowledge_base.search", given={"query": "parcels"}),
    SdkCall("knowledge_base.documents.move", ("$text",), {"move_to": "$folder"}, is_empty=True),
    SdkCall("knowledge_base.documents.bulk_move", given={"document_ids": ["$old"],
            "move_to": "$folder"}, is_empty=True),
    SdkCall("knowledge_base.documents.bulk_delete", given={"document_ids": ["$old"]}),
    SdkCall("knowledge_base.documents.delete", ("$upload",), {"force": True}, is_empty=True),
    SdkCall("knowledge_base.crawl_jobs.create", given={"url": "http://127.0.0.1:1/"},
            keep={"crawl": "id"}),
    SdkCall("knowledge_base.crawl_jobs.list", given={"page_size": 2}),
    SdkCall("knowledge_base.crawl_jobs.get", ("$crawl",)),
    SdkCall("knowledge_base.crawl_jobs.cancel", ("$crawl",), fails=400),
)  # fmt: skip
_RESOURCES = (
    SdkCall("tools.create", given={"request": TOOL}, keep={"tool": "id"}),
    SdkCall("tools.list", given={"search": "show"}),
    SdkCall("tools.get", ("$tool",)),
    SdkCall("tools.update", ("$tool",), {"request": TOOL}),
    SdkCall("tools.get_dependent_agents", ("$tool",), {"page_size": 2}),
    SdkCall("tools.delete", ("$tool",), is_empty=True),
    SdkCall("secrets.create", given={"name": "CRM", "value": "sk-secret"},
            keep={"secret": "secret_id"}),
    SdkCall("secrets.list", given={"page_size": 2}),
    SdkCall("secrets.get", ("$secret",)),
    SdkCall("secrets.update", ("$secret",), {"name": "CRM", "value": "sk-other"}),
    SdkCall("secrets.delete", ("$secret",), is_empty=True),
    SdkCall("settings.get"),
    SdkCall("settings.update", given={"can_use_mcp_servers": False}),
    SdkCall("tests.create", given={"request": TEST}, keep={"test": "id"}),
    SdkCall("tests.list", given={"page_size": 2}),
    SdkCall("tests.get", ("$test",)),
    SdkCall("tests.update", ("$test",), {"request": TEST | {"name": "Greets well"}}),
    SdkCall("tests.summaries", given={"test_ids": ["$test"]}),
    SdkCall("agents.run_tests", ("shop-desk",), {"tests": [{"test_id": "$test"}]}, {"run": "id"}),
    SdkCall("tests.invocations.list", given={"agent_id": "shop-desk"}),
    SdkCall("tests.invocations.get", ("$run",)),
    SdkCall("tests.invocations.cancel", ("$run",), is_empty=True),
    SdkCall("tests.delete", ("$test",), is_empty=True),
)  # fmt: skip
_ENDS = (
    SdkCall("agents.delete", ("$copy",), is_empty=True),
    SdkCall("conversations.delete", ("c2",), is_empty=True),
)
_WEBHOOKS = (
    SdkCall("webhooks.create", given={"settings": {"auth_type": "hmac", "name": "W",
            "webhook_url": "https://hooks.example.com/a"}}, keep={"webhook": "webhook_id"}),
    SdkCall("webhooks.list", given={"include_usages": True}),
    SdkCall("webhooks.update", ("$webhook",), {"is_disabled": True, "name": "W 2"}),
    SdkCall("webhooks.delete", ("$webhook",)),
)  # fmt: skip

CALLS = (
    tuple(
        replace(each, name=_AI + each.name)
        for each in (*_AGENTS, *_CONVERSATIONS, *_DOCUMENTS, *_RESOURCES, *_ENDS)
    )
    + _WEBHOOKS
)


@dataclass(frozen=True)
class Endpoint:
    """What a method of the Python SDK asks for."""

    name: str
    verb: str
    path: str
    """With the names of parameters in braces."""
    positional: tuple[str, ...]
    named: tuple[str, ...]

    @property
    def shape(self) -> tuple[str, str]:
        """Verb and path, whatever parameters are called."""
        return self.verb, re.sub(r"\{[^}]+\}", "{}", self.path)


def sdk_endpoints() -> list[Endpoint]:
    """Every method of the published Python SDK for conversations, read from its source."""
    import elevenlabs

    root = Path(elevenlabs.__file__).parent
    found: list[Endpoint] = []
    for room in (root / "conversational_ai", root / "webhooks"):
        for file in sorted(room.rglob("raw_client.py")):
            source = file.read_text("utf-8")
            name = ".".join(file.parent.relative_to(root).parts)
            for each in ast.parse(source).body:
                if isinstance(each, ast.ClassDef) and not each.name.startswith("Async"):
                    found += _methods(each, source, name)
    return found


def _methods(client: ast.ClassDef, source: str, name: str) -> list[Endpoint]:
    found: list[Endpoint] = []
    for method in client.body:
        if not isinstance(method, ast.FunctionDef) or method.name.startswith("_"):
            continue
        text = ast.get_source_segment(source, method) or ""
        asked = re.search(r"\.(?:request|stream)\(\s*f?\"([^\"]+)\",\s*method=\"(\w+)\"", text)
        if asked is not None:
            found.append(
                Endpoint(
                    f"{name}.{method.name}",
                    asked.group(2),
                    "/" + re.sub(r"\{[^}]*?(\w+)\)?\}", r"{\1}", asked.group(1)),
                    tuple(each.arg for each in method.args.args[1:]),
                    tuple(
                        each.arg for each in method.args.kwonlyargs if each.arg != "request_options"
                    ),
                )
            )
    return found


def served_endpoints(api: dict[str, Any]) -> list[Endpoint]:
    """Those of `sdk_endpoints` for which a server with this OpenAPI document has a route."""
    shapes = {
        (verb.upper(), re.sub(r"\{[^}]+\}", "{}", path))
        for path, verbs in api["paths"].items()
        for verb in verbs
    }
    return [each for each in sdk_endpoints() if each.shape in shapes]
