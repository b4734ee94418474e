"""The written ICD-10 lists against the published editions."""

import warnings
from types import ModuleType

import pytest

from fhir_mappings.concepts import DATA, ICD10_CM, ICD10_GM, ICD10_WHO


@pytest.fixture(scope="module")
def expand_icd() -> ModuleType:
    """The script; the packages that it reads the lists from warn of themselves when they are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from fhir_mappings.catalogue import expand_icd as script  # noqa: PLC0415
    return script


def test_the_written_lists_are_those_of_the_published_editions(expand_icd: ModuleType) -> None:
    """icd10.csv is what the script makes of the concept map and the published lists."""
    rows = (DATA / "icd10.csv").read_text(encoding="utf-8").splitlines()
    assert rows == ["system,category,codes", *(",".join(row) for row in expand_icd.expansions())]


@pytest.mark.parametrize("edition", [ICD10_WHO, ICD10_CM])
def test_a_category_that_an_edition_does_not_have_is_refused(expand_icd: ModuleType, edition: str) -> None:
    """A mistyped row of the concept map does not become an empty list."""
    with pytest.raises(ValueError, match=r"C34\.7x"):
        expand_icd.EXPAND[edition]("C34.7x")


def test_the_german_edition_allows_a_fifth_character(expand_icd: ModuleType) -> None:
    """It has no published list: what its notation allows below a category is in it."""
    codes = expand_icd.EXPAND[ICD10_GM]("I50")
    assert {"I50", "I50.1", "I50.13"} <= codes
    assert not {"I5", "I500", "I50.133", "I51"} & codes
