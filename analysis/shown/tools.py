"""What an agent did besides speaking, as judges and people who label see it. Pure.

"I cancelled it." is true or false by what the tool returned, so the call stands before the words.
"""

import json
from collections.abc import Iterator, Sequence

from analysis.shown.withholding import without_orders_to_judge
from conversation.transcript import ToolCall

_MOST_CALLS = 12
"""Of one turn."""
_PARAMETER_CHARS = 300
_RESULT_CHARS = 600


def tool_lines(calls: Sequence[ToolCall]) -> Iterator[str]:
    """Yield a line for each use of a tool: name, parameters, and what came of it.

    Long parameters and results are cut, and it says by how much; of very many uses in one turn the
    rest is counted. Results come from outside: what speaks to a judge in them is withheld.
    """
    for call in calls[:_MOST_CALLS]:
        yield _line(call)
    if len(calls) > _MOST_CALLS:
        failed = sum(call.is_error for call in calls[_MOST_CALLS:])
        yield f"({len(calls) - _MOST_CALLS} more uses of tools, {failed} of them failed)"


def _line(call: ToolCall) -> str:
    given = json.dumps(call.parameters, ensure_ascii=False, default=str)
    shown = without_orders_to_judge(_bounded(given, _PARAMETER_CHARS))
    outcome = "failed" if call.is_error else "returned"
    result = call.result if call.result is not None else "nothing"
    returned = without_orders_to_judge(_bounded(result, _RESULT_CHARS))
    return f"{call.tool_name} {shown} {outcome}: {returned}"


def _bounded(text: str, most: int) -> str:
    """Return `text`, its middle left out where it is long: what went wrong stands at either end."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    head, tail = most * 2 // 3, most // 3
    return f"{line[:head]} (... {len(line) - head - tail} characters ...) {line[-tail:]}"
