"""Commands about the server: serve, and the keys that open it."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from orchestration.cli.deployment import opened_deployment
from orchestration.terminal.tables import text_table

app = typer.Typer()
keys = typer.Typer(help="API keys of the server.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8080,
    public_url: Annotated[
        str | None, typer.Option(help="Where clients reach it, e.g. https://agents.example.com.")
    ] = None,
    trusted_proxies: Annotated[
        str, typer.Option(help="Proxies whose X-Forwarded-For is believed.")
    ] = "127.0.0.1",
    max_conversations: Annotated[
        int, typer.Option(min=1, help="At the same time, together.")
    ] = 1_000,
    max_per_address: Annotated[
        int, typer.Option(min=1, help="Conversations of one address at the same time.")
    ] = 100,
    preload: Annotated[
        bool,
        typer.Option("--preload", help="Load the models of every voice before anybody calls."),
    ] = False,
) -> None:
    """Serve the agents over HTTP and WebSocket; Ctrl-C lets running turns finish."""
    from conversation.server.limits import ServerLimits
    from conversation.server.serving import (
        make_server,
        require_free_port,
        run_until_signalled,
    )
    from orchestration.operations.operations import close_abandoned
    from orchestration.processes.telemetry import configure_logs, start_telemetry
    from orchestration.server.app import create_app

    require_free_port(host, port)
    limits = ServerLimits(
        conversations=max_conversations, conversations_per_address=max_per_address
    )
    with opened_deployment() as deployment, ExitStack() as at_end:
        configure_logs(deployment.settings)
        at_end.callback(start_telemetry(deployment.settings, service="vivavoce-server"))
        close_abandoned(deployment, datetime.now(UTC))
        served = create_app(deployment, limits=limits, public_url=public_url)
        if preload:
            voices, agents = served.state.context.voices, served.state.context.agents
            for problem in voices.preload(agents.agents()):
                typer.echo(f"No voice for {problem}", err=True)
        server = make_server(
            served, served.state.context, host=host, port=port, trusted_proxies=trusted_proxies
        )
        server.when_listening(lambda address: typer.echo(f"Listening on {address}   Ctrl-C stops"))
        run_until_signalled(server)
    typer.echo("Stopped.")


@app.command()
def widget(
    agent: Annotated[str, typer.Argument(help="Id of the agent.")],
    url: Annotated[
        str, typer.Option(help="Where browsers reach the server, e.g. https://agents.example.com.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """Print the code that puts an agent on a page, and what that page has to allow."""
    from conversation.widget.embed_code import content_policy, embed_code, frame_code

    with opened_deployment() as deployment:
        found = deployment.agent(agent).agent
    public = found.access.public
    typer.echo(
        embed_code(found.agent_id, url, variables=found.required_variables, is_public=public)
    )
    typer.echo(f"\nOr in a frame:\n{frame_code(found.agent_id, url)}")
    typer.echo(f"\nA page with a content security policy has to allow:\n{content_policy(url)}")
    if not public:
        typer.echo(
            "\nThe agent is not public: put the answer of get-signed-url in place of SIGNED_URL, "
            "or set `access: {public: true}` in its file.",
            err=True,
        )
    if not found.allowed_origins:
        typer.echo(
            "\nPages of every origin may use the agent by script, and none of them by frame; "
            "`widget: {allowed_origins: [shop.example.com]}` names those that may.",
            err=True,
        )


@keys.command(name="create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[
        list[str], typer.Option(help="ingest, converse, read, label or admin; repeatable.")
    ],
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until it expires; unset: never.")
    ] = None,
) -> None:
    """Make an API key and print it; it is shown this once."""
    from conversation.server.keys.api_keys import known_scopes, new_key
    from conversation.server.keys.key_store import AccessStore

    now = datetime.now(UTC)
    try:
        scopes = known_scopes(scope)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--scope") from error
    expires_at = None if days is None else now + timedelta(days=days)
    key, record = new_key(name, scopes, now=now, expires_at=expires_at)
    with opened_deployment() as deployment:
        AccessStore(deployment.conversations.engine).add_key(record)
    typer.echo(key)
    typer.echo(
        f"Key {record.key_id} ({', '.join(record.scopes)}). Keep it: it is not shown again.",
        err=True,
    )


@keys.command(name="list")
def list_keys() -> None:
    """List the keys, what they are good for, and when they were used."""
    from conversation.server.keys.key_store import AccessStore

    with opened_deployment() as deployment:
        found = AccessStore(deployment.conversations.engine).keys()
    now = datetime.now(UTC)
    rows = [
        [
            record.key_id,
            record.name,
            " ".join(record.scopes),
            record.state(now),
            _day(record.created_at),
            _day(record.expires_at) or "never",
            _minute(record.last_used_at) or "never",
        ]
        for record in found
    ]
    headers = ["id", "name", "scopes", "state", "created", "expires", "last used (UTC)"]
    typer.echo(text_table(headers, rows))
    if not found:
        typer.echo("No keys yet. `vivavoce keys create --name first --scope admin` makes one.")


@keys.command(name="revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")],
) -> None:
    """Close a key for ever, at once."""
    from conversation.server.keys.key_store import AccessStore

    with opened_deployment() as deployment:
        store = AccessStore(deployment.conversations.engine)
        revoked = store.revoke_key(key_id, now=datetime.now(UTC))
    if not revoked:
        raise typer.BadParameter(
            f"there is no open key {key_id!r}; `vivavoce keys list` shows them"
        )
    typer.echo(f"Key {key_id} opens nothing any more.")


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def _minute(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M")
