import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from service.ehr_settings import EhrClient
from service.errors import SettingsError
from service.fhir_settings import Backend, Basic, FhirServer
from service.quiet_settings import QuietRules
from service.settings import Settings, State

DOCS = Path(__file__).parents[3] / "docs" / "settings.md"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    return tmp_path / "site.toml"


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    (line,) = str(caught.value).splitlines()
    return line


PUBLIC = 'public_url = "https://service.example"\n'
CLIENT = '[[client]]\nissuer = "https://ehr.example"\njwks_url = "https://ehr.example/keys"\n'
TWIN = '[[client]]\nissuer = "https://b"\njwks_url = "https://b/keys"\nlabel = "client-1"\n'
FHIR = '[[fhir]]\nurl = "https://a"\n'
BACKEND = '[fhir.backend]\nclient_id = "a"\nkey_file = "/keys"\n'
BASIC = '[fhir.basic]\nuser = "a"\n'
LISTS: dict[str, type[BaseModel]] = {"fhir": FhirServer, "client": EhrClient}
TABLES: dict[str, type[BaseModel]] = {"backend": Backend, "basic": Basic}  # of an entry


def shown(default: object) -> str:
    """A default as TOML writes it."""
    if default is None:
        return ""
    if isinstance(default, Path):
        return "the shipped package"
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def rows(model: type[BaseModel], prefix: str = "") -> list[str]:
    """The table of docs/settings.md, from the settings themselves."""
    table: list[str] = []
    for name, field in model.model_fields.items():
        default: Any = field.get_default()
        if isinstance(default, BaseModel):
            table += rows(type(default), f"{prefix}{name}.")
            continue
        variable = "ONCOHOOKS_" + (prefix + name).upper().replace(".", "__")
        table.append(f"| `{prefix}{name}` | `{variable}` | {shown(default)} | {field.description} |")
        if name in LISTS:
            table += parts(f"[[{name}]]", LISTS[name])
    return table


def parts(name: str, model: type[BaseModel]) -> list[str]:
    """The rows of a table that can be set in site.toml only."""
    found: list[str] = []
    for key, part in model.model_fields.items():
        default = "" if part.is_required() else shown(part.default)
        found.append(f"| `{name} {key}` | | {default} | {part.description} |")
        if key in TABLES:
            found += parts(f"[{name.strip('[]')}.{key}]", TABLES[key])
    return found


def test_the_page_lists_every_setting_with_default_and_meaning() -> None:
    """docs/settings.md lists every setting, and no other."""
    page = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert page == rows(Settings), "docs/settings.md must hold:\n" + "\n".join(rows(Settings))


def test_a_token_is_required_unless_said_otherwise() -> None:
    """Without any setting, calls need a token, the clock is real, no server is called, no survival is shown."""
    settings = Settings.read()
    assert (settings.auth, settings.clock, settings.demonstration) == ("required", "now", False)
    assert (settings.fhir, settings.card.survival) == ((), "never")


def test_the_site_file_is_read(site: Path) -> None:
    """site.toml sets values, tables and lists of servers."""
    site.write_text(
        'auth = "off"\nclock = 2024-05-01\n[card]\nsurvival = "never"\n'
        '[[fhir]]\nurl = "HTTP://Fhir.Example:80/r4/"\ntimeout_seconds = 2\n[[fhir]]\nurl = "https://b"\n'
    )
    settings = Settings.read()
    assert [server.url for server in settings.fhir] == ["http://fhir.example/r4", "https://b"]
    assert settings.fhir[0].timeout_seconds == 2
    assert settings.clock == "2024-05-01"


