"""Condition -> comorbidities and metastases: confirmed and present, or nothing."""

import pytest

from fhir_mappings.concepts import ICD10_CM, ICD10_GM, SNOMED
from tests.unit.fhir_mappings.resources_of import (
    CERTAINTY,
    CLINICAL,
    VERIFICATION,
    Resource,
    ago,
    codes,
    concept,
    condition,
    documented,
    finding,
    issues,
    refuted,
    value,
)

HEART_FAILURE, EMBOLISM, DIABETES, LIVER = "I50.0", "I26.9", "E11.9", "C78.7"
CHF, PE, DM, MET_LIVER = "comorb_chf", "comorb_pulm_embolism", "comorb_diabetes", "stage_met_liver"


def verified(code: str, system: str = VERIFICATION) -> Resource:
    return {"verificationStatus": concept(code, system)}


def clinical(code: str) -> Resource:
    return {"clinicalStatus": concept(code, CLINICAL)}


def certain(letter: str, *, beside: str = "") -> Resource:
    """A code with the German letter of certainty; `beside` puts a second coding with another letter."""
    coding = {"system": ICD10_GM, "code": HEART_FAILURE}
    codings = [coding | {"extension": [{"url": CERTAINTY, "valueCoding": {"code": x}}]} for x in letter + beside]
    return condition(HEART_FAILURE, code={"coding": codings})


def test_a_confirmed_active_disease_is_present() -> None:
    """Its value names the Condition and its onset."""
    found = finding(CHF, condition(HEART_FAILURE, id="c", days=400))
    assert (found.value, found.sources) == (1, ("Condition/c",))
    assert found.effective is not None
    assert found.effective.isoformat() == ago(400)


def test_any_coding_of_a_condition_may_name_the_disease() -> None:
    """The list is read to its end."""
    several = {"coding": [{"system": "urn:local", "code": "17"}, {"system": SNOMED, "code": "73211009"},
                          {"system": ICD10_CM, "code": DIABETES}]}  # fmt: skip
    assert value(DM, condition("", code=several)) == 1


@pytest.mark.parametrize(
    "status",
    ["entered-in-error", "unconfirmed", "provisional", "differential"],
)
def test_what_is_not_confirmed_is_not_present(status: str) -> None:
    """Suspected is not confirmed, and an error is nothing."""
    assert value(CHF, condition(HEART_FAILURE, **verified(status))) is None


@pytest.mark.parametrize("system", [VERIFICATION, "", "http://hl7.org/fhir/condition-ver-status"])
def test_a_refuted_disease_is_never_present_whatever_system_says_so(system: str) -> None:
    """The binding is required: the word alone decides."""
    assert value(CHF, condition(HEART_FAILURE, **verified("refuted", system))) == 0


def test_a_verification_status_that_fhir_does_not_define_confirms_nothing() -> None:
    """A local word may mean the contrary."""
    assert value(CHF, condition(HEART_FAILURE, **verified("723511001", SNOMED))) is None
    assert value(CHF, condition(HEART_FAILURE, verificationStatus={"text": "ausgeschlossen"})) is None


def test_codings_of_a_profile_beside_the_status_do_not_disturb() -> None:
    """The oncology profile adds how the diagnosis was confirmed."""
    status = {"coding": [{"system": "urn:onko", "code": "7"}, {"system": VERIFICATION, "code": "confirmed"}]}
    assert value(CHF, condition(HEART_FAILURE, verificationStatus=status)) == 1


def test_a_missing_verification_status_is_taken_as_confirmed() -> None:
    """Most servers leave it out."""
    assert value(CHF, condition(HEART_FAILURE, verificationStatus=None)) == 1


def test_of_two_contradicting_statuses_the_more_careful_counts() -> None:
    """Confirmed beside refuted is refuted."""
    status = {"coding": [{"system": VERIFICATION, "code": "confirmed"}, {"system": VERIFICATION, "code": "refuted"}]}
    assert value(CHF, condition(HEART_FAILURE, verificationStatus=status)) == 0


@pytest.mark.parametrize(("letter", "expected"), [("G", 1), ("A", None), ("V", None), ("Z", None), ("?", None)])
def test_the_german_letter_of_certainty_is_read(letter: str, expected: float | None) -> None:
    """G confirmed; A ruled out, V suspected, Z state after never count."""
    assert value(CHF, certain(letter)) == expected


