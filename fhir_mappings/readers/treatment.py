"""Everything that the record says of treatment: drugs, procedures, regimens, and what is declared complete."""

from collections.abc import Collection
from datetime import datetime
from typing import get_args

import msgspec

from fhir_mappings.concepts import Catalogue
from fhir_mappings.finding import Issue, Reading
from fhir_mappings.readers.declared_lists import Declaration, Kind, declarations
from fhir_mappings.readers.drug_uses import DrugUse, DrugUses, drug_uses
from fhir_mappings.readers.medications import read_medications
from fhir_mappings.readers.procedures import Done, Procedures, Tumours, read_procedures
from fhir_mappings.readers.regimens import KEY as REGIMENS
from fhir_mappings.readers.regimens import Course, count_regimens
from fhir_mappings.record import OwnResources
from fhir_mappings.resources.therapies import DrugRecord, List, Procedure, Treatment
from fhir_mappings.timing import in_order
from fhir_mappings.windows import Windows

_DRUGS: tuple[type[DrugRecord], ...] = get_args(DrugRecord)
_ENDOCRINE = "tx_endocrine"
# Any of these is anticancer treatment; a somatostatin analogue also treats the symptoms of other diseases.
SYSTEMIC = frozenset(
    {
        REGIMENS, _ENDOCRINE, "tx_ici", "tx_chemo_platinum", "tx_chemo_fluoropyrimidine", "tx_chemo_taxane",
        "tx_chemo_anthracycline", "tx_chemo_other", "tx_targeted_tki", "tx_targeted_parp", "tx_targeted_mab",
    }
)  # fmt: skip
_TRANSFUSION = "tx_red_cell_transfusion_30d"
_RADIOLIGAND = "tx_radioligand"


class TreatmentPicture(msgspec.Struct, frozen=True):
    """What all readers of treatment said.

    `declared`: lists that prove that what is not recorded did not take place. `undecided`: parameters of which the
    record speaks without deciding them. `began`: the earliest dated treatment of a cancer.
    """

    reading: Reading
    undecided: frozenset[str]
    declared: tuple[Declaration, ...]
    began: datetime | None


def read_treatment(
    own: OwnResources, tumours: Tumours, source: Catalogue, windows: Windows, complete: Collection[type[Treatment]]
) -> TreatmentPicture:
    """`complete`: the types of which all is there and was understood; only over them a list proves an absence."""
    at = windows.at
    present = {resource.address for kind in (*_DRUGS, Procedure) for resource in own.of(kind)}
    lists, issues = declarations(own.of(List), at, own.address_of, present)
    uses = drug_uses(own, source, at)
    no_indication = [] if tumours.conditions else _without_endocrine(uses)
    medications = read_medications([_confirmed(use, lists) for use in uses.known], source.schema, windows)
    procedures = read_procedures(own.of(Procedure), tumours, source, at, own.address_of)
    courses, undated = _courses(uses.known, procedures.courses)
    has_all_courses = {*_DRUGS, Procedure} <= set(complete)
    regimens = count_regimens(courses) if has_all_courses and not undated else None
    total = Reading([regimens] if regimens else [], [*uses.issues, *no_indication, *undated, *issues])
    total.add(medications.reading)
    total.add(procedures.reading)
    undecided = uses.undecided | medications.undecided | procedures.undecided
    if not set(_DRUGS) <= set(complete):  # blood is given as a drug too, whatever a list of procedures says
        undecided |= {_TRANSFUSION}
    if no_indication:  # the tumour may be what was not obtained
        undecided |= {_ENDOCRINE, REGIMENS}
    return TreatmentPicture(
        reading=total,
        undecided=frozenset(undecided | ({REGIMENS} if undated else set())),
        declared=_proofs(lists, uses, procedures, complete),
        began=_began(uses.known, procedures, courses),
    )


def _without_endocrine(uses: DrugUses) -> list[Issue]:
    """Where no tumour is recorded, an endocrine drug is for something else (leuprorelin for endometriosis)."""
    issues: list[Issue] = []
    for place, use in enumerate(uses.known):
        if _ENDOCRINE in use.drug.keys:
            other = tuple(concept for concept in use.drug.known if concept.key not in {_ENDOCRINE, REGIMENS})
            drug = msgspec.structs.replace(use.drug, known=other)
            uses.known[place] = msgspec.structs.replace(use, drug=drug)
            text = f"{_ENDOCRINE}: no tumour is recorded, and the drug has other uses"
            issues.append(Issue("information", "no-indication", text, use.address))
    return issues


def _confirmed(use: DrugUse, lists: list[Declaration]) -> DrugUse:
    """A use that goes on was in use when a medication list last held it, however long ago it was written."""
    dates = [one.dated for one in lists if "medication" in one.kinds and use.address in one.entries]
    if not (use.ongoing and dates):
        return use
    shown = [moment for moment in (use.until, *dates) if moment]
    return msgspec.structs.replace(use, until=max(shown, key=in_order))


def _courses(uses: list[DrugUse], done: list[Done]) -> tuple[list[Course], list[Issue]]:
    """The dated courses of systemic anticancer treatment, and an issue for each that is not dated."""
    courses: list[Course] = []
    undated: list[Issue] = []
    spans = [
        (use.address, use.drug.agent, use.start or use.until, use.until, _ENDOCRINE in use.drug.keys)
        for use in uses
        if use.kind != "ordered" and use.drug.keys & SYSTEMIC
    ]
    spans += [(one.address, "", one.start, one.end, any(c.key == _ENDOCRINE for c in one.known)) for one in done]
    for address, agent, start, end, endocrine in spans:
        if start is None:
            undated.append(Issue("information", "undated", f"{REGIMENS}: regimens are told by their dates", address))
        else:
            courses.append(Course(address, agent, start, end or start, endocrine))
    return courses, undated


def _proofs(
    lists: list[Declaration], uses: DrugUses, procedures: Procedures, complete: Collection[type[Treatment]]
) -> tuple[Declaration, ...]:
    """What the lists may still prove where types are incomplete, or drugs or procedures cannot be told."""
    drugs_known = {List, *_DRUGS} <= set(complete)
    kept: set[Kind] = set()
    kept |= {"medication"} if drugs_known and not uses.unnamed_now else set()
    kept |= {"systemic therapy"} if drugs_known and Procedure in complete and not uses.unnamed else set()
    kept |= {"procedures"} if {List, Procedure} <= set(complete) and not procedures.unnamed else set()
    proving = [msgspec.structs.replace(one, kinds=one.kinds & kept) for one in lists]
    return tuple(one for one in proving if one.kinds)


def _began(uses: list[DrugUse], procedures: Procedures, courses: list[Course]) -> datetime | None:
    """The earliest start of a treatment of cancer, systemic or local."""
    radioligands = [use.start for use in uses if use.kind != "ordered" and _RADIOLIGAND in use.drug.keys and use.start]
    starts = [*(course.start for course in courses), *radioligands, *procedures.begun]
    return min(starts, key=in_order, default=None)
