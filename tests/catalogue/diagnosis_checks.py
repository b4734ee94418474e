"""Checks of typed/icd10.txt, snomed_conditions.txt and icd_o_3.txt: a Condition states the typed disease or tumour."""

from collections.abc import Iterator
from functools import partial

from fhir_mappings.concepts import ICD10_CM, ICD10_GM, ICD10_WHO, ICD_O_3, SNOMED, catalogue
from tests.catalogue.check import Check, lines
from tests.catalogue.observation_checks import not_meant
from tests.unit.fhir_mappings.resources_of import Resource, concept, condition, encoded

EDITIONS = {"W": ICD10_WHO, "G": ICD10_GM, "C": ICD10_CM}
_A_MALIGNANCY = "363346000"  # says nothing of where or of what cells
_MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"


def diagnosis_checks() -> list[Check]:
    return [*_by_icd10(), *_by_snomed(), *_by_icd_o_3()]


def icd10_sample(key: str) -> str | None:
    """A code of the German edition that states the parameter."""
    for head, rest in lines("icd10.txt"):
        name, *editions = head.split()
        if name == key and editions and "G" in editions[0]:
            return rest.split()[0]
    return None


def _by_icd10() -> Iterator[Check]:
    for head, rest in lines("icd10.txt"):
        *marks, key, editions = head.split()
        for edition in editions:
            system = EDITIONS[edition]
            for code in rest.split():
                yield from _of_condition(key, system, code, marks[0] if marks else "")


def _by_snomed() -> Iterator[Check]:
    for key, rest in lines("snomed_conditions.txt"):
        for code in rest.split():
            yield from _of_condition(key, SNOMED, code, "")


def _of_condition(key: str, system: str, code: str, mark: str) -> Iterator[Check]:
    name = f"{mark} {key}: {system.rsplit('/', 1)[-1]} {code}".strip()
    key, _, level = key.partition("=")
    about = frozenset({key.rstrip("+"), f"{system}|{code}", f"{system}|{code.partition('.')[0]}"})
    if mark == "ignored":
        yield Check(name, about, partial(not_meant, system, code, key, "ignored"), by_value=True)
    elif mark == "none":
        yield Check(name, about, partial(_is_stated, key, system, code))
    elif key.endswith("+"):
        yield Check(name, about, partial(_needs_no_cells, key.rstrip("+"), system, code), by_value=True)
    elif key == "comorb_prior_malignancy":  # counts only beside the tumour that is scored
        yield Check(name, about, partial(not_meant, system, code, key, "category"), by_value=True)
    else:
        expected = float(level) if level else 1.0
        if level:
            yield Check(name, about, partial(not_meant, system, code, key, f"level={level}"), by_value=True)
        yield Check(name, about, partial(_not_stated, key, condition(code, system, days=5), expected))


def _is_stated(key: str, system: str, code: str) -> str | None:
    stated = encoded(condition(code, system, days=5)).findings.get(key)
    meant = [c for c in catalogue().lookup(system, code) if c.key == key and c.meaning != "ignored"]
    return "it is stated" if meant or (stated and stated.value == 1) else None


def _needs_no_cells(key: str, system: str, code: str) -> str | None:
    requires = [c.requires for c in catalogue().lookup(system, code) if c.key == key and c.meaning == "category"]
    return None if requires == ["morphology"] else f"requires {requires}"


def _not_stated(key: str, resource: Resource, expected: float) -> str | None:
    found = encoded(resource).findings.get(key)
    if found is None or found.value != expected:
        return f"{'nothing' if found is None else format(found.value, 'g')} instead of {expected:g}"
    return None


def _by_icd_o_3() -> Iterator[Check]:
    for head, rest in lines("icd_o_3.txt"):
        words = head.split()
        for code in rest.split():
            yield _of_icd_o_3(words, code)


def _of_icd_o_3(words: list[str], code: str) -> Check:  # noqa: PLR0911 - one line per kind of statement
    name = f"{' '.join(words)}: {code}"
    key = next(word for word in words if "_" in word).partition("=")[0]
    about = frozenset({key, f"{ICD_O_3}|{code}", f"{ICD_O_3}|{code.partition('.')[0]}"})
    match words:
        case ["ignored", _]:
            return Check(name, about, partial(not_meant, ICD_O_3, code, key, "ignored"), by_value=True)
        case ["+", _]:
            return Check(name, about, partial(_needs_no_cells, key, ICD_O_3, code), by_value=True)
        case ["listed", _]:
            return Check(name, about, partial(_is_unlisted, code, key), by_value=True)
        case [_, "alone"]:
            return Check(name, about, partial(_not_stated, key, _sited(code), 1.0))
        case [_, "anywhere"]:
            return Check(name, about, partial(_not_of_cells, key, code, _sited("C76.3", code)))
        case [_, "at", site]:
            about |= {f"{ICD_O_3}|{site}", f"{ICD_O_3}|{site.partition('.')[0]}"}
            return Check(name, about, partial(_not_of_cells, key, code, _sited(site, code)))
        case [leveled]:
            meaning = f"level={leveled.partition('=')[2]}"
            return Check(name, about, partial(not_meant, ICD_O_3, code, key, meaning), by_value=True)
    raise ValueError(f"icd_o_3.txt: {name}")


def _is_unlisted(code: str, key: str) -> str | None:
    meanings = {c.meaning for c in catalogue().lookup(ICD_O_3, code) if c.key == key}
    return None if meanings & {"1", "category"} else f"{key} does not list it"


def _sited(site: str, morphology: str = "") -> Resource:
    cells = [{"url": _MCODE, "valueCodeableConcept": concept(morphology, ICD_O_3)}] if morphology else None
    return condition(_A_MALIGNANCY, SNOMED, bodySite=[concept(site, ICD_O_3)], extension=cells)


def _not_of_cells(key: str, morphology: str, resource: Resource) -> str | None:
    """None where the tumour is that entity because its cells are listed for it, not merely because of its site."""
    patient = encoded(resource)
    if key not in patient.findings:
        return "another entity or none"
    listed = not any(issue.code == "morphology-not-listed" for issue in patient.issues)
    return _is_unlisted(morphology, key) if listed else "the cells are not listed"
