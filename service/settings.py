"""The settings: site.toml in the folder `ONCOHOOKS_SITE`, single values overridden by `ONCOHOOKS_*`, read once.

docs/settings.md lists them all. A key that nothing reads is refused by name: a misspelt setting must not look set.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from service.cache_settings import Cache
from service.card_settings import Card
from service.clock import Moment
from service.ehr_settings import DialectName, EhrClient
from service.errors import SettingsError
from service.fhir.origin import Base
from service.fhir_settings import FhirServer, Seconds
from service.language.sentences import LanguageCode
from service.limits import Limits
from service.misspelt import meant
from service.quiet_settings import QuietRules, RestrictedRecords
from service.secret_files import open_to_others
from service.settings_faults import PREFIX, no_json, told

# read elsewhere: where the site folder is, where the tests find their data
_NOT_SETTINGS = frozenset({"ONCOHOOKS_SITE", "ONCOHOOKS_CORPUS"})
_SHIPPED = Path(__file__).parent.parent / "models" / "packages" / "pan-cancer"

Count = Annotated[int, Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class State(_Table):
    redis: SecretStr | None = Field(default=None, description="address of a Redis that all replicas share")
    file: Path | None = Field(
        default=None, description="SQLite file, where there is no Redis; else this process's memory"
    )
    when_redis_is_down: Literal["process", "refuse"] = Field(
        default="process",
        description="while Redis is down: `process`, each remembers used tokens alone; `refuse`, nobody is admitted",
    )

    key: SecretStr | None = Field(
        default=None,
        description="secret, at least 32 characters, that card uuids are made with; without one a random key is kept in"
        " Redis, the file or the process, and lost with it: equal cards then get other uuids",
    )

    @field_validator("key")
    @classmethod
    def _is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return key

    @field_validator("redis")
    @classmethod
    def _is_redis(cls, address: SecretStr | None) -> SecretStr | None:
        if address is not None and not address.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must be redis://, rediss:// (TLS) or unix://")
        return address


class FeedbackRules(_Table):
    days: int = Field(
        default=400, ge=1, le=3_650, description="how long feedback, and which cards were shown, are kept"
    )
    keep_comments: bool = Field(
        default=False, description="keep what clinicians type beside a reason; it may name the patient"
    )
    entries: Count = Field(default=1_000, description="most entries in one call")
    comment_characters: Count = Field(default=2_000, description="longest comment")
    body_bytes: Count = Field(default=2**20, description="largest body of feedback")


class Settings(BaseSettings):
    """Everything a site can set. Frozen; `read` is the way to get one."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="forbid", frozen=True
    )

    auth: Literal["required", "off"] = Field(
        default="required",
        description="who may call: `required` admits the clients of `[[client]]` by their tokens (the public addresses"
        " need none); `off` lets everyone call and is for test data",
    )
    clock: str = Field(
        default="now",
        description="moment of assessment: `now`, a date, an RFC 3339 time, or `latest` (newest Observation of the"
        ' record); anything but `now` needs `auth = "off"`',
    )
    demonstration: bool = Field(
        default=False,
        description="marks everything as demonstration and waives two conditions for a survival figure, recalibration"
        ' at this site and the reader\'s role; needs `auth = "off"`',
    )
    model: Path = Field(default=_SHIPPED, description="folder of the model package to serve")
    public_url: str | None = Field(
        default=None,
        description="address under which callers reach this service: tokens must be issued for it, and the card's link"
        " leads there (where it is missing, to the address they used)",
    )
    fhir: Annotated[tuple[FhirServer, ...], NoDecode] = Field(
        default=(), description="the site's FHIR servers; `ONCOHOOKS_FHIR` is a comma-separated list of addresses"
    )
    client: tuple[EhrClient, ...] = Field(default=(), description="the EHRs that may call")
    dialect: DialectName = Field(default="spec", description='dialect of all callers where `auth = "off"`')
    language: LanguageCode | None = Field(
        default=None,
        description="of the cards, `en` or `de`; where it is missing the caller's Accept-Language, else English",
    )
    deadline_seconds: Seconds = Field(
        default=0.45,
        description="time for reading one patient; what has not arrived by then is a gap, which the card names. Slow"
        " sandboxes need more",
    )
    hard_deadline_seconds: Seconds = Field(
        default=5.0,
        description="so long Patient and Condition are waited for, without which nothing can be said, and the rest is"
        " read on after the reply; never less than `deadline_seconds`",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("*",),
        description="web origins whose pages may call; `*` is all (cookies and other credentials never count);"
        " in the environment a comma-separated list",
    )
    cds_hooks_version: Literal["2.0", "3.0"] = Field(
        default="2.0",
        description="CDS Hooks that discovery speaks: with `3.0` each service says its version and that of its hook,"
        " and the laboratory's template reckons with dates, which a strict client of 2.0 does not know",
    )
    cds_hooks_max_results: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None,
        description="with CDS Hooks `3.0`, the templates of what is sorted by date ask for no more than the newest so"
        " many (`_maxresults`); an answer that holds as many counts as partial. Only where the clients' FHIR servers"
        " know the parameter: HAPI answers it with 400",
    )
    host: str = Field(default="127.0.0.1", description="address that `serve` listens on")
    port: int = Field(default=8000, ge=0, le=65_535, description="port that `serve` listens on; 0 takes a free one")
    log: Literal["plain", "json"] = Field(
        default="plain", description="form of the log lines on standard error, `plain` or `json`"
    )
    card: Card = Card()
    state: State = State()
    cache: Cache = Cache()
    feedback: FeedbackRules = FeedbackRules()
    quiet: QuietRules = QuietRules()
    restricted: RestrictedRecords = RestrictedRecords()
    limits: Limits = Limits()

    @field_validator("fhir", mode="before")
    @classmethod
    def _from_addresses(cls, value: object) -> object:
        return [{"url": url} for url in _listed(value)] if isinstance(value, str) else value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _from_origins(cls, value: object) -> object:
        return _listed(value) if isinstance(value, str) else value

    @field_validator("clock", mode="before")
    @classmethod
    def _is_a_moment(cls, value: object) -> str:
        return Moment.parse(str(value)).text  # TOML has dates of its own

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, text: str | None) -> str | None:
        return text and Base.parse(text).url

    @model_validator(mode="after")
    def _only_with_auth_off(self) -> Self:
        if self.auth != "off" and self.clock != "now":
            raise ValueError('clock: anything but "now" needs auth = "off", since it assesses patients at another time')
        if self.auth != "off" and self.demonstration:
            raise ValueError('demonstration: needs auth = "off", since it waives conditions meant for real patients')
        if self.auth != "off" and self.dialect != "spec":
            raise ValueError('dialect: needs auth = "off", since registered clients have one each in [[client]]')
        return self

    @model_validator(mode="after")
    def _only_with_later_text(self) -> Self:
        if self.cds_hooks_max_results and self.cds_hooks_version == "2.0":
            raise ValueError('cds_hooks_max_results: needs cds_hooks_version = "3.0", whose text has _maxresults')
        return self

    @model_validator(mode="after")
    def _clients_are_told_apart(self) -> Self:
        if self.client and self.auth == "required" and not self.public_url:
            raise ValueError("public_url: needed with [[client]], since a token is issued for one exact address")
        listed = {server.url for server in self.fhir}
        if len(listed) < len(self.fhir):
            raise ValueError("fhir: two entries have the same url")
        if any(address not in listed for client in self.client for address in client.fhir):
            raise ValueError("client.fhir: each must be the url of a [[fhir]]")
        if len({client.issuer for client in self.client}) < len(self.client):
            raise ValueError("client: two entries have the same issuer")
        if len(set(self.client_labels)) < len(self.client):
            raise ValueError("client: two entries have the same label")
        return self

    @property
    def client_labels(self) -> tuple[str, ...]:
        """What stands for each client in the meters."""
        return tuple(ehr.label or f"client-{number}" for number, ehr in enumerate(self.client, 1))

    @property
    def moment(self) -> Moment:
        return Moment.parse(self.clock)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = _site_file(os.environ)
        site = (TomlConfigSettingsSource(settings_cls, file),) if file else ()
        return (init_settings, env_settings, *site)

    @classmethod
    def read(cls, **overrides: Any) -> "Settings":
        """The settings of this process; `overrides` (a command's options) win over environment and site.toml.

        Raises SettingsError, in one line that names every key at fault and no value.
        """
        _refuse_unknown(os.environ)
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise SettingsError("; ".join(told(detail, cls) for detail in error.errors(include_input=False))) from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{_site_file(os.environ)}: not TOML: {error}") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{_site_file(os.environ)}: not UTF-8") from None
        except OSError as error:
            raise SettingsError(f"{error.filename}: {error.strerror}") from None
        except SourceError as error:
            raise SettingsError(no_json(os.environ, error)) from None

    def warnings(self) -> tuple[str, ...]:
        """What must be said at every start."""
        said = {
            "auth is off: everyone who reaches this address can call it; test data only": self.auth == "off",
            f"clock is {self.clock}: patients are not assessed at the present time": self.clock != "now",
            "demonstration is on: conditions meant for real patients are waived": self.demonstration,
            "no [[client]]: every call but those of the public addresses gets 401": self._admits_nobody,
            "quiet.shadow is on: cards are computed and kept, and none is shown": self.quiet.shadow,
            "credentials go to a FHIR server unencrypted: closed networks only": self._sends_in_clear,
            "several clients and several FHIR servers: without client.fhir each client may name every server": (
                self._mixes_hospitals
            ),
            "fhir.timeout_seconds is more than hard_deadline_seconds: a server that never answers is not left alone": (
                self._outwaits_silence
            ),
            "used tokens and feedback are kept by this process alone: set state.redis or state.file": self._forgets,
        }
        opened = open_to_others(self.fhir, self.state.file)
        return (
            *(text for text, holds in said.items() if holds),
            *(f"{setting}: everyone on this machine can read or change it (chmod o-rwx)" for setting in opened),
        )

    @property
    def _admits_nobody(self) -> bool:
        return self.auth == "required" and not self.client

    @property
    def _outwaits_silence(self) -> bool:
        longest = max(self.deadline_seconds, self.hard_deadline_seconds)
        return any(server.timeout_seconds > longest for server in self.fhir)

    @property
    def _sends_in_clear(self) -> bool:
        return any(server.sends_in_clear for server in self.fhir)

    @property
    def _mixes_hospitals(self) -> bool:
        return len(self.client) > 1 and len(self.fhir) > 1 and not all(client.fhir for client in self.client)

    @property
    def _forgets(self) -> bool:
        return self.auth == "required" and bool(self.client) and not (self.state.redis or self.state.file)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _site_file(environment: Mapping[str, str]) -> Path | None:
    folder = environment.get("ONCOHOOKS_SITE")
    if not folder:
        return None
    file = Path(folder) / "site.toml"
    if not file.is_file():
        raise SettingsError(f"ONCOHOOKS_SITE: no file {file}")
    return file


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    """The environment's unknown names; pydantic-settings would pass over them."""
    for name in environment:
        key = name.upper()
        if key.startswith(PREFIX) and key not in _NOT_SETTINGS:
            setting = key.removeprefix(PREFIX).split("__")[0].lower()
            if setting not in Settings.model_fields:
                known = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields]
                likely = meant(f"{PREFIX}{setting.upper()}", known)
                raise SettingsError(f"{name}: there is no such setting{likely}")
