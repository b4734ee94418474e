"""`oncohooks keys`."""

import sys

import click
import msgspec

from service.commands.failure import Failure
from service.fhir.signing_key import SigningKeyError, read_keys, signing_key
from service.settings import Settings


@click.command(epilog="Example: ONCOHOOKS_SITE=/etc/oncohooks oncohooks keys > jwks.json")
def keys() -> None:
    """Print the public keys to register at the FHIR servers, as a JSON Web Key Set.

    Those of every [fhir.backend] key_file; during a rotation the old and the new. Nothing private is printed.
    """
    registered = [server.backend for server in Settings.read().fhir if server.backend]
    if not registered:
        raise Failure("no [[fhir]] has a [fhir.backend] with a key_file (docs/authorisation.md)", 2)
    found: dict[str, object] = {}
    for backend in registered:
        try:
            held = read_keys(backend.key_file)
            held = held if len(held) > 1 else (signing_key(held, backend.kid),)  # a single key may be renamed
        except SigningKeyError as error:
            raise Failure(str(error), 1) from error
        found |= {key.kid: key.public for key in held}
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode({"keys": list(found.values())})) + b"\n")
