"""What flags and consents object to, as R4 and R5 write them; every example is valid for fhir.resources."""

import json
from typing import Any

import pytest
from fhir.resources.consent import Consent as R5Consent
from fhir.resources.flag import Flag as R5Flag
from fhir.resources.R4B.consent import Consent as R4Consent
from fhir.resources.R4B.flag import Flag as R4Flag

from fhir_mappings.decoding import Decoded, decode
from fhir_mappings.objections import denied, flagged
from fhir_mappings.record import Entry, OwnResources, PatientRecord, entries_of
from fhir_mappings.resources.objections import Consent, Flag
from fhir_mappings.versions import Version
from tests.unit.fhir_mappings.resources_of import AT, PATIENT, ago, concept, patient

URN = "urn:site"
OVER = {"start": ago(900), "end": ago(100)}
RUNNING = {"start": ago(100), "end": ago(-900)}
COMING = {"start": ago(-100)}
MII = "2.16.840.1.113883.3.1937.777.24.5.3"


def coding(code: str) -> dict[str, str]:
    return {"system": URN, "code": code}


def read(resource: dict[str, Any], version: Version = "R4") -> Decoded:
    return decode(json.dumps(resource).encode(), version)


def only(resource: dict[str, Any], version: Version = "R4") -> Any:
    decoded = read(resource, version)
    assert not decoded.issues
    return decoded.entries[0].resource


def flag(**members: Any) -> dict[str, Any]:
    about = {"reference": f"Patient/{PATIENT}"}
    given = {"id": "f", "status": "active", "code": concept("no-ai", URN), "subject": about, **members}
    return {"resourceType": "Flag", **{name: value for name, value in given.items() if value is not None}}


