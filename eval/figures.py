"""How figures are written in sentences, tables and reports."""

from math import floor, isfinite, log10


def short(value: float, *, signed: bool = False) -> str:
    """Three decimals and no leading zero, as figures of [0, 1] are quoted: `.842`, `+.030`, `–` for NaN."""
    if not isfinite(value):
        return "–"
    rounded = round(value, 3) + 0.0
    spelled = f"{rounded:+.3f}" if signed and rounded else f"{rounded:.3f}"
    return spelled.replace("-", "−").replace("0.", ".", 1) if abs(rounded) < 1 else spelled.replace("-", "−")


def between(low: float, high: float, *, signed: bool = False) -> str:
    """`[.821, .863]`, or nothing where there is no interval."""
    return f"[{short(low, signed=signed)}, {short(high, signed=signed)}]" if isfinite(low) and isfinite(high) else ""


def chance(p_value: float) -> str:
    """A p-value, which is never quite zero."""
    return "< .001" if p_value < 0.001 else short(p_value)


def dollars(amount: float) -> str:
    """US dollars with two digits that count, at least cents: `$0.0021`, `$1.25`."""
    return f"${amount:,.2f}" if amount >= 0.1 or amount <= 0 else f"${amount:.{1 - floor(log10(amount))}f}"