def test_one_doubtful_letter_among_several_codings_suffices() -> None:
    """The same condition coded twice cannot be confirmed and suspected."""
    assert value(CHF, certain("G", beside="V")) is None


def test_an_unknown_modifier_extension_is_not_ignored() -> None:
    """FHIR: who does not understand it must not use the resource."""
    known = condition(HEART_FAILURE, modifierExtension=[{"url": "urn:not-present"}])
    assert value(CHF, known) is None
    assert "modifier-unknown" in codes(known)


@pytest.mark.parametrize("status", ["inactive", "remission", "resolved"])
def test_a_past_disease_is_not_present(status: str) -> None:
    """Only what is there now counts."""
    past = condition(HEART_FAILURE, **clinical(status))
    assert value(CHF, past) is None
    assert "not-present" in codes(past)


@pytest.mark.parametrize(("code", "key"), [("I21.9", "comorb_mi"), ("I63.9", "comorb_cerebrovascular")])
def test_a_past_infarction_or_stroke_still_counts(code: str, key: str) -> None:
    """Charlson counts them for life."""
    assert value(key, condition(code, **clinical("resolved"))) == 1


def test_an_end_before_the_assessment_ends_the_disease_whatever_its_status_says() -> None:
    """And one that had not come by then does not."""
    assert value(CHF, condition(HEART_FAILURE, abatementDateTime=ago(1))) is None
    assert value(CHF, condition(HEART_FAILURE, abatementDateTime=ago(-5), **clinical("resolved"))) == 1


@pytest.mark.parametrize(
    "members",
    [{"onsetDateTime": ago(-3)}, {"recordedDate": ago(-3)}, {"onsetDateTime": "2024-06"}, {"onsetDateTime": "2025"}],
)
def test_what_is_dated_after_the_assessment_is_not_used(members: Resource) -> None:
    """Neither by its onset nor by when it was recorded."""
    later = condition(HEART_FAILURE, **members)
    assert value(CHF, later) is None
    assert "after-at" in codes(later)


def test_a_disease_that_began_this_year_has_begun() -> None:
    """The middle of 2024 is still to come, 2024 is not."""
    assert value(CHF, condition(HEART_FAILURE, onsetDateTime="2024", recordedDate=None)) == 1


def test_a_date_that_is_none_is_an_issue() -> None:
    """Where no other date says when."""
    undated = condition(HEART_FAILURE, onsetDateTime="999999999-01-01", recordedDate=None)
    assert value(CHF, undated) is None
    assert "date-unreadable" in codes(undated)


@pytest.mark.parametrize(("days", "expected"), [(0.5, 1), (180, 1), (181, None)])
def test_an_acute_condition_counts_by_its_onset_in_the_window(days: float, expected: float | None) -> None:
    """Embolism: 180 days."""
    assert value(PE, condition(EMBOLISM, days=days)) == expected


def test_an_acute_condition_counts_though_it_is_over() -> None:
    """What matters is that it happened within the window."""
    assert value(PE, condition(EMBOLISM, days=20, **clinical("resolved"))) == 1


def test_an_acute_condition_without_a_date_is_neither_there_nor_absent() -> None:
    """It may lie in the window."""
    undated = condition(EMBOLISM, onsetDateTime=None, recordedDate=None)
    assert value(PE, undated, *documented()) is None
    assert "undated" in codes(undated)


@pytest.mark.parametrize(
    "members",
    [verified("provisional"), verified("unconfirmed"), {"modifierExtension": [{"url": "urn:x"}]}],
)
def test_silence_about_a_suspected_disease_is_no_absence(members: Resource) -> None:
    """A documented problem list gives 0 for what it does not mention, not for what it doubts."""
    suspected = condition(HEART_FAILURE, **members)
    assert value(CHF, suspected, *documented()) is None
    assert value(DM, suspected, *documented()) == 0


def test_an_old_acute_condition_that_is_still_active_is_not_absent() -> None:
    """Breathlessness since autumn is no absence of breathlessness."""
    assert value("comorb_dyspnoea", condition("R06.0", days=100), *documented()) is None
    assert value("comorb_dyspnoea", condition("R06.0", days=100, **clinical("resolved")), *documented()) == 0


