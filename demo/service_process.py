"""The service as it is run in earnest: a process of its own, `oncohooks serve`, on a free port."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from demo.server import ServerNotStartedError, in_process


@contextmanager
def service(fhir_url: str, *, clock: str = "now", demonstration: bool = False, **settings: str) -> Iterator[str]:
    """Serve for one FHIR server without authentication; gives the service's base URL.

    `settings` are further `ONCOHOOKS_*` variables, without the prefix; those of the caller's own environment do not
    count. Raises ServerNotStartedError with the service's log where it does not start.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ONCOHOOKS_")}
    run = {
        "ONCOHOOKS_AUTH": "off",
        "ONCOHOOKS_CLOCK": clock,
        "ONCOHOOKS_FHIR": fhir_url,
        "ONCOHOOKS_DEADLINE_SECONDS": "20",  # a sandbox on a busy machine is slower than a hospital
        **({"ONCOHOOKS_DEMONSTRATION": "true"} if demonstration else {}),
        **{f"ONCOHOOKS_{name.upper()}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", "0"]
    with in_process(command, env={**inherited, **run}) as running:
        found = re.search(r"http://[^\s/]+", running.base_url)
        if found is None:
            raise ServerNotStartedError(f"the service announced {running.base_url!r}")
        yield found[0]
