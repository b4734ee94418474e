"""When a survival figure is given: one patient of whom all conditions hold, and each condition dropped by itself."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from demo.patients import demo_patients
from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.finding import Issue
from fhir_mappings.record import Retrieval
from fhir_mappings.setting import Setting
from models.manifest import Baseline, ServingRule
from models.setting import Network
from service.assessment import assess
from service.attribution import factors
from service.survival import NEVER, Code, Scored, Showing, Withheld, survival_of
from tests.unit.service.golden_cards import shipped
from tests.unit.service.made_up_patients import AT, package, record

ENTITY = "entity_nsclc"
ALLOWED = Showing("detail", "treating", site="here")
DEMONSTRATION = Showing("detail", "unknown", demonstration=True)
LABORATORY = "laboratory"
ROOT = Path(__file__).parents[3]


def network(**changes: Any) -> Network:
    """Recalibrated here, with deaths and follow-up enough."""
    made_up = package().network("diagnosis")
    whole = {
        "recalibrated": ("here",),
        "horizons": {ENTITY: (180, 365, 730, 1825)},
        "entities": {ENTITY: (400, 100)},
        "baselines": {"made_up": Baseline((10.0, 400.0, 1000.0), (0.1, 0.2, 0.5), 3000.0)},
    }
    manifest = msgspec.structs.replace(made_up.manifest, **(whole | changes))
    return Network("diagnosis", manifest, made_up.predictor, catalogue().schema)


@cache
def lung() -> EncodedPatient:
    return encode(record("demo-lung"), catalogue().schema, AT)


def scored(
    encoded: EncodedPatient | None = None,
    setting: Setting | None = None,
    ledger: tuple[Retrieval, ...] = (),
    **changes: Any,
) -> Scored:
    patient, scorer = encoded or lung(), network(**changes)
    attribution = scorer.explain(patient.vector)
    chosen = setting or at_point()
    shown = factors(lung(), scorer.explain(lung().vector), scorer, ENTITY)
    return Scored(patient, chosen, scorer, scorer.predict(patient.vector), attribution, shown, ledger=ledger)


def reason(of: Scored, showing: Showing = ALLOWED) -> str:
    found = survival_of(of, AT, showing)
    return found.code if isinstance(found, Withheld) else ""


def without(*keys: str) -> EncodedPatient:
    kept = {key: finding for key, finding in lung().findings.items() if key not in keys}
    return msgspec.structs.replace(lung(), findings=kept)


def with_value(key: str, value: float) -> EncodedPatient:
    values = lung().vector.values.copy()
    values[catalogue().schema.index[key]] = value
    return msgspec.structs.replace(lung(), vector=msgspec.structs.replace(lung().vector, values=values))


def with_laboratory_of(days: float) -> EncodedPatient:
    schema, when = catalogue().schema, AT - timedelta(days=days)
    findings = {
        key: msgspec.structs.replace(f, effective=when) if schema[key].modality == LABORATORY else f
        for key, f in lung().findings.items()
    }
    return msgspec.structs.replace(lung(), findings=findings)


def at_point(rule: Any = "C", network: str = "diagnosis", days: float | None = 20.0) -> Setting:
    zero = None if days is None else AT - timedelta(days=days)
    return Setting(network, rule, zero, "newly-diagnosed")


def test_the_page_lists_every_reason() -> None:
    """docs/survival.md has a line for each reason, in the order in which they are looked at."""
    lines = (ROOT / "docs" / "survival.md").read_text(encoding="utf-8").splitlines()
    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == list(get_args(Code))


def test_where_every_condition_holds_a_figure_is_given() -> None:
    """A year and the next horizon, each with its range."""
    found = survival_of(scored(), AT, ALLOWED)
    assert not isinstance(found, Withheld)
    assert [one.days for one in found] == [365, 730]
    assert all(0 <= one.low <= one.probability <= one.high <= 1 for one in found)
    assert found[0].probability > found[1].probability


DROPPED: dict[Code, tuple[dict[str, Any], Showing]] = {
    "switched-off": ({}, msgspec.structs.replace(ALLOWED, where="never")),
    "page-only": ({}, msgspec.structs.replace(ALLOWED, where="page")),
    "reader-unknown": ({}, msgspec.structs.replace(ALLOWED, reader="unknown")),
    "reader-other": ({}, msgspec.structs.replace(ALLOWED, reader="other")),
    "not-recalibrated": ({"recalibrated": ("elsewhere",)}, ALLOWED),
    "acute": ({"setting": at_point("A")}, ALLOWED),
    "other-point-of-course": ({"setting": at_point("D")}, ALLOWED),
    "substitute-network": ({"setting": at_point("B", "metastatic")}, ALLOWED),
    "incomplete": ({"ledger": (Retrieval("encounters", "search", "failed"),)}, ALLOWED),
    "age-missing": ({"encoded": without("demo_age_at_baseline")}, ALLOWED),
    "entity-missing": ({"trained": {}}, ALLOWED),
    "extent-missing": ({"encoded": without("stage_uicc_stage", "stage_m1")}, ALLOWED),
    "few-deaths": ({"entities": {ENTITY: (400, 99)}}, ALLOWED),
    "pregnancy": ({"encoded": msgspec.structs.replace(lung(), circumstances=frozenset({"pregnancy"}))}, ALLOWED),
    "end-of-life-care": (
        {"encoded": msgspec.structs.replace(lung(), circumstances=frozenset({"end-of-life-care"}))}, ALLOWED
    ),
    "out-of-range": ({"encoded": with_value("lab_hemoglobin", 24.0)}, ALLOWED),
    "unit-doubtful": (
        {"encoded": msgspec.structs.replace(
            lung(), issues=(Issue("warning", "unit-unknown", "lab_cea: ng", "Observation/1"),))},
        ALLOWED,
    ),
    "laboratory-old": ({"encoded": with_laboratory_of(31)}, ALLOWED),
    "horizon-unsupported": ({"horizons": {}}, ALLOWED),
}  # fmt: skip


@pytest.mark.parametrize("code", get_args(Code))
def test_each_condition_alone_withholds_it(code: Code) -> None:
    """With one condition dropped and all others met there is no figure, and the reason is that one."""
    changes, showing = DROPPED[code]
    assert reason(scored(**changes), showing) == code


def test_the_demonstration_waives_two_conditions_only() -> None:
    """Recalibration and reader; every other one holds in it too."""
    assert reason(scored(recalibrated=()), DEMONSTRATION) == ""
    waived = {"reader-unknown", "reader-other", "not-recalibrated"}
    for code, (changes, showing) in DROPPED.items():
        shown = msgspec.structs.replace(showing, demonstration=True)
        assert reason(scored(**changes), shown) == ("" if code in waived else code)


def test_by_command_line_the_page_and_the_role_do_not_matter() -> None:
    """A person asked; recalibration still counts, and a site that shows none shows none there."""
    operator = Showing("page", "operator", site="here")
    assert reason(scored(), operator) == ""
    assert reason(scored(recalibrated=()), operator) == "not-recalibrated"
    assert reason(scored(), msgspec.structs.replace(operator, where="never")) == "switched-off"


def test_a_site_without_a_name_is_recalibrated_nowhere() -> None:
    """An empty name is no site, whatever a manifest holds."""
    assert reason(scored(recalibrated=("",)), msgspec.structs.replace(ALLOWED, site="")) == "not-recalibrated"


def test_either_statement_of_the_extent_will_do() -> None:
    """Stage group or metastasis status."""
    assert reason(scored(without("stage_m1"))) == reason(scored(without("stage_uicc_stage"))) == ""


def test_no_laboratory_value_is_an_old_one() -> None:
    """Of 30 days it is new enough; none at all is not."""
    schema = catalogue().schema
    assert reason(scored(with_laboratory_of(30))) == ""
    none = without(*(key for key in lung().findings if schema[key].modality == LABORATORY))
    assert reason(scored(none)) == "laboratory-old"


@pytest.mark.parametrize(
    ("horizons", "days", "expected"),
    [
        ((180, 365, 730, 1825), 0.0, [365, 730]),
        ((730, 1825), 0.0, [730, 1825]),
        ((180,), 0.0, [180]),
        ((180, 365), 20.0, [180]),
        ((180, 730), 20.0, [180]),
    ],
)
def test_horizons_count_from_today(horizons: tuple[int, ...], days: float, expected: list[int]) -> None:
    """A year first, then the next; what reaches beyond the last supported day of the clock is left out."""
    found = survival_of(scored(setting=at_point(days=days), horizons={ENTITY: horizons}), AT, ALLOWED)
    assert not isinstance(found, Withheld)
    assert [one.days for one in found] == expected


def test_the_clock_of_rule_b_ends_at_36_months() -> None:
    """Two years from today are within it 10 months after M1, not 14 months after."""
    early, late = (
        survival_of(scored(setting=at_point("B", days=days)), AT, ALLOWED) for days in (300.0, 430.0)
    )  # fmt: skip
    assert not isinstance(early, Withheld)
    assert not isinstance(late, Withheld)
    assert ([one.days for one in early], [one.days for one in late]) == ([365, 730], [365])


def test_the_limits_are_those_of_the_package() -> None:
    """Days of a laboratory value, deaths, and the end of rule B come from the manifest."""
    strict = ServingRule(laboratory_days=2, fewest_deaths=101)
    assert reason(msgspec.structs.replace(scored(), rule=strict)) == "few-deaths"
    assert reason(msgspec.structs.replace(scored(with_laboratory_of(3)), rule=ServingRule(laboratory_days=2)))
    short = msgspec.structs.replace(scored(setting=at_point("B")), rule=ServingRule(metastatic_days=400))
    found = survival_of(short, AT, ALLOWED)
    assert not isinstance(found, Withheld)
    assert [one.days for one in found] == [365]


def test_the_time_already_survived_counts() -> None:
    """The hazard before today is no longer to be survived."""
    fresh, later = (survival_of(scored(setting=at_point(days=days)), AT, ALLOWED) for days in (0.0, 50.0))
    assert not isinstance(fresh, Withheld)
    assert not isinstance(later, Withheld)
    ratio = np.log(later[0].probability) / np.log(fresh[0].probability)
    assert ratio == pytest.approx((0.2 - 0.1) / 0.1)


def test_the_demonstration_shows_a_figure() -> None:
    """A demonstration patient meets every other condition with the shipped package; without it, recalibration lacks."""
    found = {
        name: (
            assess(record(name), AT, shipped(), showing=DEMONSTRATION),
            assess(record(name), AT, shipped(), showing=Showing("detail", "treating")),
        )
        for name in demo_patients(AT.date())
    }
    shown = {name: real for name, (demonstrated, real) in found.items() if demonstrated.survival}
    assert shown
    for real in shown.values():
        assert not real.survival
        assert real.survival_withheld is not None
        assert real.survival_withheld.code == "not-recalibrated"


def test_an_assessment_says_what_the_figure_rests_on() -> None:
    """Figures, level of the range, patients and cohort stand together; with a reason there is none of them."""
    shown = msgspec.to_builtins(assess(record("demo-lung"), AT, shipped(), showing=DEMONSTRATION))
    assert {"survival", "intervalLevel", "survivalBasis"} <= shown.keys()
    assert "survivalWithheld" not in shown
    assert set(shown["survivalBasis"]) == {"patients", "cohort", "since"}
    withheld = msgspec.to_builtins(assess(record("demo-lung"), AT, shipped(), showing=NEVER))
    assert withheld["survivalWithheld"]["code"] == "switched-off"
    assert not {"survival", "intervalLevel", "survivalBasis"} & withheld.keys()
