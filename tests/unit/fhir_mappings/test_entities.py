"""Which tumour a diagnosis names."""

from typing import Any

import pytest

from fhir_mappings.concepts import ICD10_CM, ICD10_GM, ICD10_WHO, ICD_O_3, SNOMED, catalogue
from fhir_mappings.entities import Decision, Evidence, decide, morphologies, topographies
from fhir_mappings.resources.datatypes import Coding


def decided(
    *codes: tuple[str, str], sites: tuple[str, ...] = (), cells: tuple[str, ...] = (), female: bool | None = None
) -> Decision:
    """Codes as (system, code), sites as topographies, cells as morphologies."""
    evidence = Evidence(
        tuple(Coding(system, code) for system, code in codes),
        tuple(Coding(ICD_O_3, site) for site in sites),
        cells,
        female,
    )
    return decide(evidence, catalogue(), "Condition/c")


def entity(*codes: tuple[str, str], **members: Any) -> str | None:
    return decided(*codes, **members).entity


def said(*codes: tuple[str, str], **members: Any) -> list[str]:
    return [issue.code for issue in decided(*codes, **members).issues]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("C50.4", "entity_breast"),
        ("C18.7", "entity_colon"),
        ("C20", "entity_rectum"),
        ("C25.0", "entity_pancreas"),
        ("C61", "entity_prostate"),
        ("C56", "entity_ovary"),
        ("C16.9", "entity_gastric"),
        ("C43.5", "entity_melanoma"),
        ("C73", "entity_thyroid"),
        ("C45.0", "entity_mesothelioma"),
        ("C67.9", "entity_urothelial"),
        ("C64", "entity_renal"),
        ("C32.0", "entity_head_neck"),
        ("C11.9", "entity_nasopharynx"),
        ("C80.0", "entity_cup"),
    ],
)
def test_an_icd_code_names_the_tumour_of_its_organ(code: str, expected: str) -> None:
    """WHO and German edition alike."""
    assert entity((ICD10_GM, code)) == entity((ICD10_WHO, code)) == expected
    assert said((ICD10_GM, code)) == []


@pytest.mark.parametrize("code", ["C34", "C34.1", "C33"])
def test_lung_without_histology_is_assumed_to_be_non_small_cell(code: str) -> None:
    """And it is said that this was assumed."""
    assert entity((ICD10_GM, code)) == "entity_nsclc"
    assert said((ICD10_GM, code)) == ["histology-assumed"]
    assert said(sites=("C34.1",)) == ["histology-assumed"]


def test_a_snomed_code_that_names_the_cells_is_no_assumption() -> None:
    """Non-small cell lung cancer, beside an ICD code of the lung or alone."""
    assert decided((SNOMED, "254637007")) == Decision("entity_nsclc")
    assert decided((SNOMED, "254637007"), (ICD10_GM, "C34.1")) == Decision("entity_nsclc")
    assert decided((SNOMED, "254637007"), sites=("C34.1",)) == Decision("entity_nsclc")
    assert entity((SNOMED, "254632001"), (ICD10_GM, "C34.1")) == "entity_sclc"


@pytest.mark.parametrize(
    ("site", "cells", "expected"),
    [
        ("C34.1", "8041/3", "entity_sclc"),
        ("C34.1", "8002/3", "entity_sclc"),
        ("C34.1", "8140/3", "entity_nsclc"),
        ("C34.1", "8070/3", "entity_nsclc"),
        ("C34.1", "8240/3", "entity_neuroendocrine"),
        ("C71.1", "9440/3", "entity_glioblastoma"),
        ("C71.1", "9400/3", "entity_other_cns"),
        ("C16.2", "8936/3", "entity_gist"),
        ("C17.0", "8936/3", "entity_gist"),
        ("C16.2", "8140/3", "entity_gastric"),
        ("C25.0", "8140/3", "entity_pancreas"),
        ("C22.0", "8170/3", "entity_hepatocellular"),
        ("C22.1", "8160/3", "entity_biliary"),
        ("C44.5", "8720/3", "entity_melanoma"),
        ("C69.3", "8720/3", "entity_uveal_melanoma"),
        ("C49.2", "8890/3", "entity_soft_tissue_sarcoma"),
        ("C62.9", "9061/3", "entity_testicular"),
        ("C80.9", "8140/3", "entity_cup"),
    ],
)
def test_the_cells_decide_among_tumours_of_one_site(site: str, cells: str, expected: str) -> None:
    """Morphology before topography."""
    assert entity(sites=(site,), cells=(cells,)) == expected


