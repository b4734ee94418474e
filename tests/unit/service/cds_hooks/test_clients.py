"""Who may call: every token but the right one gets a bare 401."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.cds_hooks.client_keys import keys_of
from service.cds_hooks.client_token import Client, NotAdmittedError, Reason
from service.cds_hooks.clients import Register
from service.state.replay import ProcessReplay, ReplayDownError
from tests.unit.service.cds_hooks.ehr import (
    ISSUER,
    JWKS_URL,
    NOW,
    PUBLIC_URL,
    claims,
    elliptic,
    jwk,
    part,
    rsa_key,
    signed_by_hand,
    token,
)

PATH = "/cds-services"
GOOD = {"alg": "ES384", "kid": "k1", "typ": "JWT"}
PEM = elliptic().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Keys:
    """Serves a key set, and remembers how often it was asked."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.asked: list[str] = []
        self.answer: Callable[[], httpx.Response] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return self.answer() if self.answer else httpx.Response(200, json={"keys": self.keys})


def register(keys: Keys | None = None, client: Client | None = None, **options: Any) -> Register:
    transport = httpx.MockTransport(keys or Keys(jwk(elliptic()), jwk(rsa_key(), "k2")))
    options = {"replay": ProcessReplay(), "public_url": PUBLIC_URL, "clock": lambda: NOW, **options}
    return Register([client or Client(ISSUER, JWKS_URL)], httpx.AsyncClient(transport=transport), **options)


def verdict(text: str, door: Register | None = None, path: str = PATH, scheme: str = "Bearer ") -> str:
    """The reason for which a token is refused, or "admitted"."""
    try:
        asyncio.run((door or register()).admit(f"{scheme}{text}", path))
    except NotAdmittedError as refused:
        return refused.reason.value
    return "admitted"


@pytest.mark.parametrize(
    "good",
    [
        token(),
        token(alg="RS384", key=rsa_key(), headers={"kid": "k2"}),
        token(claims(aud=["https://else.example", PUBLIC_URL + PATH])),
        token(claims(nbf=NOW - 300)),
        token(claims(exp=NOW + 890, iat=NOW)),
        token(claims(exp=NOW + 295.5)),
        token(claims(iat=NOW - 300, exp=NOW - 50)),
        token(claims(iat=NOW + 50)),
        token(claims(sub="client", tenant="t", fhirUser="x")),
        token(headers={"jku": JWKS_URL}),
        token(headers={"typ": "jwt"}),
        signed_by_hand({**GOOD, "x5u": "https://evil.example"}, claims()),
    ],
)
def test_a_good_token_is_admitted(good: str) -> None:
    """Both algorithms, `aud` as text or list, a minute of skew, and what else EHRs put in."""
    assert verdict(good) == "admitted"


