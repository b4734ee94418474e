"""A setting that names a file of certificates: looked into at the start, not when the first patient is read."""

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


def _holds_certificates(file: Path | None) -> Path | None:
    if file is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
        except OSError as error:  # ssl.SSLError is one
            raise ValueError("must be a file of certificates in PEM form that can be read") from error
    return file


CaFile = Annotated[Path | None, AfterValidator(_holds_certificates)]
