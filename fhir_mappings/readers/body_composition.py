"""Body composition of one CT -> tissue ratios, with the ImagingStudy it was derived from as a source.

The profile of Body and Organ Analysis (UMEssen/BOA-Profiles): one Observation per cavity, tissue volumes in millilitres
as components, `derivedFrom` the ImagingStudy. Its coding systems are value set addresses by fault of the profile.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from fhir_mappings.concepts import SNOMED
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.usable import MARKS, STATUS_RANK, effective, unusable
from fhir_mappings.record import Resolve
from fhir_mappings.resources.r4 import ImagingStudy, Observation
from fhir_mappings.timing import instant
from models.features import FeatureSchema

TISSUES = "https://uk-essen.de/fhir/ValueSet/boa/tissues"
_BOA = "https://uk-essen.de/fhir/ValueSet/boa/"
_TISSUE = {
    "91727004": "muscle",
    "3138006": "bone",
    "imat": "imat",
    "tat": "tat",
    "sat": "sat",
    "67769002": "sat",
    "RID50365": "vat",
}
_CAVITY = {"361473009": "abdominal", "43799004": "thoracic"}
DICOM_CT = "CT"


class Ratio(NamedTuple):
    key: str
    cavity: str
    over: str
    under: str


RATIOS = (
    Ratio("bca_abdominal_muscle_bone_ratio", "abdominal", "muscle", "bone"),
    Ratio("bca_abdominal_imat_muscle_ratio", "abdominal", "imat", "muscle"),
    Ratio("bca_abdominal_tat_bone_ratio", "abdominal", "tat", "bone"),
    Ratio("bca_vat_sat_ratio", "abdominal", "vat", "sat"),
    Ratio("bca_thoracic_muscle_bone_ratio", "thoracic", "muscle", "bone"),
    Ratio("bca_thoracic_imat_muscle_ratio", "thoracic", "imat", "muscle"),
    Ratio("bca_thoracic_tat_bone_ratio", "thoracic", "tat", "bone"),
)


def is_body_composition(observation: Observation) -> bool:
    return any(coding.system == TISSUES for part in observation.component for coding in part.code.coding)


def read_body_composition(
    observations: Iterable[Observation],
    studies: Iterable[ImagingStudy],
    schema: FeatureSchema,
    at: datetime,
    address_of: Resolve,
) -> Reading:
    """Ratios of tissue volumes, dated by the study where it is known, never averaged over studies.

    An issue instead where the study is not a CT, the cavity is not named, or a volume is missing.
    """
    by_address = {study.address: study for study in studies}
    reading = Reading()
    for observation in observations:
        issue = unusable(observation, effective(observation, at), at)
        if issue is not None:
            reading.issues.append(issue)
            continue
        named = [address_of(source.reference) for source in (*observation.derivedFrom, *observation.partOf)]
        study = next((by_address[name] for name in named if name in by_address), None)
        reading.add(_read_one(observation, study, schema, at))
    return reading


def _read_one(observation: Observation, study: ImagingStudy | None, schema: FeatureSchema, at: datetime) -> Reading:
    if study is not None and (reason := _study_unusable(study, at)):
        return Reading(issues=[Issue("warning", "imaging-not-used", reason, observation.address)])
    cavity = _cavity(observation)
    if cavity is None:
        return Reading(issues=[Issue("warning", "region-unknown", "names no body cavity", observation.address)])
    volumes = _volumes(observation)
    when = (instant(study.started, at) if study else None) or effective(observation, at)
    sources = (observation.address, study.address) if study else (observation.address,)
    reading = Reading()
    for ratio in RATIOS:
        if ratio.cavity != cavity or ratio.over not in volumes or ratio.under not in volumes:
            continue
        value = volumes[ratio.over] / volumes[ratio.under]
        if not schema[ratio.key].plausible(value):
            text = f"{ratio.key}: outside {schema[ratio.key].low:g} to {schema[ratio.key].high:g}"
            reading.issues.append(Issue("warning", "implausible", text, observation.address))
            continue
        rule = f"{ratio.over} / {ratio.under}, {cavity} cavity"
        rank, flags = STATUS_RANK[observation.status], MARKS.get(observation.status, ())
        reading.findings.append(Finding(ratio.key, value, "1", when, sources, rule, rank, flags))
    if not reading.findings and not reading.issues:
        reading.issues.append(Issue("information", "parts-missing", "no ratio can be formed", observation.address))
    return reading


def _study_unusable(study: ImagingStudy, at: datetime) -> str:
    if study.status in {"cancelled", "entered-in-error", "registered"}:
        return f"the study is {study.status}"
    if study.modifierExtension or study.implicitRules:
        return "a modifierExtension that may change the meaning of the study"
    started = instant(study.started, at)
    if started and started > at:
        return "the study is dated after the moment of assessment"
    modalities = {m.code for m in study.modality} | {s.modality.code for s in study.series}
    return "" if not modalities - {""} or DICOM_CT in modalities else "the study is no CT"


def _cavity(observation: Observation) -> str | None:
    """The one cavity that the site names; none where it names two."""
    sites = observation.bodySite.coding if observation.bodySite else ()
    known = {_CAVITY[c.code] for c in sites if c.code in _CAVITY and (c.system == SNOMED or c.system.startswith(_BOA))}
    return known.pop() if len(known) == 1 else None


def _volumes(observation: Observation) -> dict[str, float]:
    """Volume per tissue in mL; a part without a positive volume in mL is left out, as is one stated twice."""
    found: dict[str, set[float]] = {}
    for part in observation.component:
        tissue = next((_TISSUE[c.code] for c in part.code.coding if c.system == TISSUES and c.code in _TISSUE), None)
        amount = part.valueQuantity if part.dataAbsentReason is None else None
        if tissue and amount and amount.value and amount.value > 0 and (amount.code or amount.unit) in {"mL", "ml"}:
            found.setdefault(tissue, set()).add(amount.value)
    return {tissue: amounts.pop() for tissue, amounts in found.items() if len(amounts) == 1}