HOSTILE: dict[str, list[str]] = {
    "no-token": [],
    "malformed": [
        "", "abc", "a.b", "a.b.c", "a.b.c.d", "..", " ", token() + ".", token().replace(".", ".."), f" {token()}",
        f"{token()}\n", "é" + token(), "A" * 9_000 + ".e.e", token() + "=" , f"{token()} {token()}",
        signed_by_hand(b"{", claims()), signed_by_hand(GOOD, b"[]"), signed_by_hand(GOOD, b"{" * 50_000)[:8_000],
        signed_by_hand([], claims()), signed_by_hand(GOOD, "x"), signed_by_hand({**GOOD, "kid": ""}, claims()),
        signed_by_hand({**GOOD, "kid": 1}, claims()), signed_by_hand({**GOOD, "kid": None}, claims()),
        signed_by_hand({"alg": "ES384", "kid": "k1"}, claims()), signed_by_hand({**GOOD, "typ": "at+jwt"}, claims()),
        signed_by_hand({**GOOD, "crit": ["exp"]}, claims()), signed_by_hand({**GOOD, "b64": False}, claims()),
        signed_by_hand({"alg": "ES384", "typ": "JWT"}, claims()), token(claims(exp=None)), token(claims(iat=None)),
        token(claims(aud=None)), token(claims(iss=None)), token(claims(jti=None)), token(claims(jti="")),
        token(claims(jti="j" * 2_000)), token(claims(jti=7)), signed_by_hand(GOOD, claims(exp=str(NOW + 200))),
        signed_by_hand(GOOD, claims(exp=True)), signed_by_hand(GOOD, claims(iat="now")),
        signed_by_hand(GOOD, claims(aud={"a": 1})), signed_by_hand(GOOD, claims(aud=[1])),
        signed_by_hand(GOOD, claims(iss=[ISSUER])), signed_by_hand(GOOD, claims(nbf=[])),
        signed_by_hand(GOOD, json.dumps(claims()).replace(f"{NOW + 295}", "1e400").encode()),
        signed_by_hand(GOOD, json.dumps(claims()).replace(f"{NOW + 295}", "NaN").encode()),
    ],
    "algorithm": [
        *(f"{part({**GOOD, 'alg': none})}.{part(claims())}.AAAA" for none in ("none", "None", "NONE")),
        signed_by_hand({**GOOD, "alg": "es384"}, claims()), token(key=b"s" * 64, alg="HS256"),
        token(key=b"s" * 64, alg="HS384"), signed_by_hand({**GOOD, "alg": "HS384"}, claims()),
        *(token(alg=alg, key=rsa_key(), headers={"kid": "k2"}) for alg in ("RS256", "RS512", "PS384")),
        token(alg="ES256", key=ec.generate_private_key(ec.SECP256R1())), signed_by_hand({**GOOD, "alg": ""}, claims()),
    ],
    "issuer-not-registered": [
        token(claims(iss="https://evil.example")), token(claims(iss=ISSUER + "/")), token(claims(iss=ISSUER.upper())),
        token(claims(iss="")), token(claims(iss=f" {ISSUER}")),
    ],
    "jku-not-registered": [
        token(headers={"jku": url}) for url in (
            "https://evil.example/jwks.json", JWKS_URL + "/", JWKS_URL + "?x", JWKS_URL.replace("https", "http"), "",
            "https://ehr.example@evil.example/.well-known/jwks.json", "file:///etc/passwd", "HTTPS" + JWKS_URL[5:],
        )
    ],
    "key-unknown": [
        token(headers={"kid": kid})
        for kid in ("k9", "K1", "../../dev/null", "k1' OR '1'='1", "k2", "k1\u0000", "/etc/x")
    ],
    "signature": [
        token(key=elliptic("forger")), token()[:-8] + "AAAAAAAA", token().rpartition(".")[0] + ".AAAA",
        ".".join([token().split(".")[0], part(claims(sub="admin")), token().split(".")[2]]),
        ".".join([part({**GOOD, "x": 1}), *token().split(".")[1:]]),
        signed_by_hand({**GOOD, "jwk": jwk(elliptic("forger"))}, claims(), elliptic("forger")),
        signed_by_hand({**GOOD, "x5c": ["MIIB"]}, claims(), elliptic("forger")),
        token().rpartition(".")[0] + "." + part(bytes(96)),
    ],
    "audience": [
        token(claims(aud=aud)) for aud in (
            PUBLIC_URL, PUBLIC_URL + PATH + "/", PUBLIC_URL + PATH + "/pan-cancer-prognosis", "",
            "https://evil.example" + PATH, (PUBLIC_URL + PATH).upper(), PUBLIC_URL.replace("https", "http") + PATH,
            [], ["*"], PUBLIC_URL + PATH + "?a=1",
        )
    ],
    "expired": [
        token(claims(exp=NOW - 61, iat=NOW - 200)), token(claims(exp=0, iat=-10)),
        token(claims(exp=-1e300, iat=-1e300)),
    ],
    "not-yet-valid": [token(claims(nbf=NOW + 61)), token(claims(iat=NOW + 61, exp=NOW + 100))],
    "lives-too-long": [
        token(claims(exp=NOW + 10_000)), token(claims(exp=1e300)), token(claims(iat=NOW - 5_000)),
        token(claims(exp=NOW, iat=NOW + 1)), token(claims(iat=0)), token(claims(exp=NOW + 30, iat=NOW + 30)),
    ],
}  # fmt: skip
VECTORS = [(reason, text) for reason, texts in HOSTILE.items() for text in texts]


