"""The manifests: as the schemas have them, locked in as the strictest profile wants, and nothing loose."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_network
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from indexer.settings import Settings
from tests.deploy.env_example import names
from tests.deploy.files import DEPLOY, KUBERNETES, Tree, document, documents, inside, mapping, pod_templates, several

VERSION = "1.37"
OVERLAYS = ("cpu", "gpu", "observe")
CUSTOM = {
    "ray.io/v1",
    "monitoring.coreos.com/v1",
    "kustomize.config.k8s.io/v1beta1",
    "kustomize.config.k8s.io/v1alpha1",
}
"""What clusters know by an operator, and what never reaches them."""
FILES = sorted([*KUBERNETES.rglob("*.yaml"), *(DEPLOY / "observe").glob("*.yaml"), DEPLOY / "ray.yaml"])
WHOLE = [path for path in FILES if path.parent.name not in ("gpu",) and path.name != "kustomization.yaml"]
"""Without the patches, which are parts of manifests."""


def named(path: Path) -> str:
    return path.relative_to(DEPLOY).as_posix()


def manifests() -> list[tuple[str, Tree]]:
    return [(f"{named(path)}:{one['kind']}", one) for path in WHOLE for one in documents(path)]


def plain() -> list[tuple[str, Tree]]:
    """Without operators' own kinds, whose pods are checked all the same."""
    return [(name, manifest) for name, manifest in manifests() if manifest["apiVersion"] not in CUSTOM]


def pods() -> list[tuple[str, Tree]]:
    return [(name, pod) for name, manifest in manifests() for pod in pod_templates(manifest)]


def containers(pod: Tree) -> Iterator[Tree]:
    for kind in ("initContainers", "containers"):
        yield from (mapping(one) for one in several(inside(pod, "spec", kind) or []))


@pytest.mark.parametrize(("name", "manifest"), plain(), ids=lambda given: given if isinstance(given, str) else "")
def test_a_manifest_is_as_its_schema_has_it(name: str, manifest: Tree) -> None:
    kubernetes_validate.validate(manifest, VERSION, strict=True)


@pytest.mark.parametrize(("name", "pod"), pods(), ids=lambda given: given if isinstance(given, str) else "")
def test_a_pod_keeps_to_the_restricted_profile(name: str, pod: Tree) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a root that is read only."""
    whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": pod["spec"]}
    kubernetes_validate.validate(whole, VERSION, strict=True)
    assert inside(pod, "spec", "automountServiceAccountToken") is False
    assert inside(pod, "spec", "securityContext", "runAsNonRoot") is True
    assert inside(pod, "spec", "securityContext", "seccompProfile", "type") == "RuntimeDefault"
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(mapping(pod["spec"]))
    for container in containers(pod):
        assert inside(container, "securityContext", "allowPrivilegeEscalation") is False
        assert inside(container, "securityContext", "readOnlyRootFilesystem") is True
        assert inside(container, "securityContext", "capabilities", "drop") == ["ALL"]
        assert inside(container, "resources", "requests", "cpu")
        assert inside(container, "resources", "limits", "memory")


@pytest.mark.parametrize(("name", "pod"), pods(), ids=lambda given: given if isinstance(given, str) else "")
def test_what_a_container_mounts_is_there(name: str, pod: Tree) -> None:
    volumes = {str(inside(one, "name")) for one in several(inside(pod, "spec", "volumes") or [])}
    if name.endswith(":StatefulSet"):
        volumes |= {"storage", "snapshots", "data"}
    mounted = {
        str(inside(one, "name")) for container in containers(pod) for one in several(container.get("volumeMounts", []))
    }
    assert mounted <= volumes


def test_every_manifest_is_referred_to() -> None:
    referred = set()
    for path in FILES:
        if path.name == "kustomization.yaml":
            told = document(path)
            for kind in ("resources", "components", "patches"):
                for one in several(told.get(kind, [])):
                    target = path.parent / str(inside(one, "path") or one)
                    assert target.exists(), target
                    referred.add((target / "kustomization.yaml" if target.is_dir() else target).resolve())
    entry = {KUBERNETES / "overlays" / one / "kustomization.yaml" for one in OVERLAYS} | {DEPLOY / "ray.yaml"}
    assert {named(path) for path in FILES if path.resolve() not in referred and path not in entry} == set()


@cache
def built(overlay: str) -> tuple[Tree, ...]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    folder = KUBERNETES / "overlays" / overlay
    made = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return tuple(yaml.safe_load_all(made.stdout))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_builds_what_a_cluster_takes(overlay: str) -> None:
    made = built(overlay)
    assert {str(one["kind"]) for one in made} >= {
        *("Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "CronJob", "ServiceAccount"),
    }
    for one in made:
        assert inside(one, "metadata", "namespace") == "vitrine" or one["kind"] == "Namespace"
        if one["apiVersion"] not in CUSTOM:
            kubernetes_validate.validate(one, VERSION, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_pods_refer_to_is_built_with_them(overlay: str) -> None:
    """But the secret, which is nobody's to write down."""
    made = built(overlay)
    there = {(one["kind"], inside(one, "metadata", "name")) for one in made}
    for pod in [pod for one in made for pod in pod_templates(one)]:
        for container in containers(pod):
            for source in several(container.get("envFrom", [])):
                reference = inside(source, "configMapRef", "name")
                assert reference is None or ("ConfigMap", reference) in there
        for volume in several(inside(pod, "spec", "volumes") or []):
            claim = inside(volume, "persistentVolumeClaim", "claimName")
            assert claim is None or ("PersistentVolumeClaim", claim) in there


