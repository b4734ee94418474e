import httpx
import pytest

from service.fhir.searching import Searching, SearchMethod

SHORT = httpx.URL("https://fhir.example/r4/Observation?patient=1")
LONG = httpx.URL(f"https://fhir.example/r4/Observation?patient=1&code={'718-7,' * 400}")
READ = httpx.URL("https://fhir.example/r4/Patient/1")


@pytest.mark.parametrize(
    ("method", "expected"), [("get", (False, False)), ("post", (True, True)), ("auto", (False, True))]
)
def test_a_setting_decides(method: SearchMethod, expected: tuple[bool, bool]) -> None:
    """Always the one, always the other, or by the length of the address; what is no search is always GET."""
    searching = Searching(method)
    assert (searching.by_post(SHORT), searching.by_post(LONG)) == expected
    assert not searching.by_post(READ)


@pytest.mark.parametrize("status", [405, 414, 431])
def test_a_refused_get_is_remembered(status: int) -> None:
    """After the server has once refused the method or the length, all searches are POST."""
    searching = Searching()
    assert searching.turns(SHORT, status, by_post=False)
    assert searching.by_post(SHORT)


@pytest.mark.parametrize("status", [405, 415, 501])
def test_a_refused_post_is_remembered(status: int) -> None:
    """A server that has no POST search gets long addresses."""
    searching = Searching()
    assert searching.turns(LONG, status, by_post=True)
    assert not searching.by_post(LONG)


def test_a_server_that_refuses_both_is_not_asked_in_turns() -> None:
    """The other way is tried once; then the length decides again."""
    searching = Searching()
    assert searching.turns(SHORT, 405, by_post=False)
    assert not searching.turns(SHORT, 405, by_post=True)
    assert not searching.turns(SHORT, 405, by_post=False)
    assert (searching.by_post(SHORT), searching.by_post(LONG)) == (False, True)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_other_refusals_say_nothing_of_the_method(status: int) -> None:
    """They are told to the caller."""
    assert not Searching().turns(SHORT, status, by_post=False)
    assert not Searching().turns(LONG, status, by_post=True)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_setting_is_not_changed_by_refusals(method: SearchMethod) -> None:
    """Who has set one way gets no other."""
    searching = Searching(method)
    assert not searching.turns(SHORT, 405, by_post=method == "post")
    assert not Searching().turns(READ, 405, by_post=False)
