import pytest

from service.fhir.origin import Base, NotABaseError

HAPI = Base.parse("http://fhir.example:8080/fhir")


@pytest.mark.parametrize(
    "text",
    ["https://fhir.example/r4", "HTTPS://FHIR.example/r4/", "https://fhir.example:443/r4"],
)
def test_spellings_of_one_base_are_one(text: str) -> None:
    """Case of scheme and host, the default port and a slash at the end make no difference."""
    assert Base.parse(text) == Base("https", "fhir.example", 443, "/r4/")
    assert Base.parse(text).url == "https://fhir.example/r4"


@pytest.mark.parametrize("text", ["http://127.0.0.1:8080/fhir", "http://[::1]:80/x", "https://a", "http://a-b.c/R4/_x"])
def test_bases_are_read(text: str) -> None:
    """Names, addresses, ports and paths of real servers are bases."""
    assert Base.parse(Base.parse(text).url) == Base.parse(text)


def test_the_path_keeps_its_case() -> None:
    """Paths differ by case, hosts do not."""
    assert Base.parse("http://a/FHIR") != Base.parse("http://a/fhir")


@pytest.mark.parametrize(
    "text",
    [
        "", "fhir.example", "//fhir.example/r4", "ftp://a/", "file:///etc/passwd", "javascript:alert(1)", "http://", "http:///a",
        "http://user@a/", "http://user:pw@a/", "http://a@b/", "http://a/r4?x=1", "http://a/r4#x", "http://a\\@b/",
        "http://a/r4\\..", "http://a/../b", "http://a/./b", "http://a/b/..", "http://a//b", "http://a/%2e%2e/b",
        "http://a/r%204", "http://a b/", "http://a/\n", "http://a/\x00", "http://ａ.example/", "http://①②⑦.⓪.⓪.①/",
        "http://a:0/", "http://a:65536/", "http://a:x/", "http://a:/", "http://-a/", "http://a.:80/", "http://[::1/", " http://a/",
        "http://a/ü", "http:/a/", "http:a", "http://a;b/", "http://a,b/",
    ],
)  # fmt: skip
def test_what_is_no_plain_base_is_refused(text: str) -> None:
    """User, query, fragment, backslash, escape, dot or empty segment, control or foreign character: no base."""
    with pytest.raises(NotABaseError):
        Base.parse(text)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("http://fhir.example:8080/fhir?_getpages=1&x=a%20b|c", None),
        ("http://FHIR.example:8080/fhir/Observation?page=2", None),
        ("/fhir/Observation?page=2", "http://fhir.example:8080/fhir/Observation?page=2"),
        ("Observation?page=http://a", "http://fhir.example:8080/fhir/Observation?page=http://a"),
        ("?_getpages=1", "http://fhir.example:8080/fhir/?_getpages=1"),
        ("Patient/1", "http://fhir.example:8080/fhir/Patient/1"),
    ],
)
def test_links_within_the_base_are_followed(link: str, expected: str | None) -> None:
    """A link of the server itself is followed verbatim, a relative one from the base."""
    assert HAPI.resolve(link) == (expected or link)


@pytest.mark.parametrize(
    "link",
    [
        "https://fhir.example:8080/fhir?x", "http://fhir.example/fhir?x", "http://fhir.example:8081/fhir?x",
        "http://fhir.example:8080/fhir2?x", "http://fhir.example:8080/?x", "http://fhir.example:8080/other/fhir?x",
        "http://fhir.example:8080.attacker.example/fhir?x", "http://fhir.example:8080@attacker.example/fhir?x",
        "http://attacker.example/fhir?x=http://fhir.example:8080/fhir", "http://fhir.example.:8080/fhir?x",
        "http://fhir.example:8080/fhir/../admin?x", "http://fhir.example:8080/fhir/%2e%2e/admin?x",
        "http://fhir.example:8080/fhir/..%2fadmin", "http://fhir.example:8080/fhir\\..\\admin",
        "//attacker.example/fhir",
        "/\\attacker.example/fhir", "\\\\attacker.example/fhir", "http://fhir.example:8080/fhir?x#y",
        "http://fhir.example:8080/fhir?x y", "http://fhir.example:8080/fhir?x\r\nHost: a", "../admin", "/admin",
        "javascript:x/../y",
        "http://attacker.example", "HTTP:\\\\attacker.example/fhir", "http://fhir.example:8080/fhir/ü",
    ],
)  # fmt: skip
def test_links_that_lead_elsewhere_are_not(link: str) -> None:
    """Another scheme, host, port or path, or what parsers could read as one, is foreign."""
    assert HAPI.resolve(link) is None
