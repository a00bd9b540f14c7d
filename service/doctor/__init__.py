"""Whether everything that is set up is there, works and fits together; and what to do where it does not."""

from service.doctor.examining import examine
from service.doctor.finding import Finding, State

__all__ = ["Finding", "State", "examine"]
