"""The ASGI app: middleware, error answers and routers around one `ServerContext`."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from conversation.server import websocket
from conversation.server.context import ServerContext
from conversation.server.edge import Edge
from conversation.server.errors import add_error_answers
from conversation.server.routes import (
    agent_sharing,
    agent_simulation,
    agent_test_runs,
    agent_tests,
    agents,
    conversations,
    health,
    knowledge_base,
    knowledge_base_changes,
    knowledge_base_index,
    not_served,
    pages,
    secrets,
    settings,
    signed_urls,
    webhooks,
)
from conversation.server.webhook_sending import WebhookSender

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    signed_urls.router,
    agents.router,
    agent_sharing.router,
    agent_simulation.router,
    knowledge_base_index.router,
    knowledge_base_changes.router,
    knowledge_base.router,
    conversations.router,
    agent_tests.router,
    agent_test_runs.router,
    secrets.router,
    settings.router,
    webhooks.router,
    websocket.router,
    pages.router,
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
        sender = WebhookSender(context) if context.stored_secrets is not None else None
        if sender is not None:
            sender.start()
        yield
        context.stopping = True
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
    for router in (not_served.shadowed, *ROUTERS, *routers, not_served.router):
        app.include_router(router)
    app.add_middleware(Edge, context=context)
    return app
