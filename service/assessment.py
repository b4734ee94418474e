"""The assessment object, and how one comes about: encode, choose the setting, predict, explain. Pure, synchronous."""

from contextlib import nullcontext
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import VERSION, catalogue
from fhir_mappings.encoder import EncodedPatient, Stage, encode
from fhir_mappings.finding import Issue
from fhir_mappings.record import FOREIGN_PATIENT, PatientRecord, Retrieval
from fhir_mappings.setting import Setting, choose_setting
from fhir_mappings.timing import days_between, written
from models.package import Package
from models.position import Position
from models.setting import Network
from service.abstention import Abstained, Code, because, reason_to_abstain
from service.attribution import Factor, factors
from service.coverage import Coverage, coverage_of
from service.emergency.bedside_scores import BedsideScore, bedside_scores
from service.emergency.change import Change, Update
from service.emergency.key_inputs import KeyInputs, key_inputs
from service.emergency.next_input import NextInput, next_inputs
from service.gaps import may_hold_more
from service.interactions import Interaction, interactions
from service.language.sentences import ENGLISH
from service.notices import Notice, notices_of
from service.restricted import Barred
from service.site_queries import CONSENTS, FLAGS
from service.survival import NEVER, Scored, Showing, Withheld, survival_of, withheld

SCHEMA_VERSION = "1"
SUBSTITUTE = "substitute"  # reason of a setting whose network the package lacks
EMERGENCY = "emergency"  # reason of a setting that the call itself states


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A part of the assessment object: camelCase names, absent members left out."""


class ModelUsed(_Part, frozen=True):
    """`patients` is how many the network that scored was trained on; which one would have, is not said."""

    name: str
    version: str
    digest: str
    patients: int = 0


class MappingUsed(_Part, frozen=True):
    version: str
    digest: str
    site: str = ""


class Entity(_Part, frozen=True):
    key: str
    label: str


class SettingUsed(_Part, frozen=True):
    key: str
    rule: str
    text: str
    time_zero: str = ""
    reason: str = ""


class PositionShown(_Part, frozen=True):
    percentile: int
    low: int
    high: int
    group: str
    patients: int
    parameters: int
    category: str


class SurvivalShown(_Part, frozen=True):
    """`days` from the moment of assessment; low <= probability <= high."""

    days: int
    probability: float
    low: float
    high: float


class SurvivalBasis(_Part, frozen=True):
    """How many training patients of the entity stand behind it, and the cohort whose course over time it follows.

    `since`: days from time zero to the moment of assessment; it is given that the patient has reached it.
    """

    patients: int
    cohort: str
    since: int


class Applicability(_Part, frozen=True):
    out_of_range: tuple[str, ...] = ()
    distance_quantile: float | None = None


class Assessment(_Part, frozen=True):
    """One patient at one moment: scored with an explanation, or abstained with the reason (CONTRACTS: assessment).

    `key_inputs`, `next_most_informative` and `scores` are those of a scored emergency.
    """

    schema_version: str = msgspec.field(default="")
    status: Literal["scored", "abstained", ""] = ""
    abstained: Abstained | None = None
    patient: str = ""
    assessed_at: str = ""
    model: ModelUsed | None = None
    mapping: MappingUsed | None = None
    entity: Entity | None = None
    setting: SettingUsed | None = None
    position: PositionShown | None = None
    risk_score: float | None = None
    survival: tuple[SurvivalShown, ...] = ()
    interval_level: float | None = None
    survival_basis: SurvivalBasis | None = None
    survival_withheld: Withheld | None = None
    coverage: Coverage | None = None
    attribution: tuple[Factor, ...] = ()
    reference: float | None = None
    interactions: tuple[Interaction, ...] = ()
    next_most_informative: tuple[NextInput, ...] = ()
    key_inputs: KeyInputs | None = None
    notices: tuple[Notice, ...] = ()
    applicability: Applicability | None = None
    scores: tuple[BedsideScore, ...] = ()
    retrieval: tuple[Retrieval, ...] = ()
    issues: tuple[Issue, ...] = ()
    changed_by: tuple[Change, ...] = ()
    update: Update | None = None

    @property
    def is_of_another(self) -> bool:
        """Whether data of another patient were delivered, so that nothing was scored."""
        return self.abstained is not None and self.abstained.code == FOREIGN_PATIENT

    @property
    def is_emergency(self) -> bool:
        """Whether an emergency was scored: what is asked for next and the scores of the bedside stand beside it."""
        return self.key_inputs is not None


def assess(
    record: PatientRecord,
    at: datetime,
    package: Package,
    notices: tuple[Notice, ...] = (),
    stage: Stage = lambda _: nullcontext(),
    *,
    barred: Barred | None = None,
    showing: Showing = NEVER,
    with_interactions: bool = False,
    emergency: bool = False,
) -> Assessment:
    """Score one record at one moment, or say why not. No network, no clock: `at` is the moment of assessment.

    Of a `barred` record nothing is said but why, or that data of another patient came. `showing`: what is allowed of
    survival. Interactions are computed where they are asked for. In an `emergency` the network `acute` ranks whatever
    the record says of the stay, and no survival is given, whatever is allowed.
    `stage` is entered for each stage of the work (telemetry). Raises SchemaMismatchError where the package was trained
    on another parameter list.
    """
    schema = catalogue().schema
    encoded = encode(record, schema, at, stage, emergency=emergency)
    setting = choose_setting(encoded, at, package.manifest.serving, emergency=emergency)
    network = package.network(setting.network)
    common = _common(record, encoded, at, package, network, notices)
    if barred:
        return _barred(common, "foreign-patient" if encoded.foreign else barred, notices)
    abstained = reason_to_abstain(encoded, network, package)
    if abstained is not None:
        return msgspec.structs.replace(common, status="abstained", abstained=abstained)
    scored = _scored(common, encoded, setting, package, at, showing, stage, with_interactions=with_interactions)
    return _of_emergency(scored, encoded, network, at) if emergency and scored.status == "scored" else scored


def _of_emergency(scored: Assessment, encoded: EncodedPatient, network: Network, at: datetime) -> Assessment:
    """What stands beside the score of an emergency; never a survival figure."""
    setting, index = scored.setting, encoded.tumours.index
    if setting is not None and setting.rule == "A":
        setting = msgspec.structs.replace(setting, reason=EMERGENCY, text=ENGLISH.settings[EMERGENCY])
    return msgspec.structs.replace(
        scored,
        setting=setting,
        survival=(),
        interval_level=None,
        survival_basis=None,
        survival_withheld=withheld("acute"),
        next_most_informative=next_inputs(encoded, network, index.entity if index else None),
        key_inputs=key_inputs(encoded),
        scores=bedside_scores(encoded, at),
    )


def _common(
    record: PatientRecord, encoded: EncodedPatient, at: datetime, package: Package, network: Network,
    notices: tuple[Notice, ...],
) -> Assessment:  # fmt: skip
    """What every assessment says, scored or not."""
    index = encoded.tumours.index
    source = catalogue()
    known = notices_of(encoded, network, is_whole=not may_hold_more(record.retrieval)) if index else ()
    return Assessment(
        schema_version=SCHEMA_VERSION,
        patient=f"Patient/{record.patient_id}",
        assessed_at=written(at),
        model=ModelUsed(package.name, package.version, package.digest),
        mapping=MappingUsed(VERSION, source.digest, source.site.digest),
        entity=Entity(index.entity, source.schema[index.entity].label_en) if index else None,
        coverage=None if encoded.foreign else coverage_of(encoded.findings, network),
        notices=(*notices, *(() if encoded.foreign else known)),
        retrieval=record.retrieval,
        issues=encoded.issues,
    )


def _barred(common: Assessment, why: Code, notices: tuple[Notice, ...]) -> Assessment:
    """What is said of a record that is not assessed: neither what is in it nor how much.

    Where an objection is not known, what became of the queries for one; which resources are another patient's.
    """
    objections = {FLAGS.key, CONSENTS.key} if why == "objection-unknown" else set()
    return Assessment(
        schema_version=common.schema_version,
        status="abstained",
        abstained=because(why),
        patient=common.patient,
        assessed_at=common.assessed_at,
        model=common.model,
        mapping=common.mapping,
        notices=notices,
        retrieval=tuple(line for line in common.retrieval if line.key in objections),
        issues=tuple(issue for issue in common.issues if issue.code == FOREIGN_PATIENT),
    )


def _scored(
    common: Assessment, encoded: EncodedPatient, setting: Setting, package: Package, at: datetime, showing: Showing,
    stage: Stage, *, with_interactions: bool,
) -> Assessment:  # fmt: skip
    network, rule = package.network(setting.network), package.manifest.serving
    entity = encoded.tumours.index.entity if encoded.tumours.index else None
    with stage("predict"):
        prognosis = network.predict(encoded.vector)
    if network.is_unusual(prognosis.distance):
        return msgspec.structs.replace(common, status="abstained", abstained=because("unusual"))
    with stage("explain"):
        attribution = network.explain(encoded.vector)
        shown = factors(encoded, attribution, network, entity)
        pairs = interactions(encoded.vector, attribution, network, entity) if with_interactions else ()
        position = network.position(attribution, encoded.vector, entity, prognosis.members)
    outside = network.out_of_range(encoded.vector)
    scored = Scored(encoded, setting, network, prognosis, attribution, shown, rule, common.retrieval)
    return msgspec.structs.replace(
        common,
        status="scored",
        model=msgspec.structs.replace(common.model, patients=_patients(network)) if common.model else None,
        setting=_setting_used(setting, network),
        position=_position(position),
        risk_score=round(float(attribution.risk), 7),
        **_survival(scored, at, showing),
        attribution=shown,
        reference=round(sum(factor.typical for factor in shown), 7),
        interactions=pairs,
        applicability=_applicability(outside, network.distance_quantile(prognosis.distance)),
    )


def _survival(scored: Scored, at: datetime, showing: Showing) -> dict[str, object]:
    """The members of the assessment on survival: the figures and what they rest on, or the reason why there is none."""
    found = survival_of(scored, at, showing)
    if isinstance(found, Withheld):
        return {"survival_withheld": found}
    network, index, zero = scored.network, scored.encoded.tumours.index, scored.setting.time_zero
    return {
        "survival": tuple(
            SurvivalShown(one.days, *(round(p, 4) for p in (one.probability, one.low, one.high))) for one in found
        ),
        "interval_level": network.manifest.interval_level,
        "survival_basis": SurvivalBasis(
            patients=network.entity_patients(index.entity) if index else 0,
            cohort=network.manifest.anchor,
            since=round(max(0.0, days_between(zero, at))) if zero else 0,
        ),
    }


def _applicability(outside: tuple[str, ...], quantile: float | None) -> Applicability | None:
    if not outside and quantile is None:
        return None
    return Applicability(outside, None if quantile is None else round(quantile, 3))


def _setting_used(setting: Setting, network: Network) -> SettingUsed:
    """As chosen; a network that stands in for one that the package lacks is as in rule D."""
    if network.setting != setting.network:
        return SettingUsed(network.setting, "D", ENGLISH.settings[SUBSTITUTE], reason=SUBSTITUTE)
    zero = written(setting.time_zero) if setting.time_zero else ""
    return SettingUsed(network.setting, setting.rule, ENGLISH.settings[setting.reason], zero, setting.reason)


def _patients(network: Network) -> int:
    return sum(cohort.patients for cohort in network.manifest.cohorts)


def _position(position: Position) -> PositionShown:
    return PositionShown(
        percentile=position.percentile,
        low=position.low,
        high=position.high,
        group=position.group,
        patients=position.patients,
        parameters=position.parameters,
        category=position.category,
    )
