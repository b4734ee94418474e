"""The entity rule on the enrolment forms of TCGA: site and histology as pathologists wrote them."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_mappings.concepts import DATA, ICD_O_3, catalogue
from fhir_mappings.entities import Decision, Evidence, decide
from fhir_mappings.resources.datatypes import Coding

pytestmark = pytest.mark.corpus
NO_SOLID_TUMOUR = frozenset({"DLBC", "LAML"})
AGREED = 0.975

# Where and why the rule names another entity than the study, by study; the numbers are of this data.
BENIGN_OR_UNCERTAIN = {"PCPG": 132, "THYM": 19, "ACC": 5, "TGCT": 5, "SARC": 2, "SKCM": 1}
NEIGHBOUR_BY_SITE = {"COAD": 7, "READ": 6, "ESCA": 1}  # colon, rectum, stomach
OTHER_CELLS = {"PAAD": 8, "BRCA": 3, "UVM": 1}  # neuroendocrine, angiosarcoma, phyllodes


def _forms(corpus: Path) -> Iterator[tuple[str, Decision]]:
    """Study and decision of every form that states site and histology."""
    with gzip.open(corpus / "cohorts" / "tcga" / "clinical_bcr_2016_01_28.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["cohort"] in NO_SOLID_TUMOUR or not (row["icd_o_3_site"] and row["icd_o_3_histology"]):
                continue
            site = Coding(ICD_O_3, row["icd_o_3_site"].upper())
            evidence = Evidence((), (site,), (row["icd_o_3_histology"],), row["gender"] == "female")
            yield row["cohort"], decide(evidence, catalogue(), "Condition/form")


@pytest.fixture(scope="module")
def forms(corpus: Path) -> list[tuple[str, Decision]]:
    return list(_forms(corpus))


@pytest.fixture(scope="module")
def entity_of_study() -> dict[str, str]:
    with (DATA / "entities.csv").open(newline="", encoding="utf-8") as file:
        return {study: row["key"] for row in csv.DictReader(file) for study in row["tcga"].split()}


def test_the_rule_agrees_with_the_study(forms: list[tuple[str, Decision]], entity_of_study: dict[str, str]) -> None:
    """In 97.5 % of more than ten thousand patients."""
    agreed = sum(1 for study, decision in forms if decision.entity == entity_of_study[study])
    assert len(forms) > 10_800
    assert agreed / len(forms) >= AGREED


def test_where_it_does_not_agree_it_says_why(
    forms: list[tuple[str, Decision]], entity_of_study: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each exception is no tumour, a conflict, a neighbouring organ, or other cells in the same organ."""
    kinds: dict[str, Counter[str]] = {}
    for study, decision in forms:
        if decision.entity != entity_of_study[study]:
            kind = decision.entity or ", ".join(issue.code for issue in decision.issues)
            kinds.setdefault(kind, Counter())[study] += 1
    with capsys.disabled():
        for kind, studies in sorted(kinds.items(), key=lambda item: -item[1].total()):
            print(f"\n{studies.total():4} {kind}: {dict(studies.most_common())}", end="")  # noqa: T201
    assert kinds.pop("not-malignant") == BENIGN_OR_UNCERTAIN
    conflicts = kinds.pop("morphology-site-conflict")
    assert conflicts.total() <= 70
    others: Counter[str] = Counter()
    for studies in kinds.values():
        others += studies
    assert others == Counter(NEIGHBOUR_BY_SITE) + Counter(OTHER_CELLS)
    assert "" not in kinds  # never None without a word
