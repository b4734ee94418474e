"""Which missing value could change an emergency's estimate most."""

from collections.abc import Iterable

import msgspec
import numpy as np
import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient, encode
from models.features import FeatureVector
from models.setting import Network
from service.emergency.next_input import KEY, next_inputs
from tests.unit.service.golden_cards import shipped
from tests.unit.service.made_up_patients import AT, record

SCHEMA = catalogue().schema
LUNG, PROSTATE = "entity_nsclc", "entity_prostate"
WITHOUT_WEIGHTS = {"vital_spo2", "lab_lactate", "lab_neutrophils_abs"}


def acute() -> Network:
    return shipped().networks["acute"]


def encoded(patient_id: str, without: Iterable[str] = ()) -> EncodedPatient:
    """The patient, some of whose parameters are taken away."""
    patient = encode(record(patient_id), SCHEMA, AT)
    findings = {key: finding for key, finding in patient.findings.items() if key not in set(without)}
    vector = FeatureVector.of(SCHEMA, {key: finding.value for key, finding in findings.items()})
    return msgspec.structs.replace(patient, findings=findings, vector=vector)


def position_with(patient: EncodedPatient, entity: str, **known: float) -> int:
    """The percentile that the assessment would say if these values were known, the slow way."""
    values = {key: finding.value for key, finding in patient.findings.items()} | known
    vector, network = FeatureVector.of(SCHEMA, values), acute()
    return network.position(network.explain(vector), vector, entity, network.predict(vector).members).percentile


def test_each_end_is_where_the_position_would_be() -> None:
    """`low` and `high` are the percentiles of the whole way through the network with the value filled in."""
    patient = encoded("demo-lung")
    common = acute().common(LUNG)
    found = next_inputs(patient, acute(), LUNG)
    assert found
    for one in found:
        ends = sorted(position_with(patient, LUNG, **{one.feature: value}) for value in common[one.feature])
        assert [one.low, one.high] == ends


def test_what_follows_by_formula_goes_with_a_value() -> None:
    """A missing creatinine brings its eGFR, a missing albumin the ALBI of the bilirubin that is there."""
    patient = encoded("demo-lung", ["lab_creatinine", "lab_egfr_ckdepi", "lab_albumin", "ratio_albi"])
    found = {one.feature: one for one in next_inputs(patient, acute(), LUNG)}
    assert {"lab_creatinine", "lab_albumin"} <= found.keys()
    assert not {"lab_egfr_ckdepi", "ratio_albi"} & found.keys()
    ends = []
    for value in acute().common(LUNG)["lab_creatinine"]:
        age, female = (patient.findings[key].value for key in ("demo_age_at_baseline", "demo_sex_female"))
        egfr = 142 * min(value / 0.9, 1) ** -0.302 * max(value / 0.9, 1) ** -1.2 * 0.9938**age
        assert female == 0
        ends.append(position_with(patient, LUNG, lab_creatinine=value, lab_egfr_ckdepi=egfr))
    assert [found["lab_creatinine"].low, found["lab_creatinine"].high] == sorted(ends)


def test_key_inputs_come_first_and_each_part_by_what_it_could_change() -> None:
    """The key inputs, then the others; widest first."""
    found = next_inputs(encoded("demo-sparse"), acute(), PROSTATE)
    first = [one.feature in KEY for one in found]
    assert first == sorted(first, reverse=True)
    assert True in first
    assert False in first
    for part in (True, False):
        widths = [one.high - one.low for one in found if (one.feature in KEY) is part]
        assert widths == sorted(widths, reverse=True)
        assert min(widths) > 0


@pytest.mark.parametrize("patient_id", ["demo-lung", "demo-sparse", "demo-treated"])
def test_only_what_is_missing_has_weights_and_can_be_asked_or_ordered(patient_id: str) -> None:
    """No known value, none without weights, no history, sex or gene."""
    patient = encoded(patient_id)
    index = patient.tumours.index
    found = next_inputs(patient, acute(), index.entity if index else None)
    keys = {one.feature for one in found}
    assert keys <= acute().trained - patient.findings.keys()
    assert not keys & WITHOUT_WEIGHTS
    allowed = {"function", "laboratory"}
    assert all(SCHEMA[key].modality in allowed or key == "stage_m1" for key in keys)
    assert all(one.label == SCHEMA[one.feature].label_en and 0 <= one.low < one.high <= 100 for one in found)


def test_whoever_is_known_wholly_needs_nothing() -> None:
    """Nothing is named where nothing with weights is missing."""
    patient = encoded("demo-lung")
    values = {key: acute().common(LUNG).get(key, (1.0, 1.0))[0] for key in acute().trained if not SCHEMA[key].is_entity}
    some = next(iter(patient.findings.values()))
    findings = {key: msgspec.structs.replace(some, feature=key, value=value) for key, value in values.items()}
    known = msgspec.structs.replace(patient, findings=findings, vector=FeatureVector.of(SCHEMA, values))
    assert next_inputs(known, acute(), LUNG) == ()


def test_a_package_that_does_not_know_what_is_common_names_nothing() -> None:
    """An older package has no common values, and nothing is guessed in their place."""
    manifest = acute().manifest
    groups = {name: msgspec.structs.replace(group, common={}) for name, group in manifest.groups.items()}
    older = Network("acute", msgspec.structs.replace(manifest, groups=groups), acute().predictor, SCHEMA)
    assert next_inputs(encoded("demo-lung"), older, LUNG) == ()


def test_what_does_not_vary_in_the_group_is_taken_from_the_setting() -> None:
    """All lung cancer patients of SUPPORT2 are metastatic, nearly all with colon cancer are awake: others are not."""
    groups = acute().manifest.groups
    assert groups[LUNG].common["stage_m1"] == (1.0, 1.0)
    assert acute().common(LUNG)["stage_m1"] == (0.0, 1.0)
    assert acute().common("entity_colon")["func_gcs"] == groups["acute"].common["func_gcs"]
    assert acute().common(None) == groups["acute"].common


def test_many_at_once_stand_where_each_stands_alone() -> None:
    """The percentiles of a batch are those of `position`, entity known or not, parameters missing or not."""
    patient, network = encoded("demo-lung"), acute()
    random = np.random.default_rng(0)
    rows = np.tile(patient.vector.values, (40, 1))
    rows[:20][random.random((20, len(SCHEMA))) < 0.4] = np.nan
    rows[20:30, SCHEMA.entity_columns] = np.nan
    found = network.percentiles(rows, LUNG)
    for row, percentile in zip(rows, found, strict=True):
        vector = FeatureVector(row, SCHEMA)
        members = network.predict(vector).members
        assert network.position(network.explain(vector), vector, LUNG, members).percentile == percentile