@pytest.mark.parametrize("code", ["C71.1", "C71.9", "C71"])
def test_the_brain_needs_cells(code: str) -> None:
    """Glioblastoma or not is half of the prognosis."""
    for system in (ICD10_WHO, ICD10_GM, ICD10_CM):
        assert entity((system, code)) is None
        assert said((system, code)) == ["morphology-needed"]


@pytest.mark.parametrize("cells", ["8140/0", "8140/1", "8140/2", "8500/2"])
def test_benign_uncertain_and_in_situ_are_no_tumour(cells: str) -> None:
    """Behaviour 0, 1 and 2 never match, whatever the site."""
    assert entity((ICD10_GM, "C50.4"), sites=("C50.4",), cells=(cells,)) is None
    assert said((ICD10_GM, "C50.4"), cells=(cells,)) == ["not-malignant"]


@pytest.mark.parametrize("code", ["D05.1", "D12.6", "D37.4", "D48.9"])
def test_codes_of_in_situ_and_uncertain_tumours_name_none(code: str) -> None:
    """D codes never."""
    for system in (ICD10_WHO, ICD10_GM, ICD10_CM):
        assert decided((system, code)) == Decision(None)


@pytest.mark.parametrize("cells", ["9590/3", "9680/3", "9823/3", "9993/3"])
def test_blood_cancers_are_not_scored(cells: str) -> None:
    """9590 to 9993, also in an organ."""
    assert said(sites=("C16.2",), cells=(cells,)) == ["haematological"]
    assert entity(sites=("C16.2",), cells=(cells,)) is None


@pytest.mark.parametrize("code", ["C81.9", "C83.3", "C90.0", "C92.0"])
def test_codes_of_blood_cancers_name_no_solid_tumour(code: str) -> None:
    """C81 to C96."""
    assert entity((ICD10_GM, code)) is None


def test_unknown_primary_is_c80_0_in_germany_and_nothing_in_the_american_edition() -> None:
    """There, C80.0 is disseminated disease, and C80.1 needs histology."""
    assert entity((ICD10_GM, "C80.0")) == entity((ICD10_WHO, "C80.0")) == "entity_cup"
    assert entity((ICD10_CM, "C80.0")) is None
    assert said((ICD10_CM, "C80.1")) == ["morphology-needed"]
    assert entity((ICD10_CM, "C80.1"), cells=("8140/3",)) == "entity_cup"


@pytest.mark.parametrize(("female", "expected"), [(True, "entity_ovary"), (False, None), (None, None)])
def test_the_peritoneum_is_ovarian_in_women_only(female: bool | None, expected: str | None) -> None:
    """Without a known sex nothing is assumed."""
    assert entity((ICD10_GM, "C48.1"), female=female) == expected


def test_codes_that_name_the_histology_need_no_morphology() -> None:
    """Endocrine pancreas, GIST and carcinoid in the American edition."""
    assert entity((ICD10_GM, "C25.4")) == "entity_neuroendocrine"
    assert entity((ICD10_CM, "C49.A2")) == "entity_gist"
    assert entity((ICD10_CM, "C7A.010")) == "entity_neuroendocrine"


def test_a_morphology_without_any_site_names_only_what_its_cells_tell_anywhere() -> None:
    """An adenocarcinoma may be of any organ, a GIST is one wherever it lies."""
    assert entity(cells=("8140/3",)) is None
    assert entity(cells=("8500/3",)) is None
    assert entity((ICD_O_3, "8500/3"), cells=("8500/3",)) is None
    assert entity(cells=("8936/3",)) == "entity_gist"


