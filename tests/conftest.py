"""One profile for all property tests: machines are shared, so no example has a deadline."""

from hypothesis import settings

settings.register_profile("envmgr", deadline=None)
settings.load_profile("envmgr")