def r4(provision: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    consent = {
        "resourceType": "Consent",
        "id": "c",
        "status": "active",
        "scope": concept("about", URN),
        "category": [concept("kind", URN)],
        "patient": {"reference": f"Patient/{PATIENT}"},
        **({"provision": provision} if provision else {}),
        **members,
    }
    R4Consent.model_validate(consent) if consent["status"] else None
    return consent


def r5(**members: Any) -> dict[str, Any]:
    consent = {
        "resourceType": "Consent",
        "id": "c",
        "status": "active",
        "category": [concept("kind", URN)],
        "subject": {"reference": f"Patient/{PATIENT}"},
        **members,
    }
    R5Consent.model_validate(consent)
    return consent


def said(resource: dict[str, Any], version: Version = "R4") -> set[str]:
    """The codes alone."""
    consent = only(resource, version)
    assert isinstance(consent, Consent)
    return {code.rpartition("|")[2] for code in denied(consent, AT)}


class TestFlags:
    @pytest.mark.parametrize("version", ["R4", "R4B", "R5"])
    def test_a_flag_is_the_same_in_every_version(self, version: Version) -> None:
        """Its code with its system."""
        R4Flag.model_validate(flag())
        R5Flag.model_validate(flag())
        found = only(flag(), version)
        assert isinstance(found, Flag)
        assert flagged(found, AT) == {f"{URN}|no-ai"}

    @pytest.mark.parametrize(
        ("members", "counts"),
        [
            ({}, True),
            ({"status": "inactive"}, False),
            ({"status": "entered-in-error"}, False),
            ({"status": "paused"}, True),
            ({"status": None}, True),
            ({"period": RUNNING}, True),
            ({"period": OVER}, False),
            ({"period": COMING}, False),
            ({"period": {"end": "nobody knows"}}, True),
            ({"implicitRules": "https://rules.example"}, True),
            ({"modifierExtension": [{"url": "https://modifier.example", "valueBoolean": True}]}, True),
        ],
    )
    def test_only_a_flag_that_is_up_counts(self, members: dict[str, Any], *, counts: bool) -> None:
        """Lowered, over or still to come it says nothing; of what is not known the worse is believed."""
        assert bool(flagged(only(flag(**members)), AT)) == counts


class TestConsentsOfR4:
    def test_a_rule_denies_by_each_of_its_codes(self) -> None:
        """Code, action, purpose, class and security label; at the root by what the consent is about as well."""
        rule = {
            "type": "deny",
            "code": [concept("code", URN)],
            "action": [concept("action", URN)],
            "purpose": [coding("purpose")],
            "class": [coding("class")],
            "securityLabel": [coding("label")],
        }
        own = {"code", "action", "purpose", "class", "label"}
        whole = {"policyRule": concept("policy", URN)}
        assert said(r4(rule, **whole)) == own | {"about", "kind", "policy"}
        assert said(r4({"type": "permit", "provision": [rule]}, **whole)) == own
        assert said(r4({**rule, "type": "permit"}, **whole)) == set()

    def test_the_german_broad_consent_denies_what_was_refused(self) -> None:
        """Its root denies all and bears no code, what was agreed to is permitted inside, what was refused denied."""
        agreed = {"type": "permit", "code": [concept("3.6", MII)], "period": RUNNING}
        refused = {"type": "deny", "code": [concept("3.8", MII)], "period": RUNNING}
        root = {"type": "deny", "period": RUNNING, "provision": [agreed, refused]}
        assert denied(only(r4(root)), AT) == {f"{URN}|about", f"{URN}|kind", f"{MII}|3.8"}

    @pytest.mark.parametrize("depth", [1, 2, 10, 30])
    def test_a_denial_is_found_at_any_depth(self, depth: int) -> None:
        """However many rules lie around it."""
        rule: dict[str, Any] = {"type": "deny", "code": [concept("deep", URN)]}
        for _ in range(depth):
            rule = {"type": "permit", "provision": [rule]}
        assert said(r4(rule)) == {"deep"}

    @pytest.mark.parametrize("depth", [40, 400, 4_000])
    def test_deeper_than_anybody_writes_is_not_read(self, depth: int) -> None:
        """Then the answer is not whole, and nobody concludes that there is no objection."""
        for body, version in ((b'"provision":{}', "R4"), (b'"decision":"deny"', "R5")):
            nested = b'"provision":' + (b"{" if version == "R4" else b"[{")
            nested += b'"provision":[{' * depth + b"}]" * depth + (b"}" if version == "R4" else b"}]")
            text = b'{"resourceType":"Consent","id":"c",' + (nested if version == "R4" else body + b"," + nested) + b"}"
            assert [issue.code for issue in decode(text, version).issues] == ["unreadable"]  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("outer", "inner", "counts"),
        [
            (None, None, True),
            (RUNNING, None, True),
            (OVER, None, False),
            (None, OVER, False),
            (OVER, RUNNING, True),
            (RUNNING, COMING, False),
        ],
    )
    def test_a_rule_counts_within_its_period(
        self, outer: dict[str, str] | None, inner: dict[str, str] | None, *, counts: bool
    ) -> None:
        """Its own, else that of the rule around it."""
        rule = {"type": "deny", "code": [concept("x", URN)], **({"period": inner} if inner else {})}
        assert ("x" in said(r4({"provision": [rule], **({"period": outer} if outer else {})}))) == counts

    def test_what_is_over_is_about_nothing(self) -> None:
        """Scope, category and policy rule hold as long as the root does."""
        assert said(r4({"type": "deny", "period": OVER}, policyRule=concept("policy", URN))) == set()

    @pytest.mark.parametrize(
        ("status", "counts"),
        [
            ("active", True),
            ("draft", False),
            ("proposed", False),
            ("rejected", False),
            ("inactive", False),
            ("entered-in-error", False),
            ("unknown", True),
            ("", True),
        ],
    )
    def test_only_a_consent_in_force_counts(self, status: str, *, counts: bool) -> None:
        """What was offered and rejected denies nothing; a status that is not known may be in force."""
        assert bool(said(r4({"type": "deny"}, status=status))) == counts

    @pytest.mark.parametrize("kind", [None, "withdraw"])
    def test_a_rule_that_does_not_say_what_it_does_denies(self, kind: str | None) -> None:
        """In R4 the root should say nothing; its policy rule (opting out) counts, what it is about does not."""
        rule = {"code": [concept("x", URN)], **({"type": kind} if kind else {})}
        assert said({**r4(policyRule=concept("OPTOUT", URN)), "provision": rule}) == {"x", "OPTOUT"}
        assert said(r4(policyRule=concept("OPTOUT", URN))) == {"OPTOUT"}

    def test_whoever_is_denied_the_denial_counts(self) -> None:
        """Actors, data and what a modifier says are not looked at."""
        actor = {"role": concept("PRCP", URN), "reference": {"reference": "Organization/1"}}
        rule = {"type": "deny", "code": [concept("x", URN)], "actor": [actor]}
        modified = {"modifierExtension": [{"url": "https://modifier.example", "valueBoolean": True}]}
        assert "x" in said(r4(rule, implicitRules="https://rules.example", **modified))


