"""Whether a survival figure is given: the figure, or the reason why not. Pure: no store, no clock.

A figure is the exception. Anyone who opens a chart sees the card, nobody asked, and a low figure can help to cause the
death that it predicts; a figure that is wrong for this patient does so without even being true. Every condition of the
clinical review is a reason of its own here; the first that holds is named. `demonstration` waives two: recalibration at
this site and the reader's role.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.record import Retrieval
from fhir_mappings.setting import Setting
from fhir_mappings.timing import days_between
from models.manifest import ServingRule
from models.predictor import Attribution, Prognosis
from models.setting import Network
from models.survival import BeyondFollowUpError, SurvivalAt
from service.attribution import Factor, most_telling
from service.card_settings import Where
from service.gaps import forbids_survival
from service.language.sentences import ENGLISH, Language

ReaderIs = Literal["treating", "other", "unknown", "operator"]
Code = Literal[
    "switched-off", "page-only", "reader-unknown", "reader-other", "not-recalibrated", "acute", "other-point-of-course",
    "substitute-network", "incomplete", "age-missing", "entity-missing", "extent-missing", "few-deaths", "pregnancy",
    "end-of-life-care", "out-of-range", "unit-doubtful", "laboratory-old", "horizon-unsupported",
]  # fmt: skip

SHOWN_HORIZONS = 2
_FIRST_CHOICE = 365  # days
_LEADING = 10  # inputs that the card may name, both ways
_AGE = "demo_age_at_baseline"
_EXTENT = ("stage_uicc_stage", "stage_m1")
_UNIT_ISSUES = frozenset({"unit-missing", "unit-unknown", "unit-conflict", "implausible"})


class Showing(msgspec.Struct, frozen=True):
    """What this site and this call allow. `site`: the name under which a package was recalibrated here."""

    where: Where = "never"
    reader: ReaderIs = "unknown"
    site: str = ""
    demonstration: bool = False


NEVER = Showing()


class Withheld(msgspec.Struct, frozen=True):
    """Why there is no figure, in English; `withheld_text` says it in any language."""

    code: str
    text: str


class Scored(msgspec.Struct, frozen=True):
    """A patient with what the network said; `factors` in the order of their weight, `rule` that of the package.

    `ledger`: what became of the queries.
    """

    encoded: EncodedPatient
    setting: Setting
    network: Network
    prognosis: Prognosis
    attribution: Attribution
    factors: tuple[Factor, ...]
    rule: ServingRule = ServingRule()
    ledger: tuple[Retrieval, ...] = ()


def survival_of(scored: Scored, at: datetime, showing: Showing) -> tuple[SurvivalAt, ...] | Withheld:
    """One or two horizons after `at`, or the first reason that speaks against a figure."""
    policy = _policy(scored.network, showing)
    reason = policy or _patient(scored) or _values(scored, at)
    if reason is not None:
        return withheld(reason)
    figures = _figures(scored, at)
    return figures or withheld("horizon-unsupported")


def withheld(code: Code) -> Withheld:
    return Withheld(code, ENGLISH.withheld[code])


def withheld_text(code: str, text: str, language: Language) -> str:
    """The reason in a language; its own text where the code is none of ours."""
    return language.withheld.get(code, text)


def _first(holds: Mapping[Code, bool]) -> Code | None:
    return next((code for code, is_so in holds.items() if is_so), None)


def _policy(network: Network, showing: Showing) -> Code | None:
    """What the site allows, and who asks. By command line a person asked, so neither page nor role matters."""
    asked = showing.reader == "operator"
    waived = asked or showing.demonstration
    recalibrated = showing.site != "" and showing.site in network.manifest.recalibrated
    return _first(
        {
            "switched-off": showing.where == "never",
            "page-only": showing.where == "page" and not asked,
            "reader-unknown": showing.reader == "unknown" and not waived,
            "reader-other": showing.reader == "other" and not waived,
            "not-recalibrated": not (recalibrated or showing.demonstration),
        }
    )


def _patient(scored: Scored) -> Code | None:
    """Who the patient is and where in the course: whether there is a curve for such patients."""
    encoded, setting, network = scored.encoded, scored.setting, scored.network
    entity = encoded.tumours.index.entity if encoded.tumours.index else ""
    return _first(
        {
            "acute": setting.rule == "A",
            "other-point-of-course": setting.rule == "D" or setting.time_zero is None,
            "substitute-network": setting.network != network.setting,
            "incomplete": forbids_survival(scored.ledger),
            "age-missing": _AGE not in encoded.findings,
            "entity-missing": entity not in network.trained,
            "extent-missing": encoded.findings.keys().isdisjoint(_EXTENT),
            "few-deaths": network.entity_deaths(entity) < scored.rule.fewest_deaths,
            "pregnancy": "pregnancy" in encoded.circumstances,
            "end-of-life-care": "end-of-life-care" in encoded.circumstances,
        }
    )


def _values(scored: Scored, at: datetime) -> Code | None:
    """Whether the values can carry a figure."""
    leading = _leading(scored)
    doubtful = {
        issue.diagnostics.partition(":")[0] for issue in scored.encoded.issues if issue.code in _UNIT_ISSUES
    }  # fmt: skip
    return _first(
        {
            "out-of-range": not leading.isdisjoint(scored.network.out_of_range(scored.encoded.vector)),
            "unit-doubtful": not leading.isdisjoint(doubtful),
            "laboratory-old": _laboratory_days(scored.encoded, at) > scored.rule.laboratory_days,
        }
    )


def _leading(scored: Scored) -> frozenset[str]:
    """The inputs that moved this patient most, and those that move such patients most, known or not."""
    index = scored.encoded.tumours.index
    usual = most_telling(scored.network, index.entity if index else None)
    return frozenset([factor.feature for factor in scored.factors[:_LEADING]]) | frozenset(usual[:_LEADING])


def _laboratory_days(encoded: EncodedPatient, at: datetime) -> float:
    """The age of the newest laboratory value; infinite where there is none."""
    schema = catalogue().schema
    taken = (
        finding.effective for key, finding in encoded.findings.items() if schema[key].modality == "laboratory"
    )  # fmt: skip
    return min((max(0.0, days_between(when, at)) for when in taken if when is not None), default=float("inf"))


def _figures(scored: Scored, at: datetime) -> tuple[SurvivalAt, ...]:
    """At the horizons, counted from `at`, that the entity and the follow-up support."""
    setting, encoded, index = scored.setting, scored.encoded, scored.encoded.tumours.index
    if setting.time_zero is None or index is None:
        return ()
    since = max(0.0, days_between(setting.time_zero, at))
    longest = scored.rule.metastatic_days if setting.rule == "B" else float("inf")
    found: list[SurvivalAt] = []
    for days in sorted(scored.network.horizons(index.entity)):
        try:
            figure = scored.network.survival(
                scored.attribution, encoded.vector, index.entity, scored.prognosis.members, days, since
            )
        except BeyondFollowUpError:
            continue
        if since + days <= longest:
            found.append(figure)
    return _chosen(found)


def _chosen(found: list[SurvivalAt]) -> tuple[SurvivalAt, ...]:
    """A year, or else the longest before it, and what comes after."""
    up_to_a_year = [one for one in found if one.days <= _FIRST_CHOICE][-1:]
    longer = [one for one in found if one.days > _FIRST_CHOICE]
    return tuple([*up_to_a_year, *longer][:SHOWN_HORIZONS])