def test_a_refuted_comorbidity_is_an_explicit_zero() -> None:
    """Of that disease alone."""
    assert value(CHF, refuted(HEART_FAILURE)) == 0
    assert value(DM, refuted(HEART_FAILURE)) is None


def test_a_refuted_acute_condition_is_zero_only_within_its_window() -> None:
    """An embolism that was ruled out a year ago says nothing of today."""
    assert value(PE, refuted(EMBOLISM, days=10)) == 0
    assert value(PE, refuted(EMBOLISM, days=400)) is None


def test_the_newest_statement_of_a_disease_wins() -> None:
    """By when it was recorded, not by when the disease began."""
    old = condition(HEART_FAILURE, onsetDateTime=ago(900), recordedDate=ago(900), id="old")
    later = refuted(HEART_FAILURE, days=100, onsetDateTime=ago(2000))
    assert value(CHF, old, later) == 0
    again = condition(HEART_FAILURE, onsetDateTime=ago(900), recordedDate=ago(10), id="again")
    assert value(CHF, later, again) == 1
    assert "superseded" in codes(later, again)


def test_a_metastasis_stays_once_it_was_confirmed() -> None:
    """It may be gone on images and is not gone from the stage; a refutation gives no 0."""
    assert value(MET_LIVER, condition(LIVER, **clinical("resolved"))) == 1
    assert value(MET_LIVER, condition(LIVER, days=300), refuted(LIVER, days=10)) == 1
    assert value(MET_LIVER, refuted(LIVER)) is None


def test_regional_lymph_nodes_are_no_distant_metastasis() -> None:
    """ICD-10 C77 codes the regional ones too."""
    assert value("stage_met_lymph_distant", condition("C77.3")) is None
    assert value("stage_m1", condition("C77.3")) is None


def test_family_history_and_history_of_are_no_disease() -> None:
    """Z80 and Z85 name none."""
    for code in ("Z85.1", "Z80.1"):
        assert "code-unknown" in codes(condition(code))


def test_a_condition_without_a_known_code_is_an_issue() -> None:
    """Also one that has text only."""
    assert "code-unknown" in codes(condition("S93.4"))
    assert "code-unknown" in codes(condition("", code={"text": "Asthma"}))


def test_what_was_ruled_out_is_not_in_doubt() -> None:
    """A proves nothing and leaves the silence of the problem list; V and Z leave the question open."""
    assert value(CHF, certain("A"), *documented()) == 0
    assert value(CHF, certain("V"), *documented()) is None
    assert value(CHF, certain("Z"), *documented()) is None


def test_a_letter_in_another_extension_is_no_certainty() -> None:
    """The side of the body is coded beside it."""
    side = {"url": "http://fhir.de/StructureDefinition/seitenlokalisation", "valueCoding": {"code": "V"}}
    code = {"coding": [{"system": ICD10_GM, "code": HEART_FAILURE, "extension": [side]}]}
    assert value(CHF, condition(HEART_FAILURE, code=code)) == 1
    empty = {"coding": [{"system": ICD10_GM, "code": HEART_FAILURE, "extension": [{"url": CERTAINTY}]}]}
    assert value(CHF, condition(HEART_FAILURE, code=empty)) == 1


def test_the_moment_itself_belongs_to_the_past() -> None:
    """What begins now has begun, what ends now has ended."""
    assert value(CHF, condition(HEART_FAILURE, days=0)) == 1
    assert value(CHF, condition(HEART_FAILURE, abatementDateTime=ago(0))) is None


def test_only_what_may_have_mattered_is_a_warning() -> None:
    """A modifier that nobody understands; a suspicion is information."""
    by_code = {i.code: i.severity for i in issues(
        condition(HEART_FAILURE, modifierExtension=[{"url": "urn:x"}]),
        condition(HEART_FAILURE, **verified("provisional")),
    )}  # fmt: skip
    assert by_code == {"modifier-unknown": "warning", "not-confirmed": "information"}


def test_a_malignancy_of_no_entity_is_no_unknown_code() -> None:
    """It is known, and judged with the tumours."""
    assert "code-unknown" not in codes(condition("C83.3"))
