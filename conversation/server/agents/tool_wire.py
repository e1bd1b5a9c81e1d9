"""What the network protocol says of a tool. What is not named here is kept and given back."""

from typing import Any, TypedDict


class ParameterSchema(TypedDict, total=False):
    """JSON schema of one parameter, or of an object of them."""

    type: str
    description: str
    enum: list[Any] | None
    items: "ParameterSchema"
    properties: "dict[str, ParameterSchema]"
    required: list[str] | None
    additionalProperties: bool
    constant_value: object
    """Sent as it is: the model is not asked."""


class HeaderValue(TypedDict, total=False):
    """A header that is kept elsewhere: a stored secret, or a variable of the conversation."""

    secret_id: str
    variable_name: str


class RequestSchema(TypedDict, total=False):
    """The request that a webhook tool makes."""

    url: str
    method: str
    request_headers: dict[str, str | HeaderValue] | None
    path_params_schema: dict[str, ParameterSchema] | None
    query_params_schema: ParameterSchema | None
    request_body_schema: ParameterSchema | None


class Transfer(TypedDict):
    """Whom a conversation may go to, and when."""

    agent_id: str
    condition: str


class SystemParams(TypedDict, total=False):
    """What a tool of the server's own is set to."""

    system_tool_type: str
    transfers: list[Transfer]


class ToolItem(TypedDict, total=False):
    """A tool: `client`, `webhook` or `system`."""

    type: str
    name: str
    description: str
    response_timeout_secs: float
    expects_response: bool
    parameters: ParameterSchema | None
    api_schema: RequestSchema | None
    params: SystemParams | None
