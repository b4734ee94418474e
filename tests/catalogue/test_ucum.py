"""units.csv against an independent UCUM library (ucumvert with pint), molar factors by atomic weights typed here."""

import re
from collections.abc import Iterator

import pytest
from lark.exceptions import VisitError
from pint import DimensionalityError, Quantity
from ucumvert import PintUcumRegistry
from ucumvert.parser import InvalidUcumError

from tests.catalogue.unit_checks import typed_spellings
from tests.mutation.mutants import Row, table

# Standard atomic weights (CIAAW 2021, abridged) and the formulas of the substances; of proteins the mass in g/mol that
# laboratories convert with (conversion table of the AMA Manual of Style, 17.5; UniProt for the peptides).
_WEIGHTS = {"C": 12.011, "H": 1.008, "N": 14.007, "O": 15.999, "P": 30.974, "Ca": 40.078, "Mg": 24.305}
_SUBSTANCES = {
    "lab_creatinine": "C4H7N3O",
    "lab_bilirubin_total": "C33H36N4O6",
    "lab_uric_acid": "C5H4N4O3",
    "lab_urea_nitrogen": "N2",
    "lab_glucose": "C6H12O6",
    "lab_cholesterol": "C27H46O",
    "lab_calcium": "Ca",
    "lab_calcium_ionized": "Ca",
    "lab_magnesium": "Mg",
    "lab_phosphate": "P",
    "lab_lactate": "C3H6O3",
    "lab_testosterone": "C19H28O2",
    "lab_urine_albumin_creatinine": "C4H7N3O",
}
_MASSES = {
    "lab_hemoglobin": 16_114.5,  # one chain with its haem
    "lab_mch": 16_114.5,
    "lab_albumin": 66_437.0,
    "lab_transferrin": 79_570.0,
    "lab_fibrinogen": 340_000.0,
    "lab_ferritin": 445_000.0,
    "lab_crp": 105_000.0,  # 9.524 nmol/L per mg/L
    "lab_nt_probnp": 8_457.0,
    "lab_bnp": 3_464.0,
    "lab_calcitonin": 3_418.0,
}
_DOUBLE_CHARGE = frozenset({"lab_calcium", "lab_calcium_ionized", "lab_magnesium"})

# What the library takes for something that no laboratory means by it.
_MISREAD = {
    "G/L": "gauss per litre; meant is giga",
    "T/L": "tesla per litre; meant is tera",
    "K/uL": "kelvin per microlitre; meant is thousand",
    "C": "coulomb; meant is degree Celsius",
    "F": "farad; meant is degree Fahrenheit",
    "ft": "femtotonne; meant is foot",
    "mg%": "per cent of a milligram; meant is mg/dL",
    "g%": "per cent of a gram; meant is g/dL",
    "mL/min/1.73.m2": "times 73 square metres: the point is a product",
    "mL/min/(173.10*-2.m2)": "per square metre; meant is per standard surface, which UCUM writes as a remark",
    "258813002": "a pure number; it is a SNOMED code",
    "258814008": "a pure number; it is a SNOMED code",
}
# UCUM holds these apart on purpose (arbitrary units); laboratories take one for the other.
_ARBITRARY = re.compile(r"U|IU|arb'U")
_NO_WORD = frozenset({"[pH]"})  # canonical units that the library has no word for
_BY_EQUATION = frozenset({"lab_hba1c"})  # NGSP = 0.09148 IFCC + 2.152, no molar mass
_BY_PERIOD = frozenset({"func_urine_output"})  # mL of a day


@pytest.fixture(scope="module")
def library() -> PintUcumRegistry:
    return PintUcumRegistry()


def _rows() -> Iterator[Row]:
    return (row for row in table("units.csv") if row["scope"] != "none")


def _parsed(library: PintUcumRegistry, spelling: str) -> "Quantity[float] | None":
    try:
        parsed = library.from_ucum(spelling)
    except (InvalidUcumError, VisitError):  # the second: its own failure on pH
        return None
    return parsed if isinstance(parsed, Quantity) else None  # a mere remark, as {score}, has no dimension