def test_there_are_many_ways_to_be_refused() -> None:
    """Sixty are promised."""
    assert len(VECTORS) >= 60


@pytest.mark.parametrize(("reason", "text"), VECTORS)
def test_a_hostile_token_is_refused_for_what_it_is(reason: str, text: str) -> None:
    """And no key but from the registered address is asked for."""
    keys = Keys(jwk(elliptic()), jwk(rsa_key(), "k2"))
    assert verdict(text, register(keys)) == reason
    assert set(keys.asked) <= {JWKS_URL}


@pytest.mark.parametrize("header", ["", "Basic eDp5", "bearer", "Token " + token(), token(), "Bearer\t" + token()])
def test_another_scheme_is_no_token(header: str) -> None:
    """Only `Bearer` and one space."""
    assert verdict(header, scheme="") == "no-token"


def test_the_public_key_is_no_shared_secret() -> None:
    """A forger who signs by HMAC with the public key is refused, although PyJWT would not let us write such a token."""
    head, body = part({**GOOD, "alg": "HS384"}), part(claims())
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA384).sign(f"{head}.{body}".encode(), PEM)
    assert verdict(f"{head}.{body}.{part(signature)}") == "algorithm"


def test_a_token_opens_the_door_once() -> None:
    """The same `jti` is refused the second time; of another issuer it would be another token."""
    door, text = register(), token()
    assert verdict(text, door) == "admitted"
    assert verdict(text, door) == "replayed"


def test_a_refused_token_is_not_used_up() -> None:
    """A forger cannot spend the ids of others."""
    door, said = register(), claims(jti="one")
    assert verdict(token(said, key=elliptic("forger")), door) == "signature"
    assert verdict(token(said), door) == "admitted"


class Down:
    async def first_use(self, issuer: str, token_id: str, seconds: float) -> bool:  # noqa: ARG002
        raise ReplayDownError

    async def close(self) -> None:
        raise AssertionError


def test_without_its_memory_the_door_stays_shut() -> None:
    """What falls back, or not, is the memory's own matter."""
    assert verdict(token(), register(replay=Down())) == Reason.MEMORY_DOWN


def test_the_tenant_is_checked_where_the_site_names_tenants() -> None:
    """And does not matter where it does not."""
    door = register(client=Client(ISSUER, JWKS_URL, tenants=("north",)))
    assert verdict(token(claims(tenant="north")), door) == "admitted"
    assert {verdict(token(claims(tenant=tenant)), door) for tenant in (None, "south", "")} == {"tenant"}


def test_the_longest_life_is_the_clients() -> None:
    """Five minutes for one, fifteen for another."""
    strict = register(client=Client(ISSUER, JWKS_URL, longest_seconds=300))
    assert verdict(token(claims(iat=NOW, exp=NOW + 301)), strict) == "lives-too-long"
    assert verdict(token(claims(iat=NOW, exp=NOW + 300)), strict) == "admitted"


def test_keys_that_are_published_wrongly_are_not_used() -> None:
    """Private, short, for encryption, of another curve or algorithm, without an id; the good one beside them is."""
    small = jwk(rsa_key(1024), "small")
    wrong = [
        jwk(elliptic(), "private", d="AA"), small, jwk(elliptic(), "enc", use="enc"),
        jwk(elliptic(), "alg", alg="ES256"),
        jwk(ec.generate_private_key(ec.SECP256R1()), "curve"), jwk(elliptic(), "off", x="AA"), jwk(elliptic(), kid=7),  # type: ignore[arg-type]
        {"kid": "k", "kty": "oct", "k": "AA"}, {"kid": "empty", "kty": "EC", "crv": "P-384"}, {},
    ]  # fmt: skip
    door = register(Keys(*wrong, jwk(elliptic())))
    for kid in ("private", "enc", "alg", "curve", "off", "empty"):
        assert verdict(token(headers={"kid": kid}), door) == "key-unknown"
    assert ("small", "RS384") not in keys_of(json.dumps({"keys": [small]}).encode())
    assert verdict(token(), door) == "admitted"
