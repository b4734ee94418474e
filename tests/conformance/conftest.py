"""The environment of a developer's shell must not decide what is conformant."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_settings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.upper().startswith("ONCOHOOKS_")]:
            environment.delenv(name)
        yield
