"""What each issue code means, in the few words of a table: why a resource was not used, why a parameter is empty.

The whole story of each code, and what can be done, is in docs/mapping-issues.md; a test keeps both lists complete.
"""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    # whose, when, and whether it stands
    "foreign-patient": "belongs to another patient",
    "no-subject": "names no patient",
    "about-someone-else": "is about somebody or something else than the patient",
    "unreadable": "is not shaped as FHIR R4 defines it",
    "other-version": "shaped as another FHIR version",
    "type-not-read": "no reader uses this type of resource",
    "for-objections": "read for objections only",
    "not-needed": "nothing in it is asked for",
    "status-not-used": "its status says that it does not stand",
    "modifier-unknown": "a modifier that is not understood may change its meaning",
    "version-unclear": "which version is the newest cannot be told",
    "rules-unknown": "made under rules that are not known",
    "record-replaced": "merged into another record",
    "record-inactive": "the record is marked as not in use",
    "interpretation-only": "interpreted, without a value",
    "reference-not-read": "positions on a transcript are not read",
    "after-at": "dated after the moment of assessment",
    "date-unreadable": "its date is no date",
    # diagnoses
    "not-confirmed": "not confirmed, and not refuted either",
    "refuted": "refuted",
    "superseded": "a newer statement says otherwise",
    "withholds-survival": "no parameter; while it holds no survival figure is given",
    "not-present": "inactive or resolved, and does not count when past",
    "undated": "counts only within a window and has no date",
    "outside-window": "began before its window",
    # treatment
    "not-done": "not done, not given or not taken",
    "only-planned": "planned or proposed only",
    "status-unknown": "whether it took place is not stated",
    "order-no-dose": "an order does not show that a dose was given",
    "route-local": "given where it acts, not to the whole body",
    "not-current": "ended before the assessment",
    "too-short": "not shown to be in use for 7 days",
    "no-indication": "an endocrine drug, and no tumour is recorded",
    "organ-differs": "on an organ in which no tumour of the record is",
    "list-not-complete": "a list that declares no history complete",
    # the tumour
    "histology-assumed": "histology assumed from the site",
    "morphology-needed": "the site alone does not tell the tumour type",
    "morphology-conflict": "two different morphologies",
    "morphology-site-conflict": "the morphology does not occur at the recorded site",
    "morphology-not-listed": "the morphology is in no list; the site decided",
    "site-conflict": "topography and diagnosis code name different organs",
    "not-malignant": "benign, uncertain or in situ",
    "haematological": "a blood cancer; only solid tumours are scored",
    "several-primaries": "one of several active primaries; none is scored",
    "tumour-inactive": "the only tumour is inactive; it is not scored",
    "report-unassigned": "a pathology report of no known diagnosis",
    "stage-not-initial": "a stage after treatment or at recurrence",
    # codes and answers
    "code-unknown": "its code is not in the catalogue",
    "code-excluded": "its code is known and never used",
    "parts-elsewhere": "says nothing alone; its members are read where they are",
    "answer-unknown": "its answer is not in the catalogue",
    "coding-conflict": "its codings contradict each other",
    "stated-unknown": "recorded as unknown",
    "data-absent": "recorded as not available",
    "no-value": "holds no value",
    "not-a-number": "holds no single number",
    # numbers and units
    "unit-missing": "has no unit",
    "unit-unknown": "its unit is not known for this parameter",
    "unit-conflict": "its units contradict each other",
    "implausible": "outside the plausible range",
    "no-limit": "has no upper reference limit",
    "period-unknown": "the hours of collection are not known",
    "haemolysed": "the sample is haemolysed",
    "same-day-conflict": "two values of one day differ by more than 20 %",
    # genes
    "gene-unknown": "of no gene of the catalogue",
    "gene-conflict": "gene id and gene name disagree",
    "presence-not-stated": "neither present nor absent is stated",
    "significance-not-stated": "a germline variant of no stated significance",
    "variant-outside-rule": "a variant that does not count for its gene",
    "variant-unclassified": "what the variant does cannot be told",
    "test-cannot-exclude": "the test cannot show that the gene is unaltered",
    "build-unknown": "its genome build is not known",
    "coordinates-unknown": "its coordinate system is not stated",
    # imaging
    "imaging-not-used": "its study is no CT, was not made, or lies after the assessment",
    "region-unknown": "names no single body cavity",
    "parts-missing": "no ratio can be formed from it",
}


def in_words(code: str) -> str:
    """The words of a code; a code without words says itself."""
    return WORDS.get(code, code)
