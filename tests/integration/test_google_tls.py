"""The way to the real Google: TLS, and Application Default Credentials.

In a process of its own, because gRPC reads its root certificates once in a process.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from google.cloud import monitoring_v3

from tests.integration.patience import PATIENCE_SECONDS
from tests.integration.scripted_google import scripted_google

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
NO_PASSWORD = serialization.NoEncryption()

PROGRAM = """
import asyncio, sys
from datetime import UTC, datetime
from bot.adapters import monitoring
from bot.adapters.monitoring import CloudMonitoring
from bot.domain.traffic import SideAddress, Sides
from tests.unit.adapters.targets import revisions_target

# How long the bot waits for Google is not what is asked here.
monitoring.PAGE_SECONDS = monitoring.METRIC_SECONDS = 60.0

async def main(endpoint):
    metrics = CloudMonitoring(endpoint, "ion-project")
    sides = Sides(stable=SideAddress(service="ion-api"), canary=None)
    readings = await metrics.read(revisions_target(), sides, now=datetime.now(UTC))
    print({reading.problem for reading in readings})
    await metrics.close()

asyncio.run(main(sys.argv[1]))
"""


def a_certificate() -> tuple[bytes, bytes]:
    """Return a self-signed certificate for this machine and its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(PEM), key.private_bytes(PEM, PKCS8, NO_PASSWORD)


def a_service_account(folder: Path) -> Path:
    """Write a service account's key file, made up here; its tokens are signed on this machine."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "project_id": "ion-project",
        "private_key_id": "1",
        "private_key": key.private_bytes(PEM, PKCS8, NO_PASSWORD).decode(),
        "client_email": "backout@ion-project.iam.gserviceaccount.com",
        "token_uri": "https://127.0.0.1:9/never-called",
    }
    path = folder / "account.json"
    path.write_text(json.dumps(account))
    return path


async def read_in_another_process(endpoint: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        endpoint,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await asyncio.wait_for(process.communicate(), timeout=2 * PATIENCE_SECONDS)
    return out.decode().strip()


@pytest.fixture
def tls(tmp_path: Path) -> tuple[grpc.ServerCredentials, str]:
    """Return the server's credentials, and the path of the certificate that vouches for it."""
    certificate, key = a_certificate()
    trusted = tmp_path / "root.pem"
    trusted.write_bytes(certificate)
    return grpc.ssl_server_credentials([(key, certificate)]), str(trusted)


def nothing(_: Any) -> monitoring_v3.ListTimeSeriesResponse:
    return monitoring_v3.ListTimeSeriesResponse()


async def test_a_host_and_port_is_called_over_tls_with_our_own_token(
    tls: tuple[grpc.ServerCredentials, str], tmp_path: Path
) -> None:
    credentials, trusted = tls

    async with scripted_google(nothing, tls=credentials) as google:
        said = await read_in_another_process(
            google.address,
            GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=trusted,
            GOOGLE_APPLICATION_CREDENTIALS=str(a_service_account(tmp_path)),
        )

    assert said == "{None}"
    assert len(google.tokens) == 4
    assert all((token or "").startswith("Bearer ey") for token in google.tokens)


async def test_a_server_nobody_vouches_for_gets_no_request_and_no_token(
    tls: tuple[grpc.ServerCredentials, str], tmp_path: Path
) -> None:
    credentials, _ = tls

    async with scripted_google(nothing, tls=credentials) as google:
        said = await read_in_another_process(
            google.address, GOOGLE_APPLICATION_CREDENTIALS=str(a_service_account(tmp_path))
        )

    assert "unreachable" in said
    assert google.tokens == []


async def test_a_token_that_cannot_be_had_is_a_login_problem(
    tls: tuple[grpc.ServerCredentials, str], tmp_path: Path
) -> None:
    credentials, trusted = tls
    user = {
        "type": "authorized_user",
        "client_id": "nobody",
        "client_secret": "nothing",
        "refresh_token": "expired",
        "token_uri": "https://127.0.0.1:9/token",
    }
    (tmp_path / "user.json").write_text(json.dumps(user))

    async with scripted_google(nothing, tls=credentials) as google:
        said = await read_in_another_process(
            google.address,
            GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=trusted,
            GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "user.json"),
        )

    assert google.tokens == []
    assert "login: " in said


async def test_a_plaintext_endpoint_gets_no_token(tmp_path: Path) -> None:
    async with scripted_google(nothing) as google:
        said = await read_in_another_process(
            f"http://{google.address}",
            GOOGLE_APPLICATION_CREDENTIALS=str(a_service_account(tmp_path)),
        )

    assert said == "{None}"
    assert google.tokens == [None] * 4
