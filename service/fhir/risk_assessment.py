"""Assessment -> FHIR RiskAssessment (R4B, equal to R4 in this): where the patient stands, relative only.

A scored patient has one prediction: `relativeRisk` against a typical patient of the group, `qualitativeRisk` the
category of the position, never a probability. Who is not scored has none: that no score can be given is a result, so
the resource is complete, and its note says why. `cancelled` would say that the assessment was given up, and an
OperationOutcome that the call went wrong. `preliminary` is what may change with data that were not obtained.
"""

import math
import re
from decimal import Decimal

from fhir.resources.R4B.annotation import Annotation
from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.coding import Coding
from fhir.resources.R4B.device import Device, DeviceDeviceName, DeviceVersion
from fhir.resources.R4B.identifier import Identifier
from fhir.resources.R4B.meta import Meta
from fhir.resources.R4B.reference import Reference
from fhir.resources.R4B.riskassessment import RiskAssessment, RiskAssessmentPrediction

from fhir_mappings.concepts import catalogue
from fhir_mappings.timing import instant
from models.manifest import ENTITY
from models.package import Package
from service.assessment import Assessment, ModelUsed, PositionShown
from service.attribution import Factor
from service.language.sentences import ENGLISH, Language
from service.notices import RUNNING, notice_text
from service.statement.statement import caveats
from service.statement.summary import summary, unread_keys

PACKAGE = "urn:oncohooks:package"  # identifier system: the sha256 that names a model package
POSITION = "urn:oncohooks:position"  # code system of docs/emergency-card.md
OUTCOME = "urn:oncohooks:outcome"
_DEATH = "death"
_DEVICE = "model"
# HL7 AI Transparency on FHIR, value set ProvenanceVS
_BY_A_MODEL = Coding(
    system="http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    code="AIAST",
    display="Artificial Intelligence asserted",
)
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")


def risk_assessment(
    assessment: Assessment, package: Package, encounter: str = "", language: Language = ENGLISH
) -> bytes:
    """The resource in JSON. `encounter` is the id of the encounter that the call names, where it names one."""
    model = assessment.model
    written = RiskAssessment(
        meta=Meta(security=[_BY_A_MODEL]),
        contained=[_device(model)] if model else None,
        status="preliminary" if _may_change(assessment) else "final",
        method=_method(model) if model else None,
        subject=Reference(reference=assessment.patient),
        encounter=Reference(reference=f"Encounter/{encounter}") if encounter else None,
        occurrenceDateTime=instant(assessment.assessed_at),
        performer=Reference(reference=f"#{_DEVICE}") if model else None,
        basis=_basis(assessment) or None,
        prediction=_predictions(assessment, package, language) or None,
        note=[Annotation(text=text) for text in _notes(assessment, language)],
    )
    return written.model_dump_json().encode()


def _may_change(assessment: Assessment) -> bool:
    """Whether something was not read, or a further answer is to come."""
    return bool(unread_keys(assessment)) or (assessment.update is not None and not assessment.update.final)


def relative_risk(assessment: Assessment, package: Package) -> float:
    """exp(b * sum of (relevance - typical)) over the parameters that the position is summed over; 1 without any."""
    position, setting = assessment.position, assessment.setting
    if position is None or setting is None:
        return 1.0
    network = package.networks[setting.key]
    counted = network.group_parameters(position.group)
    distances = [f.relevance - f.typical for f in assessment.attribution if _name_in_group(f) in counted]
    return math.exp(network.slope * math.fsum(distances))


def _name_in_group(factor: Factor) -> str:
    return ENTITY if catalogue().schema[factor.feature].is_entity else factor.feature


def _predictions(assessment: Assessment, package: Package, language: Language) -> list[RiskAssessmentPrediction]:
    position = assessment.position
    if position is None:
        return []
    predicted = RiskAssessmentPrediction(
        outcome=CodeableConcept(coding=[Coding(system=OUTCOME, code=_DEATH)], text=language.say("outcome")),
        relativeRisk=Decimal(f"{relative_risk(assessment, package):.4f}"),
        qualitativeRisk=_category(position, language),
        rationale=language.say("rationale", percentile=position.percentile, low=position.low, high=position.high),
    )
    return [predicted]


def _category(position: PositionShown, language: Language) -> CodeableConcept:
    code = position.category.replace(" ", "-")
    return CodeableConcept(coding=[Coding(system=POSITION, code=code)], text=language.categories[position.category])


def _basis(assessment: Assessment) -> list[Reference]:
    """Every resource that an input came from, each once; the report of the assessment names them input by input."""
    sources = {source for factor in assessment.attribution for source in factor.sources}
    return [Reference(reference=source) for source in sorted(sources) if _REFERENCE.fullmatch(source)]


def _device(model: ModelUsed) -> Device:
    return Device(
        id=_DEVICE,
        identifier=[Identifier(system=PACKAGE, value=model.digest)],
        status="active",
        deviceName=[DeviceDeviceName(name=f"oncohooks {model.name}", type="model-name")],
        version=[DeviceVersion(value=model.version)],
    )


def _method(model: ModelUsed) -> CodeableConcept:
    return CodeableConcept(
        coding=[Coding(system=PACKAGE, version=model.version, code=model.digest, display=model.name)],
        text=f"{model.name} {model.version}",
    )


def _notes(assessment: Assessment, language: Language) -> list[str]:
    """One line as on a card, how the service runs, and how it is to be read."""
    at = instant(assessment.assessed_at)
    running = [notice_text(notice, at, language) for notice in assessment.notices if notice.code in RUNNING]
    return [summary(assessment, language), *running, *caveats(assessment, language)]
