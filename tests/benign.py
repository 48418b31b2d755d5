"""Lines of logs, and sentences of people, in which there is nothing to hide."""

# Each line is one sample and stays one line.
# ruff: noqa: E501

import random
import uuid

HEX = "0123456789abcdef"


def _hex(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(HEX) for _ in range(count))


def _stamp(rng: random.Random) -> str:
    day, hour, minute, second = rng.randint(1, 28), rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)
    return f"2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}.{rng.randint(0, 999_999):06}Z"


def benign_lines(count: int, *, seed: int) -> list[str]:
    """Return `count` lines."""
    rng = random.Random(seed)
    return [rng.choice(_WAYS)(rng) for _ in range(count)]


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _address(rng: random.Random) -> str:
    return ".".join(str(rng.randint(1, 254)) for _ in range(4))


_WAYS = (
    lambda r: f"{_stamp(r)} INFO ion.api request served path=/api/chat status=200 took={r.uniform(1, 900):.13f}ms",
    lambda r: f'{{"severity":"ERROR","message":"KeyError: \'turn_id\'","latency_ms":{r.uniform(1, 900)}}}',
    lambda r: f"trace projects/ion-prod/traces/{_hex(r, 32)} span {_hex(r, 16)} sampled=1",
    lambda r: f"image asia-northeast3-docker.pkg.dev/ion/api@sha256:{_hex(r, 64)} pulled",
    lambda r: f"revision ion-api-{r.randint(1, 99999):05}-{r.choice('abcxyz')}kf is ready at generation {r.randint(1, 9999)}",
    lambda r: f"request_id={_uuid(r)} user_id={r.randint(1, 10**6)} turn_id={r.randint(1, 10**9)}",
    lambda r: f'{_address(r)} - - [23/Nov/2026:10:00:00 +0900] "GET /api/recommend?page={r.randint(1, 99)} HTTP/1.1" 200',
    lambda r: f"epoch ms {1_760_000_000_000 + r.randint(0, 10**10)}, us {1_760_000_000_000_000 + r.randint(0, 10**13)}",
    lambda r: f"ns {1_760_000_000_000_000_000 + r.randint(0, 10**16)} monotonic {r.random()}",
    lambda r: f"max_tokens={r.randint(1, 9999)} prompt_tokens: {r.randint(1, 9999)} tokens/s={r.uniform(1, 99):.2f} tokenizer=cl100k",
    lambda r: f"commit {_hex(r, 40)} merged by U0{r.choice(['LUBIT', 'SENA', 'GITCO'])} in C0CRITICAL",
    lambda r: f"token expired for user {r.randint(1, 10**6)}, refreshed; password reset requested",
    lambda r: "invalid token: signature mismatch",
    lambda r: "Basic authentication failed, bearer of bad news: authorization required",
    lambda r: f"비밀번호 변경 API 호출 {r.randint(1, 99)}건, 암호화 완료, 토큰 만료",
    lambda r: f"사용자 {r.randint(1, 10**6)}명에게 오류율 {r.uniform(0, 9):.2f}% 발생, 응답 시간 {r.randint(1, 999)} ms",
    lambda r: f"kubectl get pods: sk-learn-worker-{_hex(r, 5)} Running 10.{r.randint(0, 255)}.0.{r.randint(1, 254)}:8080",
    lambda r: f"postgresql://db.internal:{r.randint(1024, 9999)}/ion pool=20 idle={r.randint(0, 20)}",
    lambda r: f"https://ion-api-{_hex(r, 10)}-du.a.run.app/health answered 200 in {r.randint(1, 999)} ms",
    lambda r: f"numpy=={r.randint(1, 2)}.{r.randint(0, 30)}.{r.randint(0, 9)} lodash@4.17.{r.randint(0, 30)} python 3.11.{r.randint(0, 20)}",
    lambda r: f"\tat ai.ion.Store.open(Store.java:{r.randint(1, 999)}) [Store@{_hex(r, 7)}]",
    lambda r: f'  File "/app/ion/session_store.py", line {r.randint(1, 999)}, in append',
    lambda r: f"order 2026-{r.randint(100000, 999999)} shipped, port range 1588-{r.randint(1600, 9999)}",
    lambda r: f"called by deployer@ion-prod-{r.randint(1, 99)}.iam.gserviceaccount.com, role run.admin",
    lambda r: f"etag \"{_hex(r, 12)}\" cache-key chat:{r.randint(1, 10**6)}:{_hex(r, 8)} hit ratio {r.random():.3f}",
    lambda r: f"partition key=user_id, primary key: id, next_page_token=CAE{_hex(r, 20)}",
    lambda r: f"insertId {_hex(r, 16)} logName projects/ion/logs/run.googleapis.com%2Frequests",
    lambda r: f"memory {r.randint(100, 999)}MiB of 1024MiB, cpu {r.uniform(0, 1):.16f}, instances {r.randint(1, 30)}",
    lambda r: f"uuid7 {_uuid(r)} ulid 01J{_hex(r, 23).upper()} version v{r.randint(0, 9)}.{r.randint(0, 99)}.{r.randint(0, 99)}+build.{r.randint(1, 999)}",
    lambda r: f"secret projects/ion/secrets/db/versions/{r.randint(1, 9)} mounted, SecretManager ok, session opened",
    lambda r: f"resource.labels.service_name=\"ion-api\" AND severity>=ERROR AND timestamp>=\"{_stamp(r)}\"",
    lambda r: f"pass {r.randint(1, 99)} of 99, compass: north, passed=12 failed=0, keyboard: ok, monkey=1",
    lambda r: f"x={r.uniform(-1e6, 1e6)} y={r.uniform(-1, 1):e} [{r.random()}, {r.random()}, {r.random()}]",
    lambda r: f"INC-{r.randint(1, 99)} rolled back by U0LUBIT at {_stamp(r)[:19]}+09:00 after {r.randint(1, 59)} s",
)  # fmt: skip
