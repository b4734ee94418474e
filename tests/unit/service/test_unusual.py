"""Who is too unusual to be scored: a value in another unit, a combination that few held-out patients had."""

from typing import Any, get_args

import msgspec
import pytest

from fhir_mappings.concepts import catalogue
from models.manifest import Applicability, TrainedInput
from models.package import Package
from models.setting import Network
from service.assessment import Assessment, assess
from service.language.sentences import LanguageCode, language
from service.statement import plain
from service.statement.statement import statement_of
from tests.unit.service.made_up_patients import AT, package, record


def with_manifest(**changes: Any) -> Package:
    made_up = package()
    network = made_up.network("diagnosis")
    manifest = msgspec.structs.replace(network.manifest, **changes)
    changed = Network("diagnosis", manifest, network.predictor, catalogue().schema)
    return Package(made_up.path, made_up.manifest, made_up.digest, {"diagnosis": changed})


def assessed(of: Package) -> Assessment:
    return assess(record("demo-lung"), AT, of)


def test_a_patient_beyond_the_limit_is_not_scored() -> None:
    """Nothing is said of position and factors; within the limit the share of those nearer is told."""
    beyond = assessed(with_manifest(applicability=Applicability((-2.0, -1.0), limit=-1.0, false_alarms=0.005)))
    assert beyond.status == "abstained"
    assert beyond.abstained is not None
    assert beyond.abstained.code == "unusual"
    assert (beyond.position, beyond.risk_score, beyond.attribution) == (None, None, ())
    within = assessed(with_manifest(applicability=Applicability((-1.0, 1.0), limit=1.0, false_alarms=0.005)))
    assert within.status == "scored"
    assert within.applicability is not None
    assert within.applicability.distance_quantile == 0.5


def test_a_value_that_another_unit_explains_is_not_scored() -> None:
    """Haemoglobin of 12.1 g/dL, where training saw 1.0 to 1.8 and calls 1.1 to 1.7 usual: ten times too high."""
    trained = package().network("diagnosis").manifest.trained
    narrow = TrainedInput(1000, "quantile", 1.0, 1.8, usual=(1.1, 1.7))
    found = assessed(with_manifest(trained={**trained, "lab_hemoglobin": narrow}))
    assert found.status == "abstained"
    assert found.abstained is not None
    assert (found.abstained.code, found.abstained.features) == ("unusual-unit", ("lab_hemoglobin",))
    assert "Haemoglobin" in found.abstained.detail
    unseen = TrainedInput(1000, "quantile", 1.0, 1.8)
    assert assessed(with_manifest(trained={**trained, "lab_hemoglobin": unseen})).status == "scored"


@pytest.mark.parametrize("code", get_args(LanguageCode))
def test_it_is_said_in_each_language(code: LanguageCode) -> None:
    """Summary and detail ask to check the value at its source."""
    trained = package().network("diagnosis").manifest.trained
    narrow = TrainedInput(1000, "quantile", 1.0, 1.8, usual=(1.1, 1.7))
    found = assessed(with_manifest(trained={**trained, "lab_hemoglobin": narrow}))
    said = statement_of(found, language(code))
    assert said.summary in (
        "Not scored: a value is probably in another unit.",
        "Nicht bewertet: ein Wert steht wahrscheinlich in einer anderen Einheit.",
    )
    assert ("Haemoglobin" if code == "en" else "Hämoglobin") in plain.rendered(said)
