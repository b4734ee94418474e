"""By what a command shows a CDS service who it is: a token as it is, or a key that signs one for each call."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import jwt

from service.commands.failure import Failure
from service.fhir.signing_key import SigningKey, SigningKeyError, read_keys, signing_key

_MINUTES = 5
_LONGEST_TOKEN = 16 * 1024
_SETTINGS = ("[fhir.backend] key_file", "[fhir.backend] kid")


Authority = Callable[[str], str]  # an address -> the value of the Authorization header, or nothing


def token_options(command: Any) -> Any:
    """Adds `--token-file`, `--key`, `--issuer` and `--kid` to a command."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--kid", default="", help="Id under which the service knows the key; else the key's own."),
        click.option("--issuer", default="", help="`iss` of the tokens that --key signs."),
        click.option("--key", type=file, help="Private key (JWK or PEM): signs a token for each call (ES384, RS384)."),
        click.option("--token-file", type=file, help="A token as text, sent as it is."),
    ):
        command = option(command)
    return command


def authority(token_file: Path | None, key: Path | None, issuer: str, kid: str) -> Authority:
    """How calls are admitted. Raises Failure (2) for options that do not go together, or files that cannot be used."""
    if token_file and (key or issuer or kid):
        raise Failure("--token-file is a token already: it does not go with --key, --issuer or --kid", 2)
    if bool(key) != bool(issuer) or (kid and not key):
        raise Failure("--key and --issuer go together, --kid with them", 2)
    if token_file:
        header = f"Bearer {_token_of(token_file)}"
        return lambda _url: header
    if key:
        signing = _key_of(key, kid)
        return lambda url: f"Bearer {_signed(signing, issuer, url)}"
    return lambda _url: ""


def _token_of(file: Path) -> str:
    try:
        text = file.read_bytes()[: _LONGEST_TOKEN + 1].decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"--token-file: {file} cannot be read as text ({type(error).__name__})", 2) from None
    text = text.removeprefix("Bearer ").strip()
    if not text or len(text) > _LONGEST_TOKEN or not all("!" <= c <= "~" for c in text):
        raise Failure(f"--token-file: {file} holds no token: one word of printable ASCII", 2)
    return text


def _key_of(file: Path, kid: str) -> SigningKey:
    try:
        return signing_key(read_keys(file), kid)
    except SigningKeyError as error:
        told = str(error)
        for setting, option in zip(_SETTINGS, ("--key", "--kid"), strict=True):
            told = told.replace(setting, option)
        raise Failure(told.replace("key_file", "--key"), 2) from None


def _signed(key: SigningKey, issuer: str, url: str) -> str:
    """A token for this address and this call only (CDS Hooks 2.0, Trusting CDS Clients)."""
    now = int(time.time())
    claims = {"iss": issuer, "aud": url, "iat": now, "exp": now + _MINUTES * 60, "jti": str(uuid.uuid4())}
    return jwt.encode(claims, key.private, key.algorithm, headers={"kid": key.kid})