class TestConsentsOfR5:
    def test_each_level_is_the_exception_to_the_one_around_it(self) -> None:
        """From the decision inwards: permit, deny, permit; and the other way round."""
        inner = {"code": [concept("inner", URN)]}
        middle = {"code": [concept("middle", URN)], "provision": [inner]}
        outer = {"code": [concept("outer", URN)], "provision": [middle]}
        assert said(r5(decision="permit", provision=[outer]), "R5") == {"outer", "inner"}
        assert said(r5(decision="deny", provision=[outer]), "R5") == {"kind", "middle"}
        assert said(r5(provision=[outer]), "R5") == {"outer", "middle", "inner"}

    def test_a_rule_denies_by_each_of_its_codes(self) -> None:
        """Types of documents and resources are R4's classes; the regulation is its policy rule."""
        rule = {
            "code": [concept("code", URN)],
            "action": [concept("action", URN)],
            "purpose": [coding("purpose")],
            "documentType": [coding("document")],
            "resourceType": [coding("resource")],
            "securityLabel": [coding("label")],
        }
        own = {"code", "action", "purpose", "document", "resource", "label"}
        assert said(r5(decision="permit", provision=[rule], regulatoryBasis=[concept("law", URN)]), "R5") == own
        assert said(r5(decision="deny", regulatoryBasis=[concept("law", URN)]), "R5") == {"kind", "law"}

    def test_its_period_holds_for_every_rule_that_has_none(self) -> None:
        """As R5 says."""
        rule = {"code": [concept("x", URN)]}
        assert said(r5(decision="permit", period=OVER, provision=[rule]), "R5") == set()
        assert said(r5(decision="permit", period=OVER, provision=[{**rule, "period": RUNNING}]), "R5") == {"x"}

    def test_what_was_not_done_does_not_count(self) -> None:
        """Nor a draft; `unknown` may be in force."""
        assert said(r5(decision="deny", status="not-done"), "R5") == set()
        assert said(r5(decision="deny", status="unknown"), "R5") == {"kind"}

    @pytest.mark.parametrize(
        ("consent", "version", "other"),
        [
            (r4({"type": "deny"}), "R5", "R4"),
            (r4(), "R5", "R4"),
            (r5(decision="deny"), "R4", "R5"),
            (r5(), "R4", "R5"),
        ],
    )
    def test_the_shape_of_another_version_is_no_consent(
        self, consent: dict[str, Any], version: Version, other: Version
    ) -> None:
        """It is not read by guess: the version is asked for, or set."""
        decoded = read(consent, version)
        assert [(issue.code, f"shaped as FHIR {other}" in issue.diagnostics) for issue in decoded.issues] == [
            ("other-version", True)
        ]

    @pytest.mark.parametrize(
        ("version", "member"),
        [
            ("R4", {"subject": {}}),
            ("R4", {"decision": "deny"}),
            ("R4", {"regulatoryBasis": []}),
            ("R4", {"period": {}}),
            ("R4", {"except": []}),
            ("R5", {"patient": {}}),
            ("R5", {"scope": {}}),
            ("R5", {"policyRule": {}}),
            ("R5", {"provision": [{"type": "deny"}]}),
            ("R5", {"provision": [{"class": []}]}),
        ],
    )
    def test_one_member_of_another_version_is_enough(self, version: Version, member: dict[str, Any]) -> None:
        """In this version it would be passed over, and what it denies with it; R4 tells STU3 apart too."""
        decoded = read({"resourceType": "Consent", "id": "c", "status": "active", **member}, version)
        assert [issue.code for issue in decoded.issues] in (["other-version"], ["unreadable"])

    def test_what_is_said_of_the_resource_itself_stays(self) -> None:
        """Its name, its labels, and rules under which it was made."""
        meta = {"security": [coding("secret")]}
        consent = only(r5(meta=meta, implicitRules="urn:rules"), "R5")
        assert (consent.address, consent.implicitRules) == ("Consent/c", "urn:rules")
        assert [label.code for label in consent.meta.security] == ["secret"]


class TestWhose:
    @pytest.mark.parametrize(
        ("reference", "scoped", "codes"),
        [
            (f"Patient/{PATIENT}", False, set()),
            ("Patient/other", True, {"foreign-patient"}),
            (f"https://elsewhere.example/Patient/{PATIENT}", True, {"foreign-patient"}),
            ("Location/ward", False, {"no-subject"}),
            ("Location/ward", True, set()),
            ("", False, set()),
            ("#p", False, set()),
            ("urn:uuid:7d0e4ac4-5bde-4a0c-9b0e-0a3ac8a5a8e1", False, set()),
        ],
    )
    def test_another_patients_is_told(self, reference: str, codes: set[str], *, scoped: bool) -> None:
        """A flag may be about a ward, which is nobody; R5 names its `subject`, R4 its `patient`.

        One that does not say whose it is, or not so that it can be told, is the patient's in doubt.
        """
        whose = {"reference": reference}
        each = (
            read(flag(subject=whose)),
            read({**r4(), "patient": whose}),
            read({**r5(), "subject": whose}, "R5"),
        )
        for decoded in each:
            who = decode(json.dumps(patient()).encode()).entries
            own = OwnResources(PatientRecord(PATIENT, entries_of((*who, *decoded.entries), scoped=scoped)))
            assert {issue.code for issue in own.issues} == codes
            assert bool([*own.of(Flag), *own.of(Consent)]) == (not codes)

    def test_at_hand_another_servers_patient_is_told(self) -> None:
        """Its relative reference is to a patient of that server; an entry's address may be another's too."""
        base, urn = "https://fhir.example/r4", "urn:uuid:7d0e4ac4-5bde-4a0c-9b0e-0a3ac8a5a8e1"
        elsewhere = Entry(only(flag()), "https://elsewhere.example/Flag/f")
        of_another = Entry(only(flag(subject={"reference": urn})))
        for entries in ((elsewhere,), (Entry(only({**patient(), "id": "other"}), urn), of_another)):
            own = OwnResources(PatientRecord(PATIENT, entries, (base,)))
            assert [issue.source for issue in own.issues if issue.code == "foreign-patient"][-1] == "Flag/f"
