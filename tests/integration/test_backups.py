"""When the newest backup was made, by a program or a page of the team's own."""

import gc
import sys
from datetime import UTC, datetime

import httpx
import pytest

from bot.adapters.backups import MOST_BYTES, NewestBackup, iso_date, page
from bot.domain.guide import Backups
from bot.usecases.ports import BackupUnknown
from tests.integration.patience import PATIENCE_SECONDS

#: Programs that do answer may take as long as the machine does.
PATIENT = NewestBackup(answer_seconds=PATIENCE_SECONDS)
THEN = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def program(code: str) -> Backups:
    """Return a configuration whose command runs `code`."""
    return Backups(command=(sys.executable, "-c", code))


@pytest.mark.parametrize(
    "said", ["2026-03-02T03:00:00Z", "2026-03-02T12:00:00+09:00\n", " 2026-03-02 03:00 "]
)
async def test_a_program_prints_an_iso_date(said: str) -> None:
    assert await PATIENT.newest(program(f"print({said!r})")) == THEN


async def test_a_bare_day_is_its_midnight() -> None:
    assert iso_date("2026-03-02") == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("print('yesterday')", "no ISO date: 'yesterday'"),
        ("print()", "no ISO date"),
        ("import sys; print('2026-03-02'); sys.exit(3)", "exit code 3"),
        (f"print('x' * {MOST_BYTES + 1})", "longer than"),
        ("while True: print('x' * 1000)", "longer than"),
    ],
)
async def test_whatever_else_it_does_is_no_backup(code: str, why: str) -> None:
    with pytest.raises(BackupUnknown, match=why):
        await PATIENT.newest(program(code))

    # A pipe that stayed open is complained about when it is collected: here, and not in some later test.
    gc.collect()


async def test_a_program_that_hangs_is_stopped() -> None:
    with pytest.raises(BackupUnknown, match="no answer within"):
        await NewestBackup(answer_seconds=0.3).newest(program("import time; time.sleep(60)"))


async def test_there_is_no_shell_and_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    with pytest.raises(BackupUnknown, match="cannot be run"):
        await PATIENT.newest(Backups(command=("date -I; true",)))

    code = "import os; print('2026-03-02T03:00:00Z' if 'SLACK_BOT_TOKEN' not in os.environ else 'leaked')"
    assert await PATIENT.newest(program(code)) == THEN


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(404), "answered 404"),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example"}), "answered 302"),
        (httpx.Response(200, text="x" * (MOST_BYTES + 1)), "longer than"),
    ],
)
async def test_a_page_that_does_not_say_so_is_no_backup(answer: httpx.Response, why: str) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
        with pytest.raises(BackupUnknown, match=why):
            await page(client, "https://backups.example/newest")


async def test_a_page_answers_with_an_iso_date() -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(200, text="2026-03-02T03:00:00Z\n"))
    async with httpx.AsyncClient(transport=answer) as client:
        assert iso_date(await page(client, "https://backups.example/newest")) == THEN


async def test_a_page_nobody_serves_is_no_backup() -> None:
    with pytest.raises(BackupUnknown, match="cannot be read"):
        await PATIENT.newest(Backups(url="https://127.0.0.1:9/newest"))
