"""Alerts and dashboard: every expression parses, asks for metrics and labels that there are, and says what to do."""

import json
import re
from collections.abc import Iterator
from typing import Final

import promql_parser as promql
import pytest
from pydantic import BaseModel, ConfigDict, Field

from service.api.observing import QUIET
from service.metrics import rows
from tests.deploy.files import DEPLOY, ROOT, Tree, document, inside, mapping, several

OBSERVE: Final = DEPLOY / "observe"
ADDED: Final = frozenset({"job", "instance"})
"""Labels that Prometheus gives to whatever it scrapes."""
FOREIGN: Final = {
    "up": frozenset[str](),
    **dict.fromkeys(
        ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds", "process_max_fds"),
        frozenset[str](),
    ),
}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")


def metrics() -> dict[str, frozenset[str]]:
    """What may be asked for, each with its labels."""
    there = dict(FOREIGN)
    for row in rows():
        labels = frozenset(row.labels)
        if row.type == "histogram":
            there |= {
                f"{row.scraped}_bucket": labels | {"le"},
                f"{row.scraped}_sum": labels,
                f"{row.scraped}_count": labels,
            }
        else:
            there[row.scraped] = labels
    return there


KNOWN: Final = metrics()


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Annotations(Strict):
    summary: str
    runbook: str


class Alert(Strict):
    """https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/, as far as it is used here."""

    alert: str = Field(pattern=r"^Vitrine[A-Za-z]+$")
    expr: str
    wait: str = Field(alias="for", pattern=r"^\d+[smhd]$")
    labels: dict[str, str]
    annotations: Annotations


class Group(Strict):
    name: str
    rules: list[Alert]


class Rules(Strict):
    groups: list[Group]


RULES: Final = Rules.model_validate(document(OBSERVE / "prometheus" / "rules.yaml"))
ALERTS: Final = [alert for group in RULES.groups for alert in group.rules]
BOARD: Final[Tree] = json.loads((OBSERVE / "grafana" / "vitrine.json").read_text("utf-8"))
PANELS: Final = [mapping(panel) for panel in several(BOARD["panels"]) if inside(panel, "type") != "row"]
QUERIES: Final = [(str(panel["title"]), mapping(target)) for panel in PANELS for target in several(panel["targets"])]


def selectors(expression: promql.Expr) -> Iterator[promql.VectorSelector]:
    found: list[promql.VectorSelector] = []

    def visited(node: promql.Expr) -> bool:
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        if isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector)
        return True

    promql.walk(expression, pre_visit=visited)
    yield from found


def labels_of(expression: promql.Expr) -> frozenset[str]:
    """The labels of what the expression comes to."""
    match expression:
        case promql.VectorSelector():
            return KNOWN[str(expression.name)] | ADDED
        case promql.MatrixSelector():
            return labels_of(expression.vector_selector)
        case promql.AggregateExpr():
            inner = labels_of(expression.expr)
            if str(expression.op) == "topk":
                return inner
            named = frozenset(expression.modifier.labels if expression.modifier else ())
            assert named <= inner, f"{set(named - inner)} of {expression}"
            return named
        case promql.Call():
            inner = labels_of(expression.args[-1])
            if expression.func.name == "absent":
                return frozenset()
            return inner - {"le"} if expression.func.name == "histogram_quantile" else inner
        case promql.BinaryExpr():
            right = labels_of(expression.rhs)
            return labels_of(expression.lhs) or right
        case promql.ParenExpr() | promql.UnaryExpr():
            return labels_of(expression.expr)
        case _:
            return frozenset()


