"""Morphology and topography, as the catalogue's definitions read them."""

import pytest

from fhir_mappings import histology


@pytest.mark.parametrize(
    ("code", "ones"),
    [
        ("8140/3", {"path_adenocarcinoma"}),
        (8140, {"path_adenocarcinoma"}),
        ("M8140/3", {"path_adenocarcinoma"}),
        ("8070/3", {"path_squamous"}),
        ("8560/3", {"path_adenocarcinoma", "path_squamous"}),
        ("8041/3", {"path_neuroendocrine_diff"}),
        ("8246/3", {"path_neuroendocrine_diff"}),
        ("8480/3", {"path_adenocarcinoma", "path_mucinous_signet"}),
        ("8441/3", {"path_adenocarcinoma", "path_serous"}),
        ("8318/3", {"path_adenocarcinoma", "path_sarcomatoid"}),
        ("8020/3", {"path_undifferentiated"}),
        ("8345/3", {"path_adenocarcinoma", "path_medullary_thyroid"}),
        ("9053/3", {"path_sarcomatoid"}),
        ("8720/3", set()),
    ],
)
def test_each_morphology_sets_its_flags_and_zeroes_the_others(code: str | int, ones: set[str]) -> None:
    """A specific morphology answers all eight questions."""
    flags = histology.histology_flags(code)
    assert set(flags) == set(histology.FLAGS)
    assert {key for key, value in flags.items() if value} == ones


@pytest.mark.parametrize("code", ["8000/3", "8010/3", 8011, "", "adenocarcinoma", "814", "9990012"])
def test_unspecific_or_unreadable_morphology_says_nothing(code: str | int) -> None:
    """Carcinoma without further detail leaves the flags missing, not 0."""
    assert histology.histology_flags(code) == {}


def test_medullary_8510_counts_only_in_the_thyroid() -> None:
    """The same number is a breast tumour elsewhere."""
    assert histology.histology_flags("8510/3", "C73.9")["path_medullary_thyroid"] == 1
    assert histology.histology_flags("8510/3", "C50.9")["path_medullary_thyroid"] == 0
    assert histology.histology_flags("8510/3")["path_medullary_thyroid"] == 0


def test_behaviour_is_the_digit_behind_the_slash() -> None:
    """8140/6 is a metastasis, 8140 says nothing."""
    assert histology.behaviour("8140/6") == 6
    assert histology.behaviour(8140) is None


@pytest.mark.parametrize(
    ("site", "expected"),
    [("c18.0", 1), ("C182", 1), ("C18.4", 1), ("C18.5", 0), ("C18.7", 0), ("C19.9", 0), ("C20", 0),
     ("C18.1", None), ("C18.8", None), ("C18.9", None), ("C18", None), ("C34.1", None), ("colon", None)],
)  # fmt: skip
def test_side_of_the_colon(site: str, expected: int | None) -> None:
    """Caecum to transverse colon is right, splenic flexure to rectum left, the appendix and unknown parts neither."""
    assert histology.colon_right_sided(site) == expected


@pytest.mark.parametrize(
    ("site", "expected"),
    [("C01.9", 1), ("C09.1", 1), ("C10", 1), ("C02.1", 0), ("C32.0", 0), ("C30.0", 0), ("C14.8", 0),
     ("C30.1", None), ("C11.9", None), ("C07.9", None), ("C34.1", None), ("", None)],
)  # fmt: skip
def test_oropharynx(site: str, expected: int | None) -> None:
    """Base of tongue, tonsil and oropharynx are 1, other head and neck sites 0, the rest of the body nothing."""
    assert histology.oropharynx(site) == expected
