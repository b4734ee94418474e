"""Few generated examples in the gate, always the same ones; many and new ones by `--hypothesis-profile=many`."""

from hypothesis import HealthCheck, settings

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("gate", max_examples=40, deadline=None, derandomize=True, suppress_health_check=SLOW_IS_FINE)
settings.register_profile("many", max_examples=10_000, deadline=None, suppress_health_check=SLOW_IS_FINE)
settings.load_profile("gate")
