"""What was typed by hand about the catalogue holds."""

from collections.abc import Callable

import pytest

from fhir_mappings.concepts import catalogue
from tests.catalogue.absence_checks import absence_checks, typed_rules
from tests.catalogue.all_checks import code_checks
from tests.catalogue.check import Check
from tests.catalogue.unit_checks import unit_checks
from tests.catalogue.window_checks import typed_windows, window_checks


@pytest.mark.parametrize("checks", [window_checks, absence_checks, unit_checks, code_checks])
def test_everything_typed_holds(checks: Callable[[], list[Check]]) -> None:
    """Windows, meanings of absence, units and codes do what the typed files say."""
    assert {check.name: wrong for check in checks() if (wrong := check.wrong())} == {}


def test_every_parameter_has_a_typed_rule() -> None:
    """No parameter is left to the catalogue's own word, and none is typed that does not exist."""
    schema = catalogue().schema
    assert typed_rules().keys() == set(schema.keys)
    assert typed_windows().keys() == {f.key for f in schema.features if f.window_days is not None}
