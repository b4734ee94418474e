"""`oncohooks mapping catalogue`."""

import csv
import io
import json

import pytest

from fhir_mappings.concepts import DATA, catalogue
from service.commands.catalogue_text import WHEN_ABSENT
from tests.unit.service.commands.test_cli import error_of, run


def test_the_whole_catalogue_is_a_list_of_objects() -> None:
    """The columns of features.csv and the codes, as the contract says."""
    parameters = json.loads(run("mapping", "catalogue", "--json").stdout)
    with (DATA / "features.csv").open(newline="", encoding="utf-8") as file:
        columns = csv.DictReader(file).fieldnames
    assert columns is not None
    assert len(parameters) == 350
    assert all(list(one) == [*columns, "codes"] for one in parameters)
    assert all(set(code) == {"system", "code", "meaning"} for one in parameters for code in one["codes"])
    [sodium] = [one for one in parameters if one["key"] == "lab_sodium"]
    assert {"system": "http://loinc.org", "code": "2951-2", "meaning": "value"} in sodium["codes"]


def test_one_parameter_is_shown_in_full() -> None:
    """Definition, formula with its source, codes with how well they are known."""
    text = run("mapping", "catalogue", "lab_egfr_ckdepi").stdout
    for part in ("Geschätzte GFR", "142 * min(Cr/k, 1)^a", "Inker et al.", "30 / 7 days", "98979-8", "verified: "):
        assert part in text
    [one] = json.loads(run("mapping", "catalogue", "lab_egfr_ckdepi", "--json").stdout)
    assert one["formula"]["source"].startswith("CKD-EPI 2021")
    assert {"verification", "source", "display"} <= set(one["codes"][0])


def test_a_parameter_without_a_code_says_that_it_is_computed() -> None:
    """Not an empty table."""
    assert "no code: it is computed" in run("mapping", "catalogue", "ratio_nlr").stdout


def test_the_table_for_people_has_every_parameter() -> None:
    """With unit, range, window, both labels and codes by verification; at 80 columns too."""
    lines = run("mapping", "catalogue", width=80).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert {line.split()[0] for line in lines if line} >= set(catalogue().schema.keys)
    [at] = [i for i, line in enumerate(lines) if line.startswith("lab_sodium ")]
    assert lines[at].split()[:4] == ["lab_sodium", "mmol/L", "90", "to"]
    assert "Sodium / Natrium; latest, measured only" in lines[at + 1]


def test_the_csv_has_one_row_a_parameter() -> None:
    """Its codes in one cell, its formula beside."""
    rows = list(csv.DictReader(io.StringIO(run("mapping", "catalogue", "--csv").stdout)))
    assert [row["key"] for row in rows] == list(catalogue().schema.keys)
    [bmi] = [row for row in rows if row["key"] == "vital_bmi"]
    assert "http://loinc.org|39156-5" in bmi["codes"].split()
    assert bmi["formula"].startswith("weight in kg")


def test_every_missing_rule_is_explained() -> None:
    """What absent means is written down for each parameter."""
    assert {feature.missing_rule for feature in catalogue().schema.features} == set(WHEN_ABSENT)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["sodium"], "no parameter sodium; there are lab_sodium"),
        (["nothing_like_it"], "no parameter nothing_like_it"),
        (["--json", "--csv"], "give one of --json and --csv"),
    ],
)
def test_a_wrong_call_is_told_on_one_line(arguments: list[str], expected: str) -> None:
    """With what comes near."""
    result = run("mapping", "catalogue", *arguments)
    assert result.exit_code == 2
    assert expected in error_of(result)