def _mass(scope: str) -> float | None:
    """Grams per mole of the parameter's substance."""
    if scope in _MASSES:
        return _MASSES[scope]
    formula = _SUBSTANCES.get(scope)
    atoms = re.findall(r"([A-Z][a-z]?)(\d*)", formula) if formula else []
    return sum(_WEIGHTS[atom] * int(count or 1) for atom, count in atoms) or None


def test_factors_without_substance_agree(library: PintUcumRegistry) -> None:
    """Wherever the library can convert, the table says the same, but for the named exceptions."""
    compared = 0
    differ: list[tuple[str, str, str | float]] = []
    for row in _rows():
        if row["spelling"] in _MISREAD or row["scope"] in _BY_EQUATION | _DOUBLE_CHARGE or float(row["offset"]):
            continue
        written, canonical = _parsed(library, row["spelling"]), _parsed(library, row["ucum"])
        if written is None or canonical is None:
            continue
        try:
            factor = written.to(canonical.units).magnitude / canonical.magnitude
        except DimensionalityError:
            if _mass(row["scope"]) is None and not _may_differ_in_dimension(row):
                differ.append((row["spelling"], row["ucum"], "another dimension"))
            continue
        compared += 1
        if factor != pytest.approx(float(row["factor"]), rel=1e-4):
            differ.append((row["spelling"], row["ucum"], factor))
    assert differ == []
    assert compared > 120


def _may_differ_in_dimension(row: Row) -> bool:
    arbitrary = all(_ARBITRARY.search(row[cell]) for cell in ("spelling", "ucum")) or row["scope"] == "lab_afp"
    of_creatinine = row["ucum"] == "mg/g" and "mol" in row["spelling"]
    return arbitrary or of_creatinine or row["scope"] in _BY_PERIOD


def test_molar_factors_agree_with_molar_masses(library: PintUcumRegistry) -> None:
    """Amount of substance times molar mass is the mass; a double charge counts its amount twice."""
    compared, differ = 0, []
    for row in _rows():
        scope = "lab_urine_albumin_creatinine" if row["ucum"] == "mg/g" else row["scope"]
        mass, written, canonical = _mass(scope), _parsed(library, row["spelling"]), _parsed(library, row["ucum"])
        if mass is None or written is None or canonical is None or row["spelling"] in _MISREAD:
            continue
        charge = 2 if "eq" in row["spelling"] else 1
        molar = library.from_ucum("g/mol") * mass
        ways = [written * molar, written / molar, *([written] if charge == 2 else [])]
        found = [(way / canonical).to_base_units() / charge for way in ways]
        factors = [way.magnitude for way in found if way.dimensionless]
        if factors:
            compared += 1
            if factors[0] != pytest.approx(float(row["factor"]), rel=2e-3):
                differ.append((row["spelling"], row["scope"], factors[0]))
    assert differ == []
    assert compared >= 30


@pytest.mark.parametrize(("spelling", "value"), [("[degF]", 98.6), ("[degF]", 104.0), ("K", 310.15)])
def test_temperatures_agree(library: PintUcumRegistry, spelling: str, value: float) -> None:
    """The affine conversions, offset included."""
    row = next(r for r in _rows() if r["spelling"] == spelling and r["ucum"] == "Cel")
    expected = library.Quantity(value, library.from_ucum(spelling).units).to("degree_Celsius").magnitude
    assert value * float(row["factor"]) + float(row["offset"]) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("spelling", sorted(_MISREAD))
def test_the_named_exceptions_are_needed(library: PintUcumRegistry, spelling: str) -> None:
    """The library still reads them as something else; where it has learned better, the exception goes."""
    row = next(r for r in _rows() if r["spelling"] == spelling)
    written, canonical = _parsed(library, spelling), _parsed(library, row["ucum"])
    assert written is not None
    assert canonical is not None
    assert not written.is_compatible_with(canonical)


def test_every_row_has_a_typed_pair() -> None:
    """What the library cannot read, hospital spellings above all, somebody has typed a value for (typed/units.txt)."""
    typed = typed_spellings()
    assert [(r["spelling"], r["ucum"], r["scope"]) for r in _rows() if not typed(r)] == []
