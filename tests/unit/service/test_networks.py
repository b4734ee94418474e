"""What a reader is told of the network that scored: linear, unknown type of tumour, terms learned elsewhere."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from fhir_mappings.concepts import catalogue
from models.manifest import TypicalRelevance
from models.package import Package
from models.setting import Network
from service.assessment import Assessment, assess
from service.language.sentences import LanguageCode, language
from service.statement import plain
from service.statement.statement import statement_of
from tests.unit.service.made_up_patients import AT, chart, package, record

ENGLISH: LanguageCode = "en"


def packed(*keys: str, **changes: Any) -> Package:
    """The made-up network as that of several settings."""
    made_up = package()
    network = made_up.network("diagnosis")
    groups = {**network.manifest.groups, **dict.fromkeys(keys, network.manifest.groups["diagnosis"])}
    manifest = msgspec.structs.replace(network.manifest, groups=groups, **changes)
    networks = {key: Network(key, manifest, network.predictor, catalogue().schema) for key in ("diagnosis", *keys)}
    return Package(made_up.path, made_up.manifest, made_up.digest, networks)


def said(assessment: Assessment) -> str:
    return plain.rendered(statement_of(assessment, language(ENGLISH))).replace("\n", " ")


def codes(assessment: Assessment) -> list[str]:
    return [notice.code for notice in assessment.notices]


def in_emergency(patient_id: str) -> list[dict[str, Any]]:
    """The chart with an emergency contact that began three hours ago."""
    contact = {
        "resourceType": "Encounter",
        "id": "er",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "subject": {"reference": f"Patient/{patient_id}"},
        "period": {"start": (AT - timedelta(hours=3)).isoformat()},
    }
    return [*chart(patient_id), contact]


def test_a_ridge_says_that_it_is_linear() -> None:
    """A setting that ships its ridge is named on the card; a network says nothing of the kind."""
    linear = assess(record("demo-lung"), AT, packed(form="ridge"))
    assert "ridge" in codes(linear)
    assert "In this setting the model is linear" in said(linear)
    assert "ridge" not in codes(assess(record("demo-lung"), AT, packed()))


def test_in_hospital_unplanned_the_acute_network_scores() -> None:
    """Rule A, with the start of the contact."""
    found = assess(record("demo-lung", in_emergency("demo-lung")), AT, packed("acute"))
    assert found.setting is not None
    assert (found.setting.key, found.setting.rule) == ("acute", "A")
    assert found.setting.time_zero.startswith("2026-06-30T09:00")
    assert found.survival_withheld is not None


@pytest.mark.parametrize(("setting", "status"), [("acute", "scored"), ("diagnosis", "abstained")])
def test_a_type_that_few_had_there_is_scored_in_hospital_only(setting: str, status: str) -> None:
    """50 patients in the whole package are enough where all patients with cancer are one group; the card says so."""
    made_up = packed("acute")
    few = msgspec.structs.replace(made_up.networks[setting].manifest, entities={}, trained=_without_entities(made_up))
    networks = {**made_up.networks}
    networks[setting] = Network(setting, few, made_up.networks[setting].predictor, catalogue().schema)
    changed = Package(made_up.path, made_up.manifest, made_up.digest, networks)
    resources = in_emergency("demo-colorectal") if setting == "acute" else chart("demo-colorectal")
    found = assess(record("demo-colorectal", resources), AT, changed)
    assert found.status == status
    if status == "scored":
        assert "type-not-used" in codes(found)
        assert "The type of tumour (Colon cancer) is not part of the model in this setting." in said(found)
    else:
        assert found.abstained is not None
        assert found.abstained.code == "entity-not-scored"


def _without_entities(of: Package) -> dict[str, Any]:
    trained = of.networks["diagnosis"].manifest.trained
    return {key: entry for key, entry in trained.items() if not catalogue().schema[key].is_entity}


def test_a_borrowed_factor_is_marked_and_does_not_move_the_position() -> None:
    """`evidence.from` is "borrowed"; the card marks it; without it the position is the same."""
    groups = package().network("diagnosis").manifest.groups
    lending = {
        name: msgspec.structs.replace(
            group, typical={key: t for key, t in group.typical.items() if key != "lab_hemoglobin"}
        )
        for name, group in groups.items()
    }
    borrowed = {"lab_hemoglobin": TypicalRelevance(0.0, 777, 0.1)}
    made_up = package()
    network = made_up.network("diagnosis")
    manifest = msgspec.structs.replace(network.manifest, groups=lending, borrowed=borrowed)
    shown = Network("diagnosis", manifest, network.predictor, catalogue().schema)
    of = Package(made_up.path, made_up.manifest, made_up.digest, {"diagnosis": shown})
    found = assess(record("demo-lung"), AT, of)
    factor = next(one for one in found.attribution if one.feature == "lab_hemoglobin")
    assert factor.evidence is not None
    assert (factor.evidence.origin, factor.evidence.patients, factor.typical) == ("borrowed", 777, 0.0)
    assert "Haemoglobin*" in said(found)
    assert "* Learned in another setting" in said(found)
    assert found.position is not None
    assert found.position.parameters == len(lending["entity_nsclc"].typical)


def test_in_hospital_unplanned_all_types_of_the_package_can_be_scored() -> None:
    """Who has no tumour is told how many types could be: those of the whole package, not of the acute network alone."""
    made_up = packed("acute")
    few = msgspec.structs.replace(made_up.networks["acute"].manifest, entities={})
    acute = Network("acute", few, made_up.networks["acute"].predictor, catalogue().schema)
    changed = Package(made_up.path, made_up.manifest, made_up.digest, {**made_up.networks, "acute": acute})
    found = assess(record("demo-no-cancer", in_emergency("demo-no-cancer")), AT, changed)
    assert found.abstained is not None
    assert (found.abstained.code, found.abstained.count) == ("no-solid-tumour", 3)