def test_the_gpu_overlay_asks_for_gpus_and_the_image_for_them() -> None:
    wanted = {
        inside(one, "metadata", "name"): [
            (str(container["image"]).rpartition(":")[2], inside(container, "resources", "limits", "nvidia.com/gpu"))
            for pod in pod_templates(one)
            for container in containers(pod)
        ]
        for one in built("gpu")
        if one["kind"] in ("Deployment", "CronJob")
    }
    assert wanted == {
        "api": [("0.1.0-gpu", "1")],
        "desk": [("0.1.0-gpu", None), ("0.1.0-gpu", "1")],
        "build": [("0.1.0-gpu", "1")],
        "backup": [("0.1.0-gpu", None)],
    }


def test_services_select_pods_by_labels_that_they_have() -> None:
    labelled = [mapping(inside(pod, "metadata", "labels")) for _, pod in pods()]
    for name, manifest in manifests():
        if manifest["kind"] == "Service":
            selector = mapping(inside(manifest, "spec", "selector")).items()
            assert any(selector <= labels.items() for labels in labelled), name


def test_the_settings_of_the_cluster_are_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = (KUBERNETES / "base" / "settings.env").read_text("utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines)
    assert set(given) <= set(names())
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    pod = mapping(inside(document(KUBERNETES / "base" / "api.yaml"), "spec", "template", "spec"))
    grace, pause = pod["terminationGracePeriodSeconds"], inside(pod, "containers", 0, "lifecycle", "preStop", "sleep")
    assert isinstance(grace, int)
    assert grace > settings.load.drain_seconds + int(str(inside(pause, "seconds")))
    assert settings.access.public == ("search",)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "10.1.2.3", "172.20.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1"]
)
def test_no_pod_reaches_into_the_cluster_or_to_metadata_by_address(address: str) -> None:
    blocks = [
        mapping(inside(peer, "ipBlock"))
        for one in documents(KUBERNETES / "base" / "network.yaml")
        for rule in several(inside(one, "spec", "egress") or [])
        for peer in several(inside(rule, "to") or [])
        if inside(peer, "ipBlock")
    ]
    assert blocks
    for block in blocks:
        barred = [ip_network(str(one)) for one in several(block["except"])]
        assert any(ip_network(address).subnet_of(one) for one in barred if one.version == 4)  # type: ignore[arg-type]


def test_all_that_is_not_named_is_denied() -> None:
    deny = document(KUBERNETES / "base" / "network.yaml")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_ray_job_has_the_version_that_the_image_has() -> None:
    locked = (DEPLOY / "requirements" / "ray.txt").read_text("utf-8")
    version = str(inside(document(DEPLOY / "ray.yaml"), "spec", "rayClusterSpec", "rayVersion"))
    assert f"ray=={version} " in locked


def test_images_are_pinned() -> None:
    images = {str(container["image"]) for _, pod in pods() for container in containers(pod)}
    compose = mapping(document(DEPLOY / "compose.yaml")["services"])
    beside = {str(inside(service, "image")).removesuffix("-unprivileged") for service in compose.values()}
    foreign = {one for one in images if one != "vitrine" and not one.startswith("registry.example.com/")}
    assert {one.removesuffix("-unprivileged") for one in foreign} <= beside
    assert json.dumps(sorted(images)).count("latest") == 0
