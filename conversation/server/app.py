"""The ASGI app: middleware, error answers and routers around one `ServerContext`."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from conversation.server import health_routes as health
from conversation.server import not_served_routes as not_served
from conversation.server.access import secrets, signed_urls
from conversation.server.agent_routes import routes as agents
from conversation.server.agent_routes import sharing_routes as agent_sharing
from conversation.server.agent_routes import tool_routes as agent_tools
from conversation.server.agent_routes import version_routes as agent_versions
from conversation.server.agent_tests import routes as agent_tests
from conversation.server.agent_tests import run_routes as agent_test_runs
from conversation.server.agent_tests import simulation_routes as agent_simulation
from conversation.server.context import ServerContext, WarmingAgents
from conversation.server.conversations import analysis_routes, tags
from conversation.server.conversations import file_routes as conversation_files
from conversation.server.conversations import routes as conversations
from conversation.server.documents import change_routes as knowledge_base_changes
from conversation.server.documents import crawl_routes as knowledge_base_crawls
from conversation.server.documents import folder_routes as knowledge_base_folders
from conversation.server.documents import index_routes as knowledge_base_index
from conversation.server.documents import routes as knowledge_base
from conversation.server.documents import source_routes as knowledge_base_sources
from conversation.server.edge import Edge
from conversation.server.errors import add_error_answers
from conversation.server.library.held_files import LOOKED_AT_EVERY_S, let_go_in_time
from conversation.server.overview import message_search, models, users
from conversation.server.pages import routes as pages
from conversation.server.pages import widget_routes as widget
from conversation.server.parameters import refuse_without_effect
from conversation.server.talks import route as websocket
from conversation.server.webhooks import routes as webhooks
from conversation.server.webhooks import settings_routes as settings
from conversation.server.webhooks.sender import WebhookSender

_log = logging.getLogger(__name__)

PAGES = (websocket.router, pages.router, widget.router)
"""Beside the API: their addresses may carry what is for scripts."""
ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    signed_urls.router,
    agents.router,
    agent_sharing.router,
    agent_tools.router,
    agent_versions.router,
    agent_sharing.rooms,
    agent_simulation.router,
    knowledge_base_index.router,
    knowledge_base_folders.router,
    knowledge_base_crawls.router,
    knowledge_base_changes.router,
    knowledge_base.router,
    knowledge_base_sources.router,
    message_search.router,
    conversations.router,
    conversation_files.router,
    analysis_routes.router,
    users.router,
    tags.router,
    models.router,
    agent_tests.router,
    agent_test_runs.router,
    secrets.router,
    settings.router,
    webhooks.router,
)


def make_app(context: ServerContext, *, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """The app that serves `context`.

    Args:
        context: Agents, stores, limits.
        routers: Of other packages, e.g. what reports offer under `/api/`.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        if context.authoring is not None:
            await asyncio.to_thread(context.authoring.start)
        _warm_up(context)
        sender = WebhookSender(context) if context.stored_secrets is not None else None
        if sender is not None:
            sender.start()
        forgetting = asyncio.create_task(
            let_go_in_time(lambda: context.files, every_s=LOOKED_AT_EVERY_S)
        )
        yield
        forgetting.cancel()
        context.stopping = True
        await context.resumptions.end_all()
        if sender is not None:
            await asyncio.to_thread(sender.stop)
        if context.authoring is not None:
            await asyncio.to_thread(context.authoring.stop)

    app = FastAPI(
        title="Viva Voce",
        summary="Agents that answer from your documents, over HTTP and WebSocket",
        lifespan=lifespan,
        # Their pages load scripts from elsewhere; `/openapi.json` is there for any viewer.
        docs_url=None,
        redoc_url=None,
        # Its spans and log records would hold queries, and those hold words and signatures;
        # sessions have spans of their own.
        telemetry={"tracing": False, "operation_spans": False, "logs": False},
    )
    app.state.context = context
    add_error_answers(app)
    app.router.routes.extend(_own_routes())
    for router in routers:
        app.include_router(router, dependencies=[Depends(refuse_without_effect)])
    app.include_router(not_served.router)
    app.add_middleware(Edge, context=context)
    return app


def _warm_up(context: ServerContext) -> None:
    """Begin to load what the first conversation needs; until then `/api/ready` says not ready."""
    agents = context.agents
    if not isinstance(agents, WarmingAgents):
        return

    def load() -> None:
        try:
            agents.warm_up()
        except Exception as error:  # the server serves all the same, and tells when it is asked
            _log.error("the agents could not be warmed up: %s", type(error).__name__)
        finally:
            context.warming = False

    context.warming = True
    threading.Thread(target=load, name="warm-up", daemon=True).start()


@cache
def _own_routes() -> Sequence[BaseRoute]:
    """Made once a process: they are the same for every context, and making them takes long."""
    whole = APIRouter()
    whole.include_router(not_served.shadowed)
    for router in ROUTERS:
        whole.include_router(router, dependencies=[Depends(refuse_without_effect)])
    for router in PAGES:
        whole.include_router(router)
    return tuple(whole.routes)
