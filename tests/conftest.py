"""Property tests try the same examples every time, and none fails because the machine was busy.

To look for new ones: `pytest --hypothesis-profile=default tests/property`.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("steady")
