"""Everything typed about the catalogue."""

from tests.catalogue.absence_checks import absence_checks
from tests.catalogue.check import Check
from tests.catalogue.diagnosis_checks import diagnosis_checks
from tests.catalogue.observation_checks import observation_checks
from tests.catalogue.other_code_checks import drug_checks, gene_checks
from tests.catalogue.unit_checks import unit_checks
from tests.catalogue.window_checks import window_checks


def code_checks() -> list[Check]:
    return [*observation_checks(), *diagnosis_checks(), *gene_checks(), *drug_checks()]


def all_checks() -> list[Check]:
    return [*window_checks(), *absence_checks(), *unit_checks(), *code_checks()]
