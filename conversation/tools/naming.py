"""A tool chosen by its name alone, before its parameters: for small models. Pure.

A small model that has to write a whole object at once writes 25 tokens to say that it uses no tool,
and picks a worse one: of eight turns that need a tool, a 1.5B chose the right one in six that way,
and in eight by name. So models that run in this process are first asked for a name, which is a few
tokens. When the tool has parameters, they are asked for it afterwards with the same prompt, which
is found in the cache. To ask yes or no first is no help: such a model says yes to everything.
"""

import json
from collections.abc import Sequence

from conversation.agent.config import AgentConfig
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatModel, Completion, CompletionOptions, OfferedTool
from conversation.tools.deciding import NO_TOOL

MAX_NAME_TOKENS = 40


def names_first(model: ChatModel, *, native: bool) -> bool:
    """Whether this model is asked for a name first."""
    return model.model.startswith("embedded/") and not native


def naming_options(agent: AgentConfig, tools: Sequence[OfferedTool]) -> CompletionOptions:
    """How a name is asked for."""
    return CompletionOptions(
        max_output_tokens=MAX_NAME_TOKENS,
        temperature=0.0,
        schema={"enum": [NO_TOOL, *(tool.name for tool in tools)]},
        first_token_timeout_s=agent.llm.first_token_timeout_s,
        total_timeout_s=agent.llm.total_timeout_s,
    )


def named_tool(completion: Completion, tools: Sequence[OfferedTool]) -> OfferedTool | None:
    """The tool that the answer names; None for none.

    Raises:
        ModelOutputError: The answer is no name of a tool.
    """
    by_name: dict[object, OfferedTool | None] = {tool.name: tool for tool in tools}
    by_name[NO_TOOL] = None
    try:
        name: object = json.loads(completion.text)
    except ValueError as error:
        raise ModelOutputError("The model's choice of a tool is not JSON.") from error
    if not isinstance(name, str) or name not in by_name:
        raise ModelOutputError("The model's choice of a tool is none of those offered.")
    return by_name[name]


def takes_parameters(tool: OfferedTool) -> bool:
    """Whether there is anything left to ask once the tool is named."""
    return bool(tool.parameters.get("properties"))
