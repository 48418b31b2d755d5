"""Settings: each wrong variable gives one line that names it and shows an example, and never a secret."""

import pytest

from bot.adapters.playbook_file import DEFAULT
from bot.settings import EXAMPLES, BadSettings, Settings, read_settings

SECRET = "s3cr3t-value-of-a-token"
SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "abc"}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in EXAMPLES:
        monkeypatch.delenv(name, raising=False)


def read(monkeypatch: pytest.MonkeyPatch, *, needs_slack: bool = False, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read_settings(needs_slack=needs_slack)


def test_every_setting_has_a_default_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)

    assert (settings.slack_bot_token, settings.slack_signing_secret, settings.slack_app_token) == (None,) * 3
    assert (settings.slack_api_url, settings.database_url) == (
        "https://slack.com/api/",
        "sqlite:///backout.db",
    )
    assert (settings.locale, settings.port, settings.playbook) == ("en", 3000, DEFAULT)
    assert (settings.google_cloud_project, settings.cloud_run_endpoint) == ("", "")
    assert not settings.on_loopback


def test_every_setting_has_an_example() -> None:
    assert {field.alias for field in Settings.model_fields.values()} == set(EXAMPLES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-1"),
        ("SLACK_BOT_TOKEN", SECRET),
        ("SLACK_APP_TOKEN", "xoxb-1"),
        ("SLACK_APP_TOKEN", SECRET),
        ("SLACK_API_URL", "http://slack.com/api/"),
        ("SLACK_API_URL", "slack.com"),
        ("DATABASE_URL", "mysql://u:s3cr3t-value-of-a-token@h/d"),
        ("DATABASE_URL", "s3cr3t-value-of-a-token"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", ""),
        ("CLOUD_RUN_ENDPOINT", "http://run.example.com:80"),
        ("CLOUD_MONITORING_ENDPOINT", "ftp://x"),
        ("CLOUD_LOGGING_ENDPOINT", "a b"),
        ("BACKOUT_LOCALE", "fr"),
        ("BACKOUT_LOCALE", "EN"),
        ("BACKOUT_EVIDENCE", "databse"),
        ("BACKOUT_EVIDENCE", "evidence"),
        ("BACKOUT_EVIDENCE", "s3://bucket"),
        ("BACKOUT_EVIDENCE", "gs:/bucket"),
        ("BACKOUT_EVIDENCE", "gs://"),
        ("BACKOUT_EVIDENCE", "gs://Bucket"),
        ("BACKOUT_EVIDENCE", "gs://bucket/../other"),
        ("CLOUD_LOGGING_READS_PER_MINUTE", "9"),
        ("CLOUD_LOGGING_READS_PER_MINUTE", "many"),
        ("SLACK_POSTS_PER_SECOND", "0"),
        ("SLACK_POSTS_PER_SECOND", "fast"),
        ("PORT", "many"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "3000.5"),
        ("PORT", ""),
    ],
)
def test_a_wrong_variable_is_named_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings) as bad:
        read(monkeypatch)

    (fault,) = bad.value.faults
    assert fault.startswith(f"{name}: ")
    assert fault.endswith(f"write for example {EXAMPLES[name]}")
    assert len(fault.splitlines()) == 1
    assert SECRET not in fault


def test_every_wrong_variable_gets_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettings) as bad:
        read(monkeypatch, PORT="x", BACKOUT_LOCALE="fr", SLACK_BOT_TOKEN=SECRET)

    assert {fault.partition(":")[0] for fault in bad.value.faults} == {
        "PORT",
        "BACKOUT_LOCALE",
        "SLACK_BOT_TOKEN",
    }
    assert len(str(bad.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({}, ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, ["SLACK_SIGNING_SECRET"]),
        ({"SLACK_BOT_TOKEN": " ", "SLACK_SIGNING_SECRET": ""}, ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]),
        ({"SLACK_APP_TOKEN": "xapp-1"}, ["SLACK_BOT_TOKEN"]),
    ],
)
def test_what_slack_needs_is_asked_for_where_slack_is_needed(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], missing: list[str]
) -> None:
    with pytest.raises(BadSettings) as bad:
        read(monkeypatch, needs_slack=True, **variables)

    assert bad.value.faults == [f"{name} is not set: write {EXAMPLES[name]}" for name in missing]


@pytest.mark.parametrize("variables", [SLACK, {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}])
def test_a_signing_secret_or_a_socket_is_enough(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    assert read(monkeypatch, needs_slack=True, **variables).slack_bot_token is not None


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, SLACK_BOT_TOKEN=f"xoxb-{SECRET}", SLACK_SIGNING_SECRET=SECRET)

    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("http://127.0.0.1:9/api", "http://127.0.0.1:9/api/"),
        ("http://localhost:9/api/", "http://localhost:9/api/"),
        ("https://slack-gov.com/api", "https://slack-gov.com/api/"),
    ],
)
def test_an_api_address_ends_with_a_slash(monkeypatch: pytest.MonkeyPatch, written: str, used: str) -> None:
    assert read(monkeypatch, SLACK_API_URL=written).slack_api_url == used


@pytest.mark.parametrize(
    "url",
    ["sqlite:///x.db", "postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u@/d?host=/run"],
)
def test_two_kinds_of_database_are_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert read(monkeypatch, DATABASE_URL=url).database_url == url


@pytest.mark.parametrize(
    ("endpoint", "local"), [("http://127.0.0.1:9", True), ("run.googleapis.com:443", False)]
)
def test_a_local_cloud_run_is_noticed(monkeypatch: pytest.MonkeyPatch, endpoint: str, local: bool) -> None:
    assert read(monkeypatch, CLOUD_RUN_ENDPOINT=endpoint).on_loopback is local


def test_unknown_variables_are_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, BACKOUT_UNKNOWN="x", PORT="65535").port == 65535


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("", "database"),
        (" Database ", "database"),
        ("./evidence", "./evidence"),
        ("/var/lib/backout/evidence", "/var/lib/backout/evidence"),
        ("gs://my-bucket", "gs://my-bucket"),
        ("gs://my.bucket_1/team/evidence/", "gs://my.bucket_1/team/evidence"),
    ],
)
def test_evidence_is_kept_where_the_setting_says(
    monkeypatch: pytest.MonkeyPatch, written: str, used: str
) -> None:
    assert read(monkeypatch, BACKOUT_EVIDENCE=written).evidence == used