def test_a_metastasis_of_the_cells_counts_as_malignant() -> None:
    """Behaviour 6 is the same tumour somewhere else."""
    assert entity((ICD10_GM, "C34.1"), cells=("8041/6",)) == "entity_sclc"


def test_two_different_morphologies_are_a_conflict() -> None:
    """Neither is preferred; an unspecific one beside a specific one is none."""
    assert said(sites=("C34.1",), cells=("8140/3", "8041/3")) == ["morphology-conflict"]
    assert entity(sites=("C34.1",), cells=("8000/3", "8041/3")) == "entity_sclc"


def test_cells_that_do_not_occur_at_the_site_name_nothing() -> None:
    """A hepatocellular carcinoma of the lung is an error."""
    assert entity(sites=("C34.1",), cells=("8170/3",)) is None
    assert said(sites=("C34.1",), cells=("8170/3",)) == ["morphology-site-conflict"]


def test_a_morphology_that_no_entity_lists_leaves_the_site() -> None:
    """And it is said."""
    assert entity((ICD10_GM, "C61"), cells=("8011/3",)) == "entity_prostate"
    assert said((ICD10_GM, "C61"), cells=("8011/3",)) == ["morphology-not-listed"]


def test_a_site_that_the_code_contradicts_is_said() -> None:
    """Topography before ICD, and somebody should look."""
    assert entity((ICD10_GM, "C34.1"), sites=("C50.9",)) == "entity_breast"
    assert said((ICD10_GM, "C34.1"), sites=("C50.9",)) == ["site-conflict"]
    assert said((ICD10_GM, "C18.7"), sites=("C18.7",)) == []


def test_two_organs_in_one_diagnosis_name_none() -> None:
    """Two codes of two tumours are no choice of ours."""
    assert entity((ICD10_GM, "C50.4"), (ICD10_GM, "C34.1")) is None


def test_a_code_that_is_no_tumour_is_no_issue() -> None:
    """Of nothing, nothing is said."""
    assert decided((ICD10_GM, "I50.0")) == Decision(None)
    assert decided() == Decision(None)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("8150/3", "entity_neuroendocrine"),
        ("8249/3", "entity_neuroendocrine"),
        ("8800/3", "entity_soft_tissue_sarcoma"),
        ("8936/3", "entity_gist"),
        ("9180/3", "entity_bone_sarcoma"),
        ("9061/3", "entity_testicular"),
        ("8720/3", "entity_melanoma"),
        ("8790/3", "entity_melanoma"),
        ("8580/3", "entity_thymic"),
        ("8589/3", "entity_thymic"),
        ("8170/3", None),
        ("8441/3", None),
    ],
)
def test_some_cells_tell_the_tumour_wherever_they_lie(cells: str, expected: str | None) -> None:
    """At a site that no entity has."""
    assert entity(sites=("C76.0",), cells=(cells,)) == expected


def test_blood_cancers_end_at_9993() -> None:
    """And begin at 9590."""
    assert said(sites=("C49.9",), cells=("9993/3",)) == ["haematological"]
    assert said(sites=("C49.9",), cells=("9994/3",)) != ["haematological"]
    assert said(sites=("C49.9",), cells=("9581/3",)) != ["haematological"]


def test_a_snomed_code_narrows_the_site_and_does_not_widen_it() -> None:
    """Small cell carcinoma at the lung is one; a colon code at the breast is a contradiction."""
    assert entity((SNOMED, "254632001"), sites=("C34.1",)) == "entity_sclc"
    assert entity((SNOMED, "363406005"), sites=("C50.9",)) == "entity_breast"
    assert said((SNOMED, "363406005"), sites=("C50.9",)) == ["site-conflict"]


def test_a_morphology_is_one_of_its_system_only() -> None:
    """Digits and a slash elsewhere are something else."""
    assert morphologies((Coding(ICD_O_3, "8140/3"), Coding("urn:x", "8070/3"), Coding(ICD_O_3, "C34.1"))) == ("8140/3",)
    assert topographies((Coding(ICD_O_3, "8140/3"), Coding("urn:x", "C50.9"), Coding(ICD_O_3, "C34.1"))) == ("C34.1",)
