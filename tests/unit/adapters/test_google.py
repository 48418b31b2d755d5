"""Endpoints, and what Google's errors mean."""

import subprocess
import sys
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError
from google.rpc.error_details_pb2 import ErrorInfo
from grpc.aio import AioRpcError, Metadata

from bot.adapters.google import GoogleEndpoint, fault_from, faults_named, in_one_line, project_of, quoted
from bot.domain.faults import CloudFault, FaultKind
from tests.unit.adapters.targets import revisions_target

#: The library's exceptions have no annotations.
google: Any = exceptions


def parse(text: str) -> GoogleEndpoint:
    return GoogleEndpoint.parse(text, setting="CLOUD_RUN_ENDPOINT")


def fault(error: Exception) -> CloudFault:
    found = fault_from(error, doing="read service ion-api")
    assert found is not None
    return found


def rpc_error(code: grpc.StatusCode, details: str) -> AioRpcError:
    return AioRpcError(code, Metadata(), Metadata(), details=details)


def test_an_empty_endpoint_is_googles_own() -> None:
    assert parse("  ") == GoogleEndpoint(address=None, plaintext=False)


def test_a_host_and_port_is_called_over_tls() -> None:
    assert parse("run.example.com:443") == GoogleEndpoint(address="run.example.com:443")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "[::1]"])
def test_plaintext_is_allowed_to_this_machine(host: str) -> None:
    assert parse(f"http://{host}:8080/") == GoogleEndpoint(address=f"{host}:8080", plaintext=True)


@pytest.mark.parametrize(
    "host", ["run.example.com", "10.0.0.1", "0.0.0.0", "[::]", "127.0.0.1.example.com", "localhost.example"]
)
def test_plaintext_to_another_machine_is_refused_with_a_way_out(host: str) -> None:
    with pytest.raises(ValueError, match=r"unencrypted.*host:port to use TLS"):
        parse(f"http://{host}:8080")


@pytest.mark.parametrize(
    "text",
    [
        "https://run.example.com:443",
        "run.example.com",
        "run.example.com:",
        "run.example.com:0",
        "run.example.com:65536",
        "run.example.com:443/path",
        "someone@run.example.com:443",
        "http://127.0.0.1",
        "http://someone:secret@127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "ftp://127.0.0.1:80",
        ":443",
    ],
)
def test_anything_else_is_refused_by_the_name_of_its_setting(text: str) -> None:
    with pytest.raises(ValueError, match=r"CLOUD_RUN_ENDPOINT.*write host:port"):
        parse(text)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.ABORTED, FaultKind.CONFLICT),
        (grpc.StatusCode.ALREADY_EXISTS, FaultKind.CONFLICT),
        (grpc.StatusCode.INVALID_ARGUMENT, FaultKind.INVALID),
        (grpc.StatusCode.FAILED_PRECONDITION, FaultKind.INVALID),
        (grpc.StatusCode.OUT_OF_RANGE, FaultKind.INVALID),
        (grpc.StatusCode.UNAUTHENTICATED, FaultKind.LOGIN),
        (grpc.StatusCode.PERMISSION_DENIED, FaultKind.PERMISSION),
        (grpc.StatusCode.NOT_FOUND, FaultKind.NOT_FOUND),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, FaultKind.QUOTA),
        (grpc.StatusCode.UNAVAILABLE, FaultKind.UNREACHABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, FaultKind.UNREACHABLE),
        (grpc.StatusCode.INTERNAL, FaultKind.OTHER),
        (grpc.StatusCode.UNKNOWN, FaultKind.OTHER),
        (grpc.StatusCode.UNIMPLEMENTED, FaultKind.OTHER),
        (grpc.StatusCode.DATA_LOSS, FaultKind.OTHER),
        (grpc.StatusCode.CANCELLED, FaultKind.OTHER),
    ],
)
def test_every_status_code_has_its_kind_and_keeps_googles_sentence(
    code: grpc.StatusCode, kind: FaultKind
) -> None:
    bare, wrapped = rpc_error(code, "Google's sentence"), google.from_grpc_status(code, "Google's sentence")

    assert fault(bare).kind is kind
    assert fault(wrapped).kind is kind
    assert fault(bare).detail == fault(wrapped).detail == "Google's sentence"
    assert fault(wrapped).doing == "read service ion-api"


def test_a_conflict_over_rest_is_a_conflict_too() -> None:
    assert fault(google.Conflict("changed")).kind is FaultKind.CONFLICT


def test_a_retry_that_gave_up_is_named_by_what_it_kept_meeting() -> None:
    error = google.RetryError("Timeout of 10.0s exceeded", cause=google.ResourceExhausted("quota"))

    assert fault(error).kind is FaultKind.QUOTA
    assert fault(error).detail == "quota"


def test_a_retry_that_gave_up_for_no_known_cause_did_not_reach_google() -> None:
    assert fault(google.RetryError("Timeout of 10.0s exceeded", cause=None)).kind is FaultKind.UNREACHABLE


