"""What of a record is whole: only there may "not recorded" mean "not there", and may anything be counted.

An answer that is partial, failed, late or was never asked for leaves open what it would have said; so does a resource
that could not be read or understood. A Bundle is complete in itself.
"""

from collections.abc import Collection

from fhir_mappings.decoding import UNREAD_CODES
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.r4 import Clinical, Condition, Observation

_WHOLE = frozenset({"complete", "empty"})
_BUNDLE = "bundle"
_QUERY = {  # names of retrieval.py
    "Condition": "conditions",
    "Encounter": "encounters",
    "List": "lists",
    "MedicationAdministration": "medicationAdministrations",
    "MedicationRequest": "medicationRequests",
    "MedicationStatement": "medicationStatements",
    "Procedure": "procedures",
}
_STAGES = "tumour"
_REPORTS, _SEQUENCES = "genetics", "sequences"


class Completeness:
    """Of one record."""

    def __init__(self, record: PatientRecord, own: OwnResources) -> None:
        self._record = record
        self._own = own

    def has_all_read(self, kind: type[Clinical]) -> bool:
        """Whether every resource of a type that has a query of its own was obtained and could be decoded."""
        name = kind.__name__
        if self._is_unreadable(name):
            return False
        states = self._states({_QUERY[name]})
        return _WHOLE.issuperset(states) if states else not self._record.retrieval

    def has_all(self, kind: type[Clinical]) -> bool:
        """The same, and each could be taken for what it is."""
        return self.has_all_read(kind) and not self._own.lacks(kind)

    @property
    def has_all_variants(self) -> bool:
        """Every report of a variant, so that a gene that was sequenced and is not in one has none."""
        return self._has_observations({_REPORTS, _SEQUENCES})

    @property
    def has_all_reports(self) -> bool:
        """Every variant that is an Observation, so that none contradicts one that says "absent"."""
        return self._has_observations({_REPORTS})

    @property
    def has_all_stages(self) -> bool:
        """Every statement on metastasis, so that M0 stands and the first statement is known."""
        return self._has_observations({_STAGES}) and self.has_all(Condition)

    def _has_observations(self, keys: Collection[str]) -> bool:
        read = _WHOLE.issuperset(self._states(keys)) and not self._is_unreadable("Observation")
        return read and not self._own.lacks(Observation)

    def _states(self, keys: Collection[str]) -> list[str]:
        return [line.state for line in self._record.retrieval if line.key in keys or line.key == _BUNDLE]

    def _is_unreadable(self, name: str) -> bool:
        """Whether a resource that is, or may be, of this type could not be decoded."""
        issues = self._record.issues
        return any(i.code in UNREAD_CODES and i.source.partition("/")[0] in {name, "?", ""} for i in issues)
