"""What has to be said beside a result: how the service runs, and what the inputs lack."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient
from models.setting import Network
from service.attribution import most_telling
from service.gaps import Earlier
from service.labels import listed, query_names
from service.language.sentences import ENGLISH, Language
from service.wording import seconds_text

Code = Literal[
    "demonstration", "synthetic", "clock", "stale", "cached", "preliminary", "not-recorded", "not-found",
    "untrained", "ridge", "type-not-used", "incomplete", "encounter-unknown",
]  # fmt: skip
# on how the service runs, and that a server failed: they stand first on a card, the others with what is not known
RUNNING = frozenset({"demonstration", "synthetic", "clock", "stale"})
ABSENT = frozenset({"not-recorded", "not-found"})  # the inputs that are missing, in a record that is whole or not
CACHED = "cached"  # what was read a moment ago: said at the end
_KEPT = 6  # parameters that a notice names by their keys, at most


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code with its English text.

    `features` are the first of the `count` parameters that it speaks of, `queries` the queries (none: all of them) that
    were read at `as_of`, `seconds` ago; with them `notice_text` says it in any language.
    """

    code: str
    text: str
    features: tuple[str, ...] = ()
    count: int = 0
    queries: tuple[str, ...] = ()
    as_of: str = ""
    seconds: int = 0


def notices_of(encoded: EncodedPatient, network: Network, *, is_whole: bool) -> tuple[Notice, ...]:
    """Preliminary values, missing inputs (those that tell most first), values without weights here.

    Of a record that `is_whole` they are not recorded; else they were not found, and may be in what was not read.
    """
    known = encoded.findings
    preliminary = [key for key, finding in known.items() if "preliminary" in finding.flags]
    # a disease that is absent is no loss to the model; what is present, or measured, may be
    trained, by_key = network.trained, catalogue().schema.by_key
    untrained = [
        key for key, finding in known.items()
        if key not in trained and finding.value != 0 and not by_key[key].is_entity
    ]  # fmt: skip
    index = encoded.tumours.index
    missing = [key for key in most_telling(network, index.entity if index else None) if key not in known]
    absent: Code = "not-recorded" if is_whole else "not-found"
    said: tuple[tuple[Code, list[str]], ...]
    said = (("preliminary", preliminary), (absent, missing), ("untrained", untrained))
    found = [notice(code, keys) for code, keys in said if keys]
    return (*found, *_of_network(network, index.entity if index else ""))


def _of_network(network: Network, entity: str) -> tuple[Notice, ...]:
    """That it is linear, as it did not rank better than its ridge; that it does not know the type of tumour."""
    linear = (notice("ridge"),) if network.manifest.form == "ridge" else ()
    unknown_type = (notice("type-not-used", [entity]),) if entity and entity not in network.trained else ()
    return (*linear, *unknown_type)


def notice(code: Code, features: Sequence[str] = (), at: datetime | None = None) -> Notice:
    """`at` is the moment of assessment, where the notice is on that."""
    unsaid = Notice(code, "", tuple(features[:_KEPT]), len(features))
    return msgspec.structs.replace(unsaid, text=notice_text(unsaid, at, ENGLISH))


def earlier_notice(code: Literal["stale", "cached"], earlier: Earlier) -> Notice:
    """That answers of an earlier call were used."""
    unsaid = Notice(code, "", queries=earlier.keys, as_of=earlier.read_at, seconds=earlier.seconds)
    return msgspec.structs.replace(unsaid, text=notice_text(unsaid, None, ENGLISH))


def notice_text(notice: Notice, at: datetime | None, language: Language) -> str:
    """What it says in a language; its own text where the code is none of ours."""
    said = language.notices.get(notice.code)
    if said is None:
        return notice.text
    if notice.as_of:
        moment = datetime.fromisoformat(notice.as_of).astimezone(UTC).strftime(language.numbers.moment)
        queries = query_names(notice.queries, language) or language.say("whole-record")
        return said.format(names=queries, moment=moment, age=seconds_text(notice.seconds, language))
    date = at.strftime(language.numbers.date) if at else ""
    return said.format(names=listed(notice.features, notice.count, language), date=date)
