"""Query parameters that a route does not have are refused by name: one without effect misleads."""

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from conversation.server.errors import ApiError


def refuse_unknown_parameters(request: Request) -> None:
    """A dependency of routers whose lists are narrowed by parameters.

    Raises:
        ApiError: 422; the request has a parameter that the route does not know. The message names
            it, and those that there are.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = _names(route.dependant)
    unknown = sorted({name for name in request.query_params if name not in known})
    if unknown:
        offered = f"It knows {', '.join(sorted(known))}." if known else "It knows none."
        raise ApiError(
            422,
            "unsupported_parameter",
            f"This server cannot act on {', '.join(unknown)}, so the answer would not be what was "
            f"asked for. Leave it out. {offered}",
        )


def _names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*(_names(each) for each in dependant.dependencies))
