"""Cloud Run's messages as settings, and no secret among them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import run_v2

from bot.adapters.cloud_run_configuration import HIDDEN, configuration, telling
from bot.domain.configuration import Configuration

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATH = "projects/ion-project/locations/us-central1/services/ion-api"
HUNTER2 = "hunter2-not-a-secret"


def a_service(**more: Any) -> run_v2.Service:
    return run_v2.Service(name=PATH, creator="deployer@example.com", **more)


def a_revision(*containers: run_v2.Container, **more: Any) -> run_v2.Revision:
    return run_v2.Revision(
        name=f"{PATH}/revisions/ion-api-00042-lee", create_time=NOON, containers=containers, **more
    )


def with_environment(**values: str) -> run_v2.Container:
    return run_v2.Container(
        image="ion-api:42", env=[run_v2.EnvVar(name=name, value=value) for name, value in values.items()]
    )


def read(revision: run_v2.Revision, service: run_v2.Service | None = None) -> Configuration:
    return configuration(service or a_service(), revision, read_at=NOON)


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD", "DB_PASSWORD", "PGPASSWORD", "dbPassword", "SMTP_PASS", "API_KEY", "apiKey", "APIKEY",
        "SLACK_BOT_TOKEN", "TOKENS", "CLIENT_SECRET", "clientsecret", "GOOGLE_APPLICATION_CREDENTIALS",
        "SENTRY_DSN", "PRIVATE_KEY_2", "Authorization", "AZURE_CONNECTION_STRING", "session-cookie",
    ],
)  # fmt: skip
def test_a_name_that_tells_hides_its_value_whatever_that_is(name: str) -> None:
    found = read(a_revision(with_environment(**{name: HUNTER2})))

    assert telling(name)
    assert found.environment == {name: HIDDEN}
    assert HUNTER2 not in str(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_TTL", "300"), ("RECOMMENDER", "v2"), ("MONKEY", "george"), ("KEYBOARD", "qwerty"),
        ("TOKENIZER", "cl100k"), ("COMPASS", "north"), ("MAX_TOKENS", "4096"), ("AUTH_ENABLED", "true"),
        ("API_KEY", ""), ("REQUIRE_TOKEN", "Off"),
    ],
)  # fmt: skip
def test_a_name_that_does_not_tell_or_a_value_that_hides_nothing_stays(name: str, value: str) -> None:
    found = read(a_revision(with_environment(**{name: value})))

    assert found.environment == {name: value}
    assert found.redacted == 0


@pytest.mark.parametrize(("name", "value"), [("TOKEN", "4096"), ("MAX_TOKENS", "4096-x"), ("PASSWORD", "12")])
def test_a_number_is_a_secret_too_unless_it_counts(name: str, value: str) -> None:
    found = read(a_revision(with_environment(**{name: value})))

    assert found.environment == {name: HIDDEN}


def test_what_secret_manager_fills_is_named_and_not_read() -> None:
    def filled(name: str, secret: str, version: str) -> run_v2.EnvVar:
        selector = run_v2.SecretKeySelector(secret=secret, version=version)
        return run_v2.EnvVar(name=name, value_source=run_v2.EnvVarSource(secret_key_ref=selector))

    container = run_v2.Container(
        env=[
            filled("LLM_API_KEY", "ion-llm-key", "5"),
            filled("PEPPER", "projects/ion-project/secrets/pepper", ""),
        ]
    )

    found = read(a_revision(container))

    assert found.environment == {"LLM_API_KEY": "secret:ion-llm-key:5", "PEPPER": "secret:pepper:latest"}
    variables = found.document["revision"]["containers"][0]["env"]
    assert variables[0]["valueSource"]["secretKeyRef"] == {"secret": "ion-llm-key", "version": "5"}


def test_the_document_is_googles_own_with_secrets_replaced_and_counted_wherever_people_write() -> None:
    header = run_v2.HTTPHeader(name="Authorization", value=HUNTER2)
    probe = run_v2.Probe(http_get=run_v2.HTTPGetAction(path="/health", http_headers=[header]))
    container = with_environment(DB_PASSWORD=HUNTER2, RECOMMENDER="v2")
    container.args = ["--port=8080", f"--api-key={HUNTER2}", "--token", HUNTER2, "--verbose"]
    container.startup_probe = probe
    service = a_service(
        last_modifier="sena@example.com",
        annotations={"deploy-token": HUNTER2, "note": "fine"},
        template=run_v2.RevisionTemplate(containers=[with_environment(DB_PASSWORD=HUNTER2)]),
    )

    found = read(a_revision(container, creator="sena@example.com"), service)

    assert HUNTER2 not in str(found)
    assert found.redacted == 5
    revision = found.document["revision"]
    assert revision["createTime"].startswith("2026-11-23T12:00:00")
    assert revision["creator"] == "sena@example.com"
    assert revision["containers"][0]["args"] == [
        "--port=8080", f"--api-key={HIDDEN}", "--token", HIDDEN, "--verbose",
    ]  # fmt: skip
    assert found.document["service"]["annotations"] == {"deploy-token": HIDDEN, "note": "fine"}
    assert "template" not in found.document["service"]
    assert found.settings["args"] == f"--port=8080 --api-key={HIDDEN} --token {HIDDEN} --verbose"


def test_settings_are_in_gclouds_words_and_what_is_not_set_is_left_out() -> None:
    container = run_v2.Container(
        image="ion-api:42",
        command=["python", "-m", "ion"],
        resources=run_v2.ResourceRequirements(
            limits={"cpu": "2", "memory": "1Gi"}, cpu_idle=True, startup_cpu_boost=True
        ),
        ports=[run_v2.ContainerPort(name="h2c", container_port=8080)],
        liveness_probe=run_v2.Probe(
            http_get=run_v2.HTTPGetAction(path="/health", port=8080), period_seconds=10
        ),
        volume_mounts=[run_v2.VolumeMount(name="models", mount_path="/models")],
    )
    network = run_v2.VpcAccess.NetworkInterface(network="ion", subnetwork="ion-us", tags=["api"])
    revision = a_revision(
        container,
        max_instance_request_concurrency=80,
        timeout={"seconds": 300},
        scaling=run_v2.RevisionScaling(min_instance_count=1, max_instance_count=5),
        service_account="runtime@ion.iam.gserviceaccount.com",
        execution_environment=run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2,
        vpc_access=run_v2.VpcAccess(
            egress=run_v2.VpcAccess.VpcEgress.PRIVATE_RANGES_ONLY, network_interfaces=[network]
        ),
        volumes=[run_v2.Volume(name="models", gcs=run_v2.GCSVolumeSource(bucket="ion-models"))],
        labels={"commit": "b71e0d4", "run.googleapis.com/client": "x", "goog-managed-by": "x"},
    )
    service = a_service(ingress=run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER)

    found = read(revision, service)

    assert dict(found.settings) == {
        "command": "python -m ion",
        "concurrency": "80",
        "cpu": "2",
        "cpu_idle": "true",
        "execution_environment": "gen2",
        "image": "ion-api:42",
        "ingress": "internal-load-balancer",
        "label.commit": "b71e0d4",
        "liveness_probe": '{"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 10}',
        "max_instances": "5",
        "memory": "1Gi",
        "min_instances": "1",
        "ports": "h2c:8080",
        "service_account": "runtime@ion.iam.gserviceaccount.com",
        "startup_cpu_boost": "true",
        "timeout": "300s",
        "volume_mounts": "models at /models",
        "volumes": 'models: {"gcs": {"bucket": "ion-models"}}',
        "vpc_egress": "private-ranges-only",
        "vpc_network": "ion/ion-us (api)",
    }


def test_the_container_that_serves_is_the_plain_one_and_the_others_go_by_their_names() -> None:
    sidecar = with_environment(LEVEL="debug")
    sidecar.name = "proxy"
    serving = with_environment(LEVEL="info")
    serving.ports = [run_v2.ContainerPort(container_port=8080)]
    nameless = run_v2.Container(image="agent:1")

    found = read(a_revision(sidecar, serving, nameless))

    assert found.environment == {"proxy.LEVEL": "debug", "LEVEL": "info"}
    assert found.settings == {
        "image": "ion-api:42",
        "ports": "8080",
        "proxy.image": "ion-api:42",
        "2.image": "agent:1",
    }


def test_a_service_that_was_never_ready_shows_the_revision_it_is_to_become() -> None:
    template = run_v2.RevisionTemplate(
        containers=[with_environment(RECOMMENDER="v2", DB_PASSWORD=HUNTER2)], labels={"commit": "b71e0d4"}
    )

    found = configuration(a_service(template=template), None, read_at=NOON)

    assert (found.revision, found.created_at, found.creator) == (None, None, "deployer@example.com")
    assert found.environment == {"RECOMMENDER": "v2", "DB_PASSWORD": HIDDEN}
    assert found.settings["label.commit"] == "b71e0d4"
    assert found.redacted == 1
    assert HUNTER2 not in str(found)


def test_a_revision_with_nothing_set_is_read_too() -> None:
    found = read(run_v2.Revision(name=f"{PATH}/revisions/ion-api-00042-lee"))

    assert (found.environment, found.settings, found.redacted, found.created_at) == ({}, {}, 0, None)
