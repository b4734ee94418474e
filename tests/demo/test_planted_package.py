"""The synthetic package of `scripts/demo --model planted`: it loads, shows every modality, and says what it is."""

import pytest

from demo.patients import demo_patients
from demo.planted_package import FOLDER
from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from models.package import Package
from service.cds_hooks.cards import card_for
from service.clock import Moment
from service.scoring import scoring
from tests.unit.service.made_up_patients import AT, record

SCHEMA = catalogue().schema
LARGEST = 2_500_000  # bytes


@pytest.fixture(scope="module")
def package() -> Package:
    return Package.load(FOLDER, SCHEMA)


def test_it_loads_and_is_marked(package: Package) -> None:
    """Its golden rows are reproduced where it is loaded; manifest and model card say synthetic; it is small."""
    assert package.manifest.synthetic
    assert "**Synthetic" in package.card
    assert [entry.name for entry in package.networks["diagnosis"].manifest.cohorts] == ["planted"]
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) < LARGEST


def test_it_has_weights_in_every_modality(package: Package) -> None:
    """Imaging and therapy too, which the shipped package cannot have; and two in three cancer types."""
    trained = package.networks["diagnosis"].trained
    modalities = {SCHEMA[key].modality for key in trained}
    assert modalities == {feature.modality for feature in SCHEMA.features}
    assert {"tx_ici", "bca_l3_skeletal_muscle_index", "img_recist_sum"} <= trained
    assert len(trained.intersection(SCHEMA.entities)) >= 25


@pytest.mark.parametrize("patient", demo_patients())
def test_every_card_says_synthetic(package: Package, patient: str) -> None:
    """With or without a score, the card says that the model was not trained on patients."""
    assessment = scoring(record(patient), package, Moment("now"), real=lambda: AT).assessment()
    detail = card_for(assessment, "https://model").detail
    assert "The model was not trained on patients: its results mean nothing." in detail
    assert "trained on 5,000 patients" not in detail


def test_imaging_and_therapy_move_the_score(package: Package) -> None:
    """The demonstration patient who has both gets a relevance for either."""
    found = scoring(record("demo-treated"), package, Moment("now"), real=lambda: AT).assessment()
    assert found.abstained is None
    vector = encode(record("demo-treated"), SCHEMA, AT).vector
    relevance = package.network("diagnosis").explain(vector).relevance
    for key in ("bca_l3_skeletal_muscle_index", "img_recist_sum", "tx_ici", "tx_chemo_platinum", "med_opioid"):
        assert relevance[SCHEMA.index[key]] != 0, key
