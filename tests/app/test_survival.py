"""A survival figure through the whole app: who reads it, and what the site says."""

from typing import Any

import msgspec
import pytest

from fhir_mappings.concepts import catalogue
from models.manifest import Baseline
from models.package import Package
from models.setting import Network
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import BASE, FhirServer, assessment_of, bundle, full_prefetch
from tests.unit.service.made_up_patients import AT, chart, package

SNOMED, ROLES = "http://snomed.info/sct", "http://terminology.hl7.org/CodeSystem/practitioner-role"
LUNG = "demo-lung"


def recalibrated(*sites: str) -> Package:
    """The made-up package, with all that a figure needs."""
    made_up = package()
    network = made_up.network("diagnosis")
    setting = msgspec.structs.replace(
        network.manifest,
        recalibrated=sites,
        horizons={"entity_nsclc": (365, 730)},
        entities={"entity_nsclc": (400, 200)},
        baselines={"made_up": Baseline((30.0,), (0.01,), 2000.0)},
    )
    setting = msgspec.structs.replace(setting, groups={**setting.groups, "metastatic": setting.groups["diagnosis"]})
    networks = {
        name: Network(name, setting, network.predictor, catalogue().schema) for name in ("diagnosis", "metastatic")
    }
    return Package(made_up.path, made_up.manifest, made_up.digest, networks)


def answered(calling: MakeCaller, user: str = "PractitionerRole/r1", **settings: Any) -> dict[str, Any]:
    options = {"card": {"survival": "detail", "site": "here"}, "package": recalibrated("here"), **settings}
    caller = calling(now=lambda: AT, **options)
    whole = chart(LUNG)
    prefetch = full_prefetch(patient=whole[0], conditions=bundle(*whole[1:]))
    response = caller.hook(context={"userId": user, "patientId": LUNG}, prefetch=prefetch, fhirServer=BASE)
    return assessment_of(response) | {"detail": response.json()["cards"][0]["detail"]}


def role(code: str = "doctor", speciality: str = "394593009") -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole",
        "id": "r1",
        "code": [{"coding": [{"system": ROLES, "code": code}]}],
        "specialty": [{"coding": [{"system": SNOMED, "code": speciality}]}],
    }


def test_a_treating_physician_sees_the_figure(calling: MakeCaller, server: FhirServer) -> None:
    """Medical oncology, by the PractitionerRole of the call's server; the detail says it in words."""
    server.on("PractitionerRole/r1", role())
    found = answered(calling)
    assert [one["days"] for one in found["survival"]] == [365]
    assert "Of 100 patients with a similar record" in found["detail"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (role(code="nurse"), "reader-other"),
        (role(speciality="394582007"), "reader-other"),
        ({**role(), "specialty": []}, "reader-unknown"),
        (404, "reader-unknown"),
    ],
)
def test_others_do_not(calling: MakeCaller, server: FhirServer, answer: Any, code: str) -> None:
    """A nurse, a dermatologist, one of no known speciality, one who cannot be read: no figure, and why."""
    server.on("PractitionerRole/r1", answer)
    found = answered(calling)
    assert "survival" not in found
    assert found["survivalWithheld"]["code"] == code
    assert "No figure: " in found["detail"]


def test_a_package_recalibrated_elsewhere_gives_none(calling: MakeCaller, server: FhirServer) -> None:
    """The site has to be one of those that the manifest names."""
    server.on("PractitionerRole/r1", role())
    found = answered(calling, package=recalibrated("elsewhere"))
    assert found["survivalWithheld"]["code"] == "not-recalibrated"


def test_the_demonstration_asks_for_no_role(calling: MakeCaller, server: FhirServer) -> None:
    """Nobody is asked who reads, and the card, its notices and the probe say what is waived."""
    found = answered(calling, package=recalibrated(), demonstration=True)
    assert found["survival"]
    assert not server.requests
    assert "demonstration" in [notice["code"] for notice in found["notices"]]
    assert "Local recalibration and the reader's role are not asked for" in found["detail"]


def test_by_default_no_figure_and_no_question(calling: MakeCaller, server: FhirServer) -> None:
    """A recalibrated package alone shows nothing, and the card does not speak of it."""
    found = answered(calling, card={})
    assert found["survivalWithheld"]["code"] == "switched-off"
    assert not server.requests
    assert "figure:" not in found["detail"]


def test_the_summary_holds_it_where_the_site_says_so(calling: MakeCaller) -> None:
    """`summary` puts the short form into the card's line."""
    caller = calling(
        now=lambda: AT, package=recalibrated(), demonstration=True, card={"survival": "summary"}
    )  # fmt: skip
    whole = chart(LUNG)
    prefetch = full_prefetch(patient=whole[0], conditions=bundle(*whole[1:]))
    response = caller.hook(context={"userId": "Practitioner/1", "patientId": LUNG}, prefetch=prefetch)
    summary = response.json()["cards"][0]["summary"]
    assert "of 100 alive after 12 months" in summary
    assert len(summary) < 140
