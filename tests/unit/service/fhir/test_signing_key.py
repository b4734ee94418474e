import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from service.fhir.signing_key import SigningKeyError, read_keys, signing_key
from tests.unit.service.cds_hooks.ehr import elliptic, jwk, rsa_key
from tests.unit.service.fhir.authorisation_server import pem, private_jwk


def refusal(place: Path, kid: str = "") -> str:
    with pytest.raises(SigningKeyError) as caught:
        signing_key(read_keys(place), kid)
    return str(caught.value)


def written(content: object) -> Callable[[Path], Path]:
    def write(file: Path) -> Path:
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    return write


def locked(file: Path) -> Path:
    form = (Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw"))
    file.write_bytes(elliptic().private_bytes(*form))
    return file


def test_the_same_key_has_one_id_in_every_form(tmp_path: Path) -> None:
    """PEM, JWK and JWKS give the same key, named by its thumbprint (RFC 7638), and the algorithm that it signs with."""
    for key, algorithm in ((elliptic(), "ES384"), (rsa_key(), "RS384")):
        found = [
            *read_keys(pem(key, tmp_path / "key.pem")),
            *read_keys(written(private_jwk(key))(tmp_path / "key.json")),
            *read_keys(written({"keys": [private_jwk(key)]})(tmp_path / "key.jwks")),
        ]
        assert len({(one.kid, one.algorithm) for one in found}) == 1
        assert (found[0].algorithm, len(found[0].kid)) == (algorithm, 43)


def test_the_thumbprint_is_that_of_the_specification(tmp_path: Path) -> None:
    """SHA-256 over the required members in alphabetical order, without spaces (RFC 7638, 3)."""
    key = elliptic()
    (found,) = read_keys(pem(key, tmp_path / "key.pem"))
    public = jwk(key)
    text = json.dumps({name: public[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    assert found.kid == jwt.utils.base64url_encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_public_half_verifies_and_holds_nothing_private(tmp_path: Path) -> None:
    """What is registered at the server verifies what the key signs."""
    for key in (elliptic(), rsa_key()):
        (found,) = read_keys(pem(key, tmp_path / "key.pem"))
        public = found.public
        assert not public.keys() & {"d", "p", "q", "dp", "dq", "qi"}
        assert (public["kid"], public["alg"], public["use"]) == (found.kid, found.algorithm, "sig")
        signed = jwt.encode({"a": 1}, found.private, found.algorithm)
        assert jwt.decode(signed, jwt.PyJWK(public), algorithms=[found.algorithm]) == {"a": 1}
        assert str(key) not in repr(found)


def test_a_folder_holds_several_keys(tmp_path: Path) -> None:
    """The last by the names of the files signs, unless `kid` names another; other files do not count."""
    pem(elliptic("a"), tmp_path / "2026-01.pem")
    written(private_jwk(elliptic("b"), kid="b"))(tmp_path / "2026-11.json")
    (tmp_path / "README.txt").write_text("keys")
    (tmp_path / "..data").mkdir()
    keys = read_keys(tmp_path)
    assert len(keys) == 2
    assert signing_key(keys, "").kid == "b"
    assert signing_key(keys, keys[0].kid).private.public_key() == elliptic("a").public_key()
    assert refusal(tmp_path, "c") == "[fhir.backend] kid: no key of key_file has this id"


def test_a_single_key_is_called_as_the_site_says(tmp_path: Path) -> None:
    """The server may know it under an id of its own."""
    assert signing_key(read_keys(pem(elliptic(), tmp_path / "key.pem")), "theirs").kid == "theirs"


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda file: file, "cannot be read (No such file or directory)"),
        (lambda file: file.parent, "there is no key in it"),
        (written("not a key"), "no private key in PEM"),
        (written("{"), "neither PEM nor JWK"),
        (written('{"keys": []}'), "there is no key in it"),
        (written("{" + "x" * 300_000), "too large to be a key"),
        (written(jwk(elliptic())), "is no private key"),
        (written({"kty": "oct", "k": "c2VjcmV0"}), "is no private key"),
        (written({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "d": "AA"}), "cannot be read"),
        (lambda file: pem(ec.generate_private_key(ec.SECP256R1()), file), "must be P-384, or RSA of at least 2048"),
        (lambda file: pem(rsa_key(1024), file), "must be P-384, or RSA of at least 2048"),
        (locked, "locked by a password"),
    ],
)
def test_what_is_no_key_for_us_is_told(tmp_path: Path, write: Callable[[Path], Path], expected: str) -> None:
    """The message names the setting and what is wrong, and holds nothing of the file."""
    told = refusal(write(tmp_path / "key.pem"))
    assert told.startswith("[fhir.backend] key_file: ")
    assert expected in told
    assert "c2VjcmV0" not in told
