"""What every test runs under."""

from hypothesis import settings

settings.register_profile("vitrine", deadline=None, max_examples=50)
settings.load_profile("vitrine")
