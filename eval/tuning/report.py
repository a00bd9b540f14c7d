"""A tuning as a JSON row, and as one self-contained page with a curve or a heatmap per setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from markupsafe import Markup

from eval.figures import short
from eval.report.charts import heatmap, interval_chart, line_chart
from eval.report.html import render
from eval.statistics import Difference, Interval
from eval.suites.suite import Suite
from eval.tuning.fragment import fragment
from eval.tuning.sweeps import Shares, shares_of
from eval.tuning.tune import Stage, Tried, Tuning
from indexer.domain import BuildManifest, Channel

CHANNELS = tuple(channel.value for channel in Channel)


def fragment_of(tuning: Tuning, suite: Suite) -> str:
    """The recommended settings with what they are worth; Raises ValueError when nothing is recommended."""
    if not tuning.verdict.recommended:
        raise ValueError(tuning.verdict.words)
    ends = f"[{tuning.difference.interval.low:+.4f}, {tuning.difference.interval.high:+.4f}]"
    remarks = (
        f"{tuning.measure} of {tuning.kind} queries: {tuning.difference.interval.mean:+.4f} {ends} "
        f"on {tuning.report_queries} queries of {suite.card.name} that had no part in the choice."
    )
    return fragment(tuning.present, tuning.chosen, remarks)


def as_row(tuning: Tuning, suite: Suite, build: BuildManifest) -> dict[str, object]:
    """Plain values, every setting that was tried among them."""
    return {
        "suite": suite.card.name,
        "suite_digest": suite.digest,
        "build": build.build,
        "kind": tuning.kind.value,
        "measure": tuning.measure,
        "products_asked_for": tuning.top_k,
        "settings_tried": tuning.settings_tried,
        "stages": [_stage_row(stage) for stage in tuning.stages],
        "present": tuning.present.model_dump(mode="json"),
        "chosen": tuning.chosen.model_dump(mode="json"),
        "tune": {"queries": tuning.tune_queries, "difference": _difference_row(tuning.tuned)},
        "report": {
            "queries": tuning.report_queries,
            "present": tuning.before.mean,
            "chosen": tuning.after.mean,
            "difference": _difference_row(tuning.difference),
            "p50_ms": {"present": tuning.before.p50, "chosen": tuning.after.p50},
        },
        "notes": list(tuning.notes),
        "recommended": tuning.verdict.recommended,
        "verdict": tuning.verdict.words,
        "fragment": fragment_of(tuning, suite) if tuning.verdict.recommended else None,
    }


def page(tuning: Tuning, suite: Suite, build: BuildManifest) -> str:
    """HTML."""
    return render(
        "tuning.html",
        {
            "tuning": tuning,
            "suite": suite.card,
            "build": build,
            "sections": [_section(stage, tuning.measure) for stage in tuning.stages],
            "fragment": fragment_of(tuning, suite) if tuning.verdict.recommended else "",
            "summary": interval_chart(
                [("tune half, chosen on it", *_ends(tuning.tuned)), ("report half", *_ends(tuning.difference))],
                title=f"{tuning.measure}: chosen minus present settings, 95 % intervals",
                zero=True,
            ),
        },
    )


def spelled(value: object) -> str:
    """A value as people read it: weights as `image .6, text .4`."""
    if isinstance(value, Mapping):
        shares = shares_of(value)
        named = [f"{name} {_number(shares[name])}" for name in CHANNELS if shares.get(name)]
        return ", ".join(named) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Section:
    """What the page shows of one stage: its drawing, what it says, and every value in a table."""

    name: str
    chart: Markup
    caption: str
    before: str
    best: str
    rows: Sequence[tuple[str, Tried]]


def _section(stage: Stage, measure: str) -> Section:
    chart, caption = _drawn(stage, measure)
    best_first = sorted(stage.tried, key=lambda one: (one is not stage.best, -one.trial.mean))
    return Section(
        name=stage.name,
        chart=chart,
        caption=caption,
        before=spelled(stage.tried[0].value),
        best=spelled(stage.best.value),
        rows=[(spelled(one.value), one) for one in best_first],
    )


def _drawn(stage: Stage, measure: str) -> tuple[Markup, str]:
    values = [one.value for one in stage.tried]
    if len({one.trial.mean for one in stage.tried}) == 1:
        return Markup(""), f"Every value gives the same {measure}."
    if all(isinstance(value, Mapping) for value in values):
        weights = [shares_of(value) for value in values if isinstance(value, Mapping)]
        if any(shares.get(Channel.LEXICAL) for shares in weights):
            return _heated(stage, weights, measure)
        places = [shares.get(Channel.IMAGE, 0.0) for shares in weights]
        return _curve(stage, places, f"weight of image; of text the rest ({stage.name})", measure)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return _curve(stage, [float(str(value)) for value in values], stage.name, measure)
    changes = [(spelled(one.value), one.change.mean, one.change.low, one.change.high) for one in stage.tried[1:]]
    title = f"{measure}: change from {stage.name} = {spelled(stage.tried[0].value)}"
    return interval_chart(changes, title=title, zero=True), "95 % intervals of the paired difference, query by query."


def _curve(stage: Stage, places: Sequence[float], label: str, measure: str) -> tuple[Markup, str]:
    """The mean along the setting; the band is what a difference from the value before must leave to be shown."""
    base = stage.tried[0].trial.mean
    points = dict(sorted(zip(places, stage.tried, strict=True), key=lambda pair: pair[0]))
    best = places[stage.tried.index(stage.best)]
    marks = {places[0]: "before", best: "best"} if best != places[0] else {best: "before and best"}
    chart = line_chart(
        {measure: [(place, one.trial.mean) for place, one in points.items()]},
        title=f"{measure} over {stage.name}",
        x_label=label,
        y_label=measure,
        bands={measure: [(base + _known(one.change.low), base + _known(one.change.high)) for one in points.values()]},
        marks=marks,
    )
    return chart, (
        "The band is what the setting gave before plus the 95 % interval of the paired difference from it: where that "
        "leaves the figure from before out, a difference is shown on this half."
    )


def _heated(stage: Stage, weights: Sequence[Shares], measure: str) -> tuple[Markup, str]:
    cells = {
        (_number(shares.get(Channel.IMAGE, 0.0)), _number(shares.get(Channel.TEXT, 0.0))): one.trial.mean
        for shares, one in zip(weights[1:], stage.tried[1:], strict=True)
    }
    rows, columns = (sorted({cell[side] for cell in cells}, key=float) for side in (0, 1))
    best = shares_of(stage.best.value) if isinstance(stage.best.value, Mapping) else {}
    place = (_number(best.get(Channel.IMAGE, 0.0)), _number(best.get(Channel.TEXT, 0.0)))
    chart = heatmap(
        rows,
        columns,
        [[cells.get((row, column), nan) for column in columns] for row in rows],
        title=f"{measure} over the weights",
        row_label="image",
        column_label="text",
        best=(rows.index(place[0]), columns.index(place[1])) if place in cells else None,
    )
    return chart, (
        "Lexical has the rest to 1; a dash was not tried. "
        f"The weights before, {spelled(stage.tried[0].value)}, gave {short(stage.tried[0].trial.mean)}."
    )


def _stage_row(stage: Stage) -> dict[str, object]:
    return {
        "setting": stage.name,
        "before": stage.tried[0].value,
        "best": stage.best.value,
        "tried": [
            {
                "value": one.value,
                "mean": one.trial.mean,
                "change": {"mean": one.change.mean, "interval": _plain(one.change)},
                "unanswered": one.trial.unanswered,
            }
            for one in stage.tried
        ],
    }


def _difference_row(shown: Difference) -> dict[str, object]:
    return {"mean": shown.interval.mean, "interval": _plain(shown.interval), "p_value": shown.p_value}


def _plain(interval: Interval) -> list[float | None]:
    return [end if isfinite(end) else None for end in (interval.low, interval.high)]


def _ends(shown: Difference) -> tuple[float, float, float]:
    return shown.interval.mean, shown.interval.low, shown.interval.high


def _known(end: float) -> float:
    return end if isfinite(end) else 0.0


def _number(share: float) -> str:
    """Two decimals at most: `0.6`, `0.33`, `0`."""
    return f"{round(share, 2):g}"
