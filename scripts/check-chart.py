"""Renders a Helm chart as `helm template` does, lints it as `helm lint --strict` does, and validates every manifest against
Kubernetes' own schemas. Reads [{"name", "values"}] as JSON from standard input, values being the text of a values file, and
prints [{"name", "error"} or {"name", "findings", "manifests"}].

    scripts/provision-deploy-checks
    echo '[{"name": "default", "values": ""}]' | ~/.cache/millrace/deploy-checks/bin/python scripts/check-chart.py docker/helm/millrace 1.27 1.37
"""

import json
import sys
from importlib.metadata import version

import kubernetes_validate
import yaml
from helm_python import chart as helm

INFO = 1
# What Kubernetes itself does not know.
CUSTOM = {"ServiceMonitor"}


def check(path, chart, values, kubernetes):
    parsed = helm.values_from_yaml(values) if values.strip() else {}
    try:
        chart.validate_schema(parsed)
        rendered = chart.render(parsed, name="shop", namespace="recommend")
    except Exception as error:
        return {"error": str(error)}
    lint = helm.lint(path, parsed, strict=True, namespace="recommend")
    findings = [f"helm lint: {one['path']}: {one['error']}" for one in lint["messages"] if one["severity"] > INFO]
    manifests = []
    for name, text in sorted(rendered.items()):
        if not name.endswith(".yaml"):
            continue
        for manifest in yaml.safe_load_all(text):
            if manifest is None:
                continue
            manifests.append(manifest)
            if manifest["kind"] in CUSTOM:
                continue
            for one in kubernetes:
                try:
                    kubernetes_validate.validate(manifest, one, strict=True)
                except Exception as error:
                    findings.append(f"{name}: Kubernetes {one}: {error}")
    return {"findings": findings, "manifests": manifests}


def main():
    path, *kubernetes = sys.argv[1:]
    with helm.Chart.load(path) as chart:
        answers = [{"name": one["name"], **check(path, chart, one["values"], kubernetes)} for one in json.load(sys.stdin)]
    json.dump(answers, sys.stdout)
    print(f"helm-python-sdk {version('helm-python-sdk')}, Kubernetes {', '.join(kubernetes)}", file=sys.stderr)


main()