def asked(text: str) -> promql.Expr:
    """The expression, parsed, its metrics and matched labels among those that there are."""
    plain = text.replace("$__rate_interval", "5m").replace("$instance", ".*")
    expression = promql.parse(plain)
    for selector in selectors(expression):
        assert selector.name in KNOWN, f"nothing tells {selector.name}"
        matched = {matcher.name for matcher in selector.matchers.matchers}
        assert matched <= KNOWN[selector.name] | ADDED, f"{matched} of {selector.name}"
    return expression


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.alert)
def test_an_alert_asks_for_what_there_is(alert: Alert) -> None:
    expression = asked(alert.expr)
    assert list(selectors(expression))
    told = set(re.findall(r"\$labels\.(\w+)", alert.annotations.summary))
    assert told <= labels_of(expression)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.alert)
def test_the_runbook_says_what_to_do_about_an_alert(alert: Alert) -> None:
    assert alert.annotations.runbook == f"docs/runbook.md#{alert.alert.lower()}"
    section = re.search(rf"^### {alert.alert}\n(.+?)(?=^##)", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert section, "the runbook has no section of this alert"
    assert len(section.group(1)) > 120


def test_the_runbook_names_no_alert_that_there_is_not() -> None:
    assert set(re.findall(r"^### (Vitrine\w+)$", RUNBOOK, re.MULTILINE)) == {alert.alert for alert in ALERTS}


def test_somebody_is_woken_only_where_shoppers_notice() -> None:
    assert {alert.labels["severity"] for alert in ALERTS} == {"page", "ticket"}
    assert {alert.alert for alert in ALERTS if alert.labels["severity"] == "page"} == {
        *("VitrineDown", "VitrineErrorsFast", "VitrineSlow", "VitrineNotReady", "VitrineNothingPublished"),
        "VitrineTurnedAway",
    }


def test_probes_that_are_always_well_hide_no_failing_searches() -> None:
    """Three replicas are probed sixty times a minute, which a small shop is not asked."""
    for alert in ALERTS:
        if alert.alert.startswith("VitrineErrors"):
            asked_of = [one for one in selectors(asked(alert.expr)) if one.name == "vitrine_http_requests_total"]
            quiet = {
                route
                for one in asked_of
                for m in one.matchers.matchers
                if m.name == "route"
                for route in m.value.split("|")
            }
            assert quiet == QUIET
            assert all("!~" in str(one) for one in asked_of)


def test_the_operator_gets_the_same_rules() -> None:
    custom = document(OBSERVE / "rules.yaml")
    assert custom["kind"] == "PrometheusRule"
    assert custom["spec"] == document(OBSERVE / "prometheus" / "rules.yaml")


@pytest.mark.parametrize(("title", "target"), QUERIES, ids=lambda given: given if isinstance(given, str) else "")
def test_a_panel_asks_for_what_there_is(title: str, target: Tree) -> None:
    expression = asked(str(target["expr"]))
    assert set(re.findall(r"\{\{(\w+)\}\}", str(target["legendFormat"]))) <= labels_of(expression)
    assert inside(target, "datasource", "uid") == "${datasource}"


def test_the_dashboard_shows_every_metric() -> None:
    shown = {str(selector.name) for _, target in QUERIES for selector in selectors(asked(str(target["expr"])))}
    plain = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert {row.scraped for row in rows()} - plain == {"vitrine_build_state"}, "that one is for alerts"


def test_panels_have_places_and_names_of_their_own() -> None:
    boxes = [inside(panel, "gridPos") for panel in several(BOARD["panels"])]
    assert len({json.dumps(box) for box in boxes}) == len(boxes)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert len({inside(panel, "id") for panel in several(BOARD["panels"])}) == len(boxes)


def test_prometheus_scrapes_the_service_of_compose_and_reads_the_rules() -> None:
    told = document(OBSERVE / "prometheus" / "prometheus.yaml")
    targets = [str(inside(job, "static_configs", 0, "targets", 0)) for job in several(told["scrape_configs"])]
    services = mapping(document(DEPLOY / "compose.yaml")["services"])
    assert {target.split(":")[0] for target in targets} <= set(services)
    assert told["rule_files"] == ["/etc/prometheus/rules.yaml"]
    assert inside(several(told["scrape_configs"]), 0, "job_name") == "vitrine"