def test_a_time_out_of_our_own_did_not_reach_google() -> None:
    assert fault(TimeoutError()).kind is FaultKind.UNREACHABLE


def test_missing_credentials_are_a_matter_of_logging_in() -> None:
    assert fault(DefaultCredentialsError("no credentials")).kind is FaultKind.LOGIN  # type: ignore[no-untyped-call]


def test_a_token_that_could_not_be_had_is_a_matter_of_logging_in_although_grpc_says_unavailable() -> None:
    details = "Getting metadata from plugin failed with error: ('invalid_grant: Bad Request', {})"

    assert fault(rpc_error(grpc.StatusCode.UNAVAILABLE, details)).kind is FaultKind.LOGIN


@pytest.mark.parametrize(
    ("sentence", "permission"),
    [
        (
            "Permission 'run.services.update' denied on resource 'projects/p/locations/r/services/ion-api' "
            "(or resource may not exist).",
            "run.services.update",
        ),
        (
            "Permission monitoring.timeSeries.list denied (or the resource may not exist).",
            "monitoring.timeSeries.list",
        ),
        (
            "Permission 'iam.serviceaccounts.actAs' denied on service account "
            "1234-compute@developer.gserviceaccount.com (or it may not exist).",
            "iam.serviceaccounts.actAs",
        ),
        ("bot@p.iam.gserviceaccount.com does not have run.services.get.", "run.services.get"),
        ("Cloud Run Admin API has not been used. Visit https://console.developers.google.com/apis", None),
        ("Request to run.googleapis.com was denied for bot@p.iam.gserviceaccount.com.", None),
        ("Permission denied for all log views", None),
    ],
)
def test_a_missing_permission_is_named_when_google_names_it(sentence: str, permission: str | None) -> None:
    found = fault(rpc_error(grpc.StatusCode.PERMISSION_DENIED, sentence))

    assert found.kind is FaultKind.PERMISSION
    assert found.permission == permission


def test_a_missing_permission_named_beside_the_sentence_is_taken_from_there() -> None:
    told = ErrorInfo(reason="IAM_PERMISSION_DENIED", metadata={"permission": "run.revisions.list"})

    found = fault(google.PermissionDenied("The caller does not have permission", error_info=told))

    assert found.permission == "run.revisions.list"


def test_only_a_denied_permission_has_a_name() -> None:
    assert fault(google.NotFound("no run.services.get here")).permission is None


def test_an_error_without_a_sentence_is_called_by_its_name() -> None:
    assert fault(google.ServiceUnavailable("")).detail == "ServiceUnavailable"


def test_an_error_of_our_own_stays_what_it_is() -> None:
    with pytest.raises(KeyError), faults_named("read service ion-api"):
        raise KeyError("ours")


def test_a_fault_that_has_its_name_already_keeps_it() -> None:
    first = CloudFault(doing="read service ion-api", kind=FaultKind.NOT_FOUND, detail="gone")

    with pytest.raises(CloudFault) as caught, faults_named("look at ion-api"):
        raise first

    assert caught.value is first
    assert caught.value.__cause__ is None


def test_the_first_fault_of_several_calls_at_once_is_the_one_reported() -> None:
    both = ExceptionGroup("two calls", [google.NotFound("gone"), google.ServiceUnavailable("down")])

    with pytest.raises(CloudFault) as caught, faults_named("look at ion-api"):
        raise both

    assert caught.value.kind is FaultKind.NOT_FOUND


def test_a_problem_is_one_short_line() -> None:
    long = CloudFault(doing="read", kind=FaultKind.OTHER, detail="first\nsecond\t" + "x" * 1000)

    assert in_one_line(long).startswith("other: first second xxx")
    assert len(in_one_line(long)) == 300


def test_a_value_cannot_leave_its_quotes_in_a_filter() -> None:
    assert quoted('a" OR "\\') == '"a\\" OR \\"\\\\"'


def test_a_targets_own_project_comes_before_the_default() -> None:
    assert project_of(revisions_target(project="theirs"), "default") == "theirs"
    assert project_of(revisions_target(project=""), "default") == "default"


def test_a_target_without_any_project_says_which_setting_is_missing() -> None:
    with pytest.raises(CloudFault, match="GOOGLE_CLOUD_PROJECT") as caught:
        project_of(revisions_target(project=""), "")

    assert caught.value.kind is FaultKind.INVALID


def test_importing_and_building_the_adapters_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from bot.adapters.cloud_run import CloudRun\n"
        "from bot.adapters.monitoring import CloudMonitoring\n"
        "from bot.adapters.cloud_logging import CloudLogging\n"
        "from bot.adapters.log_stream import LogStream\n"
        "from bot.adapters.probe import HttpProber\n"
        "CloudRun('', 'p'), CloudMonitoring('', 'p'), CloudLogging('', 'p'), HttpProber()\n"
        "LogStream('', 'p', None)\n"
        "heavy = ('google', 'grpc', 'proto', 'httpx')\n"
        "print([name for name in sys.modules if name.split('.')[0] in heavy])\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
