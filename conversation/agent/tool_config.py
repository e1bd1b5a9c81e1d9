"""Sections of an agent file about what the agent may do beside talking.

A tool is of one of three kinds. A system tool is known by its name and done by the session itself;
a webhook tool has a `webhook` section and is an HTTP request; any other is a client tool, a
function of the application.
"""

import re
from string import Formatter
from typing import Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from conversation.agent.parameter_schema import check_parameters
from kb.web.addresses import url_fault

SystemToolName = Literal[
    "end_call",
    "transfer_to_agent",
    "language_detection",
    "skip_turn",
    "search_knowledge_base",
    "report_knowledge_gap",
]
SYSTEM_TOOLS: tuple[str, ...] = get_args(SystemToolName)
ToolKind = Literal["system", "webhook", "client"]

NO_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {},
    "additionalProperties": False,
}
"""JSON schema of an empty object."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET_NAME = re.compile(r"\{\{\s*secret__")
_PARAMETER = re.compile(r"\{[^{}]*\}")
_VARIABLE = re.compile(r"\{\{.*?\}\}")
_HOST_OF_URL = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_SET_BY_US = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ToolWebhook(_Section):
    """The HTTP request of a webhook tool.

    Parameters that `url` names in braces, as in `/orders/{order_id}`, go there. The others go into
    the JSON body, or into the query of a GET or DELETE request.
    """

    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: dict[str, str] = {}
    """Values may hold `{{variables}}` and, here only, `{{secret__NAME}}`."""
    constants: dict[str, str | int | float | bool] = {}
    """Sent along with the parameters; the model neither sees nor sets them."""
    allowed_cidrs: tuple[str, ...] = ()
    """Private address ranges that this tool may reach."""
    ca_file: str | None = None
    """Certificate authority of a server of your own."""
    max_response_bytes: PositiveInt = 2**18

    @property
    def url_parameters(self) -> tuple[str, ...]:
        """Names of the parameters that stand in the URL, in order."""
        return tuple(name for _, name, _, _ in Formatter().parse(_bare(self.url)) if name)

    @field_validator("url")
    @classmethod
    def _leads_to_one_host(cls, url: str) -> str:
        host = _HOST_OF_URL.match(url)
        if host is None or not host[1]:
            raise ValueError("a webhook URL begins with http:// or https:// and a host")
        if "{" in host[1] or "@" in host[1]:
            raise ValueError("the host of a webhook URL is fixed: no braces, no password")
        if _SECRET_NAME.search(url):
            raise ValueError("secrets go into `headers`: URLs end up in the logs of servers")
        try:
            fields = [field for field in Formatter().parse(_bare(url)) if field[1] is not None]
        except ValueError as error:
            raise ValueError(f"a brace in the URL has no partner ({error})") from error
        if any(not (name or "").isidentifier() or spec or how for _, name, spec, how in fields):
            raise ValueError("parameters in a URL are names in braces, as in /orders/{order_id}")
        fault = url_fault(_PARAMETER.sub("x", _bare(url)))
        if fault is not None:
            raise ValueError(f"no request can be sent to this address: it {fault}")
        return url

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name) or "\n" in value or "\r" in value:
                # Behind a blank or a colon stands a value that was taken for a part of the name.
                known = _HEADER_NAME.match(name)
                shown = repr(known[0]) if known else "one"
                shown += "..." if known and known[0] != name else ""
                raise ValueError(f"{shown} is no usable header")
            if name.lower() in _SET_BY_US:
                raise ValueError(f"the header {name!r} is set by the request itself")
        return headers


class TransferTarget(_Section):
    """An agent that a conversation may be handed over to."""

    agent_id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    when: str = Field(min_length=1, max_length=1_000)
    """What the user must want, for the model."""


class ToolConfig(_Section):
    """Something that the agent may do beside talking."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str = Field(default="", max_length=1_000)
    """When to use it, for the model. System tools have one of their own."""
    parameters: dict[str, Any] = NO_PARAMETERS
    """JSON schema of the object that the function gets."""
    timeout_s: PositiveFloat = 10.0
    webhook: ToolWebhook | None = None
    agents: tuple[TransferTarget, ...] = ()
    """Of `transfer_to_agent`: whom the conversation may go to."""
    trusted_result: bool = False
    """Whether the model may read the result before it decides on a further tool in the same turn.
    Only for results that no stranger can write into: else their text could start tools."""

    @property
    def kind(self) -> ToolKind:
        """Who does it."""
        if self.name in SYSTEM_TOOLS:
            return "system"
        return "client" if self.webhook is None else "webhook"

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.name == "none":
            raise ValueError("a tool cannot be called 'none': that stands for using no tool")
        if self.kind != "system" and not self.description.strip():
            raise ValueError(f"the tool {self.name!r} needs a `description` of when to use it")
        if self.kind == "system" and (self.webhook or self.parameters != NO_PARAMETERS):
            raise ValueError(
                f"{self.name!r} is a system tool: it has no `webhook` and no `parameters` of its "
                "own. Give a tool of yours another name."
            )
        if bool(self.agents) != (self.name == "transfer_to_agent"):
            raise ValueError(
                "`agents` belongs to `transfer_to_agent`, which needs at least one: "
                "{name: transfer_to_agent, agents: [{agent_id: billing, when: ...}]}"
            )
        return self

    @field_validator("parameters")
    @classmethod
    def _are_an_object(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        check_parameters(parameters)
        return parameters

    @model_validator(mode="after")
    def _url_parameters_exist(self) -> Self:
        if self.webhook is None:
            return self
        required = set(self.parameters.get("required", ()))
        missing = [name for name in self.webhook.url_parameters if name not in required]
        if missing:
            raise ValueError(
                f"the URL of the tool {self.name!r} needs {missing}; list them under "
                "`parameters.properties` and `parameters.required`"
            )
        return self


class ToolUseSection(_Section):
    """How the agent decides on tools."""

    calls: Literal["auto", "native", "schema"] = "auto"
    """`native`: as tool calls of the provider. `schema`: as an answer that follows a JSON schema,
    which embedded models can do as well. `auto`: native where the model is known to have them."""
    max_calls_per_turn: PositiveInt = Field(default=4, le=20)


def _bare(url: str) -> str:
    """The URL without its dynamic variables, so that only parameters stand in braces."""
    return _VARIABLE.sub("x", url)
