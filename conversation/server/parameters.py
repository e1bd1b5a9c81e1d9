"""Parameters that a route does not have are refused by name: one without effect misleads."""

from collections.abc import Callable, Sequence

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from conversation.server.errors import ApiError

ANY_PARAMETER = "any_parameter"
"""In `openapi_extra` of a route: it judges the names of its query parameters itself."""
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


async def refuse_without_effect(request: Request) -> None:
    """A dependency of routers: a parameter or field of a form has an effect, or is refused.

    Fields of JSON are judged by `conversation.server.incoming.body`.

    Raises:
        ApiError: 422; the request has a name that the route does not know. The message names it,
            and those that there are.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or (route.openapi_extra or {}).get(ANY_PARAMETER):
        return
    _refuse(request.query_params, _names(route.dependant, lambda each: each.query_params))
    if request.headers.get("content-type", "").lower().startswith(_FORMS):
        fields = _names(route.dependant, lambda each: each.body_params)
        if fields:
            # It was read already; this is the same form again.
            _refuse(await request.form(), fields)


def _refuse(given: object, known: set[str]) -> None:
    names: set[str] = set(given)  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
    unknown = sorted(name[:100] for name in names - known)
    if unknown:
        offered = f"It knows {', '.join(sorted(known))}." if known else "It knows none."
        raise ApiError(
            422,
            "unsupported_parameter",
            f"This server cannot act on {', '.join(unknown[:20])}, so the answer would not be what "
            f"was asked for. Leave it out. {offered}",
        )


def _names(dependant: Dependant, of: Callable[[Dependant], Sequence[object]]) -> set[str]:
    names = {str(getattr(field, "alias", "")) for field in of(dependant)}
    return names.union(*(_names(each, of) for each in dependant.dependencies))