def test_the_environment_wins_over_the_site_file(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONCOHOOKS_* overrides single values, two underscores a level, and an option of a command overrides both."""
    site.write_text('auth = "off"\nport = 1\nhost = "a"\n[limits]\nentries = 3\nfhir_pages = 4\n')
    monkeypatch.setenv("ONCOHOOKS_HOST", "b")
    monkeypatch.setenv("ONCOHOOKS_PORT", "2")
    monkeypatch.setenv("ONCOHOOKS_LIMITS__ENTRIES", "5")
    settings = Settings.read(port=3)
    assert (settings.host, settings.port) == ("b", 3)
    assert (settings.limits.entries, settings.limits.fhir_pages) == (5, 4)


def test_servers_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONCOHOOKS_FHIR is a comma-separated list of base addresses."""
    monkeypatch.setenv("ONCOHOOKS_FHIR", "http://a/fhir, https://b/r4/ ,")
    assert [server.url for server in Settings.read().fhir] == ["http://a/fhir", "https://b/r4"]


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("ONCOHOOKS_AUHT", "ONCOHOOKS_AUTH"),
        ("ONCOHOOKS_CLOKC__X", "ONCOHOOKS_CLOCK"),
        ("oncohooks_fihr", "ONCOHOOKS_FHIR"),
    ],
)
def test_an_unknown_name_in_the_environment_is_refused(name: str, likely: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt environment variable stops the start by its name, and with the one that is like it."""
    monkeypatch.setenv(name, "secret")
    line = refusal()
    assert line == f"{name}: there is no such setting; did you mean {likely}?"
    assert "secret" not in line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('auht = "off"', "auht: there is no such setting; did you mean auth?"),
        ("[cache]\nfresh_second = 1", "cache.fresh_second: there is no such setting; did you mean fresh_seconds?"),
        ("[card]\ncolour = 1", "card.colour: there is no such setting"),
        ("[card]\nsurvivl = 1", "card.survivl: there is no such setting"),
        ('[[fhir]]\nurl = "http://a"\nurk = 1', "fhir 1: urk: there is no such setting"),
        ('[[fhir]]\nurl = "http://a/r4"\n[[fhir]]\nurl = "http://A/r4/"', "fhir: two entries have the same url"),
        (
            CLIENT.replace("jwks_url", "jwks"),
            "client 1: jwks: there is no such setting",
        ),
        (CLIENT.replace("https://ehr.example/k", "http://ehr.example/k"), "client 1: jwks_url: must be https"),
        (CLIENT.replace("https://ehr.example/k", "https://u:pw@ehr.example/k"), "client 1: jwks_url: not of the form"),
        (CLIENT, "public_url: needed with [[client]]"),
        (PUBLIC + CLIENT + CLIENT, "client: two entries have the same issuer"),
        (PUBLIC + CLIENT + TWIN, "client: two entries have the same label"),
        (PUBLIC + CLIENT + 'label = "pw@a"\n', "client 1: label: String should match pattern"),
        (
            PUBLIC + CLIENT + 'dialect = "pw@"\n',
            "client 1: dialect: Input should be 'spec', 'sandbox', 'epic' or 'oracle'",
        ),
        (PUBLIC + CLIENT + 'links = ["http://u:pw@a"]\n', "client 1: links: not of the form"),
        (PUBLIC + CLIENT + "token_minutes = 61\n", "client 1: token_minutes: Input should be less than or equal to 60"),
        ('[state]\nredis = "http://pw@a"', "state.redis: must be redis://, rediss:// (TLS) or unix://"),
        ('[state]\nkey = "pw@short"', "state.key: must have at least 32 characters"),
        ("[feedback]\ndays = 0", "feedback.days: Input should be greater than or equal to 1"),
        ('[state]\nwhen_redis_is_down = "shrug"', "state.when_redis_is_down: Input should be 'process' or 'refuse'"),
        ("[quiet.snooze_days]\ndisagre = 3", "quiet.snooze_days: a key is neither an override reason of ours"),
        ('[quiet]\nroles = ["doctor"]', "quiet.roles.0: String should match pattern"),
        ('[restricted]\nlabels = ["restricted"]', "restricted.labels.0: String should match pattern"),
        ('[card]\nroles = "doctor"', "card.roles: must be a list"),
        ('[fhir]\nurl = "http://a"', "fhir: must be a list; a table of site.toml that may stand several times is"),
        ('auth = "of"', "auth: Input should be 'required' or 'off'"),
        ('[card]\nsurvival = "always"', "card.survival: Input should be 'never', 'page', 'detail' or 'summary'"),
        ('[[fhir]]\nurl = "ftp://a"', "fhir 1: url: not of the form https://host[:port]/path"),
        ('[[fhir]]\nurl = "http://user:pw@a/fhir"', "fhir 1: url: not of the form"),
        (FHIR + BACKEND + "kidd = 1", "fhir 1: backend.kidd: there is no such setting; did you mean kid?"),
        (FHIR + '[fhir.backend]\nclient_id = "a"', "fhir 1: backend.key_file: is needed"),
        (FHIR + BACKEND + 'token_url = "https://u:pw@a"', "fhir 1: backend.token_url: not of the form"),
        (FHIR + BACKEND + 'token_url = "http://a/token"', "fhir 1: credentials are sent: url and token_url must be"),
        (FHIR + BACKEND + 'scopes = ["pw@ a"]', "fhir 1: backend.scopes: each must be one scope"),
        (FHIR + BASIC + 'password = "pw@"\n' + BACKEND, "fhir 1: backend and basic: one of them at most"),
        (FHIR + BASIC, "fhir 1: basic: one of password, password_file and password_variable"),
        (FHIR + BASIC + 'password = "pw@"\npassword_file = "b"', "fhir 1: basic: one of password, password_file and"),
        ('clock = "yesterday"', "clock: neither now, latest, a date"),
        ('clock = "latest"', 'clock: anything but "now" needs auth = "off"'),
        ("demonstration = true", 'demonstration: needs auth = "off"'),
        ('dialect = "epic"', 'dialect: needs auth = "off"'),
        ("port = 70000", "port: Input should be less than or equal to 65535"),
        ("deadline_seconds = 0", "deadline_seconds: Input should be greater than 0"),
        ("auth = ", "site.toml: not TOML"),
    ],
)
def test_what_is_wrong_is_named_on_one_line(site: Path, content: str, expected: str) -> None:
    """A setting that cannot be used stops the start with its name, the reason, and without its value."""
    site.write_text(content)
    line = refusal()
    assert expected in line
    assert "pw@" not in line


@pytest.mark.parametrize(
    "name", ["ONCOHOOKS_QUIET__SNOOZE_DAYS", "ONCOHOOKS_CARD__ROLES", "ONCOHOOKS_LIMITS", "ONCOHOOKS_CLIENT"]
)
def test_a_list_in_the_environment_that_is_no_json_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named, not only the table that it belongs to, and without its value."""
    monkeypatch.setenv("ONCOHOOKS_CARD__SURVIVAL", "never")
    monkeypatch.setenv(name, "pw@")
    assert refusal() == f"{name}: lists and tables in the environment are JSON, and this is none"


def test_a_site_file_that_cannot_be_read_is_named(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address and the reason: it is no text, or not for this user."""
    site.write_bytes(b"\xff\xfe")
    assert refusal() == f"{site}: not UTF-8"

    def locked(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(site))

    monkeypatch.setattr(Path, "open", locked)
    assert refusal() == f"{site}: Permission denied"


def test_snooze_takes_reasons_of_others_as_they_are_kept(site: Path) -> None:
    """One of ours by its code, another by system and code; ours with its system would never be met."""
    site.write_text('[quiet.snooze_days]\ndisagree = 3\n"http://e|c1" = 7\n"|c2" = 1\n')
    assert Settings.read().quiet.snooze_days == {"disagree": 3, "http://e|c1": 7, "|c2": 1}
    site.write_text('[quiet.snooze_days]\n"urn:oncohooks:override-reason|disagree" = 3\n')
    assert "quiet.snooze_days" in refusal()


def test_several_faults_are_told_together(site: Path) -> None:
    """Every key at fault is named at once."""
    site.write_text('a = 1\nauth = "x"\n')
    assert {part.partition(":")[0] for part in refusal().split("; ")} == {"a", "auth"}


def test_a_site_folder_without_its_file_is_refused(site: Path) -> None:
    """A mistyped ONCOHOOKS_SITE is an error, not a service without settings."""
    assert refusal() == f"ONCOHOOKS_SITE: no file {site}"


def test_what_is_unsafe_is_said_at_the_start() -> None:
    """Auth off, a moved clock, demonstration, a door that nobody passes and one that forgets each have a warning."""
    assert [text.partition(":")[0] for text in Settings().warnings()] == ["no [[client]]"]
    ehr = EhrClient(issuer="a", jwks_url="https://a/k")
    one = Settings(client=(ehr,), public_url="https://b")
    assert [text.partition(":")[0] for text in one.warnings()] == [
        "used tokens and feedback are kept by this process alone"
    ]
    assert Settings(client=(ehr,), public_url="https://b", state=State(file=Path("f"))).warnings() == ()
    settings = Settings(auth="off", clock="latest", demonstration=True, quiet=QuietRules(shadow=True))
    said = [text.partition(" is ")[0] for text in settings.warnings()]
    assert said == ["auth", "clock", "demonstration", "quiet.shadow"]


@pytest.mark.parametrize(("seconds", "deadline", "told"), [(5.0, 0.45, False), (6.0, 0.45, True), (6.0, 6.0, False)])
def test_a_server_that_is_waited_for_longer_than_any_call_is_said_at_the_start(
    *, seconds: float, deadline: float, told: bool
) -> None:
    """Its silence would never be noticed: every call ends before."""
    server = FhirServer(url="https://a.example/r4", timeout_seconds=seconds)
    said = Settings(fhir=(server,), deadline_seconds=deadline).warnings()
    assert any("never answers is not left alone" in text for text in said) is told


def test_settings_cannot_be_changed() -> None:
    """Settings are frozen: what was read is what runs."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().auth = "off"


def test_several_hospitals_are_kept_apart() -> None:
    """With several clients and servers it is said at every start where a client may name every server."""
    servers = (FhirServer(url="https://a.example/r4"), FhirServer(url="https://b.example/r4"))

    def told(*lists: tuple[str, ...]) -> bool:
        clients = tuple(
            EhrClient(issuer=f"https://ehr{number}.example", jwks_url=f"https://ehr{number}.example/keys", fhir=one)
            for number, one in enumerate(lists)
        )
        settings = Settings(client=clients, fhir=servers, public_url="https://c", state=State(file=Path("f")))
        return any("may name every server" in text for text in settings.warnings())

    assert told((), ("https://b.example/r4",))
    assert not told(("https://a.example/r4/",), ("https://b.example/r4",))
    with pytest.raises(ValueError, match="must be the url of a"):
        told(("https://elsewhere.example",))
