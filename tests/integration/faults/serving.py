"""An app on a real socket, in a thread of this process, over TLS where it has a certificate."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.integration.faults.certificates import Certificate, up_to_tls_1_2


class Serving(uvicorn.Server):
    """`date_header` off: a far end sets its own clock."""

    def __init__(self, app: ASGIApp, certificate: Certificate | None) -> None:
        files = (str(certificate.chain), str(certificate.key)) if certificate else (None, None)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            date_header=False,
            timeout_graceful_shutdown=1,
            ssl_certfile=files[0],
            ssl_keyfile=files[1],
        )
        super().__init__(config)
        config.load()
        if config.ssl is not None:
            up_to_tls_1_2(config.ssl)
        self.tls: ssl.SSLContext | None = config.ssl
        self.port = 0
        self.answers = threading.Event()

    def shows(self, certificate: Certificate) -> None:
        """From the next connection on."""
        assert self.tls is not None
        self.tls.load_cert_chain(certificate.chain, certificate.key)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()


@contextmanager
def serving(app: ASGIApp, certificate: Certificate | None = None) -> Iterator[Serving]:
    """On a free port of 127.0.0.1, for as long as the context."""
    server = Serving(app, certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="far-end", daemon=True)
        thread.start()
        assert server.answers.wait(10)
        try:
            yield server
        finally:
            server.should_exit = True
            thread.join(10)
