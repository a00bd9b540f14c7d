"""Choosing search settings on one half of a suite and judging the choice on the other."""
