"""Calls through the whole app, as a client makes them: no socket; a FHIR server that fails the test if surprised."""

from tests.unit.service.conftest import _no_settings, caller, calling, server

__all__ = ["_no_settings", "caller", "calling", "server"]
