"""`oncohooks serve`."""

import gc
import signal
import socket
from types import FrameType

import click
import uvicorn

from models.package import PackageError
from service import logs
from service.app import create_app
from service.commands.failure import Failure
from service.probes import Readiness
from service.settings import Settings

# What the service is made of lives as long as it does: frozen, the collector passes over it, and with a higher
# threshold it comes between requests less often (p99 2-5 times lower in measurements).
_GC_THRESHOLD = 50_000
_GRACE_SECONDS = 5  # beyond the longest reading, for answers under way when the process is told to end


class Server(uvicorn.Server):
    """Uvicorn that says where it listens, and that it drains."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness) -> None:
        super().__init__(config)
        self._readiness = readiness

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD, *gc.get_threshold()[1:])
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"oncohooks listens on http://{shown}:{port} (discovery: /cds-services)")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._readiness.draining = True
        super().handle_exit(signal.Signals(sig), frame)


@click.command(epilog="Example: ONCOHOOKS_SITE=/etc/oncohooks oncohooks serve --host 0.0.0.0 --port 8000")
@click.option("--host", help="Address to listen on, instead of the setting `host`.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on, instead of the setting `port`.")
def serve(host: str | None, port: int | None) -> None:
    """Run the service: one process, one worker; more replicas for more load."""
    options = {"host": host, "port": port}
    settings = Settings.read(**{name: value for name, value in options.items() if value is not None})
    logs.configure(settings.log)
    try:
        app = create_app(settings)
    except PackageError as error:
        raise Failure(f"model {settings.model}: {error}", 1) from error
    longest = max(settings.deadline_seconds, settings.hard_deadline_seconds)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="auto",  # uvloop wherever it exists
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=round(longest) + _GRACE_SECONDS,
    )
    try:
        Server(config, app.state.readiness).run()
    except SystemExit as ended:  # uvicorn ends so where it cannot listen
        if not isinstance(ended.__context__, OSError):
            raise
        raise Failure(f"host, port: {ended.__context__.strerror}", 2) from ended
    except KeyboardInterrupt:  # uvicorn raises it again once everything is closed
        click.echo("", err=True)
