"""The Helm chart, rendered and held against the schemas of Kubernetes."""

import re
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from service.settings import Settings
from service.telemetry import Telemetry
from tests.architecture.tree import ROOT, project, python_files

CHART = ROOT / "helm" / "oncohooks"
KUBERNETES = ("1.33", "1.34", "1.35", "1.36", "1.37")
# Every switch of values.yaml used at once.
FULL = {
    "replicas": 3,
    "image": {"repository": "registry.example/oncohooks", "digest": "sha256:" + "0" * 64},
    "imagePullSecrets": [{"name": "registry"}],
    "site": {"site.toml": 'auth = "required"\n', "overlay.csv": "system,code,parameter,meaning,unit\n"},
    "existingSecret": "oncohooks-secrets",
    "secretFiles": "oncohooks-keys",
    "service": {"type": "LoadBalancer", "port": 8443},
    "drainSeconds": 0,
    "podAnnotations": {"prometheus.io/scrape": "true"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "clinical", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
}


def render(values: dict[str, Any] | None = None) -> dict[str, Any]:
    """The chart's manifests by kind."""
    with helm_python.Chart.load(CHART) as chart:
        texts = chart.render(values, name="demo", namespace="hospital")
    documents = [yaml.safe_load(text) for name, text in texts.items() if name.endswith(".yaml")]
    return {document["kind"]: document for document in documents if document}


def container(manifests: dict[str, Any]) -> dict[str, Any]:
    [only] = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_the_chart_passes_lint() -> None:
    """The chart passes Helm's own lint in its strict mode."""
    report = helm_python.lint(CHART, strict=True)
    assert report["errors"] == []
    # an icon is all that is recommended
    assert [text["error"] for text in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", [None, FULL], ids=["default", "full"])
def test_manifests_are_valid(version: str, values: dict[str, Any] | None) -> None:
    """Every manifest satisfies the strict schema of each Kubernetes version that the chart is for."""
    manifests = render(values)
    assert manifests.keys() == {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"}
    for manifest in manifests.values():
        assert kubernetes_validate.validate(manifest, version, strict=True) == version


def test_validation_sees_a_misspelt_field() -> None:
    """The strict schema refuses a field that Kubernetes does not know."""
    deployment = render()["Deployment"]
    deployment["spec"]["replica"] = 1
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(deployment, KUBERNETES[0], strict=True)


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probes_ask_what_the_service_answers(probe: str) -> None:
    """Each probe asks a path for which the service has a route, on the container's port."""
    pod = container(render())
    asked = pod[probe]["httpGet"]
    assert asked["port"] == pod["ports"][0]["name"]
    assert any(f'.get("{asked["path"]}"' in path.read_text() for path in python_files("service"))


def test_the_pod_is_unprivileged() -> None:
    """The pod runs as the image's user, without privileges, a writable root or a Kubernetes token."""
    pod = render()["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    user = pod["securityContext"]["runAsUser"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"\nUSER {user}:{user}\n" in dockerfile
    assert f"\nEXPOSE {pod['containers'][0]['ports'][0]['containerPort']}\n" in dockerfile


def test_the_pod_reads_the_site_folder() -> None:
    """The ConfigMap is mounted where ONCOHOOKS_SITE points, and a change of it changes the pod."""
    manifests = render()
    pod = manifests["Deployment"]["spec"]["template"]
    [site] = [variable["value"] for variable in container(manifests)["env"] if variable["name"] == "ONCOHOOKS_SITE"]
    [volume] = [mount["name"] for mount in container(manifests)["volumeMounts"] if mount["mountPath"] == site]
    [source] = [entry["configMap"]["name"] for entry in pod["spec"]["volumes"] if entry["name"] == volume]
    assert source == manifests["ConfigMap"]["metadata"]["name"]
    assert "site.toml" in manifests["ConfigMap"]["data"]
    changed = render({"site": {"site.toml": 'auth = "off"\n'}})["Deployment"]["spec"]["template"]
    assert changed["metadata"]["annotations"] != pod["metadata"]["annotations"]


def test_keys_and_passwords_are_mounted_from_secrets() -> None:
    """Keys as files that only the pod's group can read, addresses with passwords as variables, none without a name."""
    pod = render()["Deployment"]["spec"]["template"]["spec"]
    assert "secret" not in str(pod["volumes"])
    assert "envFrom" not in pod["containers"][0]
    pod = render(FULL)["Deployment"]["spec"]["template"]["spec"]
    (mount,) = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "secrets"]
    assert (mount["mountPath"], mount["readOnly"]) == ("/etc/oncohooks-secrets", True)
    (volume,) = [v["secret"] for v in pod["volumes"] if v["name"] == "secrets"]
    assert volume == {"secretName": FULL["secretFiles"], "defaultMode": 0o440}
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": FULL["existingSecret"]}}]


def test_the_default_site_folder_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service reads the chart's own site folder, and asks callers for a token until the site says otherwise."""
    for name, content in render()["ConfigMap"]["data"].items():
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    assert Settings.read().auth == "required"


def test_draining_ends_before_the_kill() -> None:
    """A pod that was told to stop has time to drain and to finish what it began."""
    for values in ({"drainSeconds": 0}, {"drainSeconds": 60}):
        manifests = render(values)
        grace = manifests["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace >= values["drainSeconds"] + 20
        sleep = container(manifests).get("lifecycle", {}).get("preStop", {}).get("sleep", {"seconds": 0})
        assert sleep["seconds"] == values["drainSeconds"]


def test_one_replica_has_no_disruption_budget() -> None:
    """A single replica has no disruption budget, which could only block its node."""
    assert "PodDisruptionBudget" not in render({"replicas": 1})


def test_data_of_another_patient_raises_an_alarm() -> None:
    """With the alarm switched on, its rule asks for the series under the name that the service gives it."""
    assert "PrometheusRule" not in render()
    manifest = render({"alerts": {"enabled": True, "labels": {"release": "prometheus"}}})["PrometheusRule"]
    assert manifest["metadata"]["labels"]["release"] == "prometheus"
    [rule] = manifest["spec"]["groups"][0]["rules"]
    telemetry = Telemetry()
    telemetry.wrong_patient("any", "pan-cancer-prognosis")
    [series] = re.findall(rb"^(oncohooks_wrong_patient\w*)\{", telemetry.exposition(), re.MULTILINE)
    telemetry.close()
    assert set(re.findall(r"\boncohooks_\w+", rule["expr"])) == {series.decode()}
    assert "client {{ $labels.client }} sends" in rule["annotations"]["description"]


def test_the_image_is_the_projects_version() -> None:
    """The chart runs the image of pyproject.toml's version, or the digest where one is given."""
    assert container(render())["image"] == f"oncohooks:{project()['project']['version']}"
    assert re.fullmatch(r"registry\.example/oncohooks@sha256:0{64}", container(render(FULL))["image"])


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicas": 0}, "replicas"),
        ({"replicas": "two"}, "replicas"),
        ({"replicaCount": 2}, "replicaCount"),
        ({"image": {"repository": ""}}, "repository"),
        ({"image": {"tag": "no spaces"}}, "tag"),
        ({"image": {"digest": "sha256:short"}}, "digest"),
        ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
        ({"site": {"site.toml": None}}, "site"),
        ({"site": {"../site.toml": ""}}, "site"),
        ({"service": {"port": 70000}}, "port"),
        ({"resources": {"limits": {"memory": "1 GB"}}}, "memory"),
        ({"drainSeconds": -1}, "drainSeconds"),
        ({"secretFiles": {"a": "b"}}, "secretFiles"),
        ({"alerts": {"enabled": "yes"}}, "enabled"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], named: str) -> None:
    """A wrong or misspelt value stops the rendering with a message that names it."""
    with pytest.raises(helm_python.HelmError, match=named):
        render(values)
