"""Every knob, once. Read in `bot.bootstrap` and passed on as values."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.adapters.database.engine import database_url
from bot.adapters.google import GoogleEndpoint
from bot.adapters.playbook_file import DEFAULT
from bot.adapters.vault import checked_setting

#: What to write for each variable, for whoever wrote something else.
EXAMPLES = {
    "SLACK_BOT_TOKEN": "xoxb-… (Slack app page, OAuth & Permissions)",
    "SLACK_SIGNING_SECRET": "32 hexadecimal characters (Slack app page, Basic Information)",
    "SLACK_APP_TOKEN": "xapp-… (only for Socket Mode)",
    "SLACK_API_URL": "https://slack.com/api/",
    "DATABASE_URL": "sqlite:///backout.db or postgresql://user:password@host/database",
    "GOOGLE_CLOUD_PROJECT": "my-project-123",
    "CLOUD_RUN_ENDPOINT": "us-central1-run.googleapis.com:443",
    "CLOUD_MONITORING_ENDPOINT": "monitoring.googleapis.com:443",
    "CLOUD_LOGGING_ENDPOINT": "logging.googleapis.com:443",
    "CLOUD_LOGGING_READS_PER_MINUTE": "60",
    "BACKOUT_PLAYBOOK": "playbook.yaml",
    "BACKOUT_LOCALE": "en or ko",
    "BACKOUT_EVIDENCE": "database, ./evidence, or gs://my-bucket/evidence",
    "BACKOUT_EVIDENCE_DAYS": "90",
    "BACKOUT_DRAWS": "yes or no",
    "BACKOUT_TEMPLATES": "./templates",
    "PORT": "3000",
    "SLACK_POSTS_PER_SECOND": "1",
}


class BadSettings(Exception):
    """Settings that cannot be used; `faults` are one line each, naming the variable and an example."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _blank_is_missing(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Optional = Annotated[SecretStr | None, BeforeValidator(_blank_is_missing)]


class Settings(BaseSettings):
    """Settings from the environment. Secrets never show in a log or an error."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)

    slack_bot_token: Optional = Field(None, alias="SLACK_BOT_TOKEN")
    slack_signing_secret: Optional = Field(None, alias="SLACK_SIGNING_SECRET")
    slack_app_token: Optional = Field(None, alias="SLACK_APP_TOKEN", description="Set: Socket Mode.")
    slack_api_url: str = Field("https://slack.com/api/", alias="SLACK_API_URL")
    database_url: str = Field("sqlite:///backout.db", alias="DATABASE_URL")
    google_cloud_project: str = Field("", alias="GOOGLE_CLOUD_PROJECT")
    cloud_run_endpoint: str = Field("", alias="CLOUD_RUN_ENDPOINT")
    cloud_monitoring_endpoint: str = Field("", alias="CLOUD_MONITORING_ENDPOINT")
    cloud_logging_endpoint: str = Field("", alias="CLOUD_LOGGING_ENDPOINT")
    log_reads_per_minute: int = Field(
        60,
        alias="CLOUD_LOGGING_READS_PER_MINUTE",
        ge=10,
        le=60_000,
        description="Google's quota of each project for reading the log; each process stays below it.",
    )
    playbook: Path = Field(DEFAULT, alias="BACKOUT_PLAYBOOK")
    locale: Literal["en", "ko"] = Field("en", alias="BACKOUT_LOCALE", description="Channels' language.")
    port: int = Field(3000, alias="PORT", ge=1, le=65535)
    evidence: str = Field(
        "database",
        alias="BACKOUT_EVIDENCE",
        description="Where files of evidence are kept: database, a directory, or gs://bucket/folder.",
    )
    evidence_days: int = Field(
        90, alias="BACKOUT_EVIDENCE_DAYS", ge=1, le=3650, description="How long; the record stays for good."
    )
    draws: bool = Field(
        True, alias="BACKOUT_DRAWS", description="Draw pictures and print PDFs, in a process of 150 MB."
    )
    templates: Path | None = Field(
        None, alias="BACKOUT_TEMPLATES", description="A directory with the team's own templates."
    )
    slack_posts_per_second: float = Field(
        1.0,
        alias="SLACK_POSTS_PER_SECOND",
        gt=0,
        le=100,
        description="Messages a second and channel: Slack's own limit is one, with short bursts.",
    )

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("xoxb-", "xoxe.xoxb-")):
            raise ValueError("a bot token begins with xoxb-")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("xapp-"):
            raise ValueError("an app-level token begins with xapp-")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _api_url(cls, value: str) -> str:
        local = value.startswith(("http://127.0.0.1:", "http://localhost:"))
        if not (value.startswith("https://") or local):
            raise ValueError("must be https (http only on this machine)")
        return value if value.endswith("/") else f"{value}/"

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        database_url(value)
        return value

    @field_validator("cloud_run_endpoint", "cloud_monitoring_endpoint", "cloud_logging_endpoint")
    @classmethod
    def _endpoint(cls, value: str, info: ValidationInfo) -> str:
        GoogleEndpoint.parse(value, setting=str(info.field_name).upper())
        return value

    @field_validator("evidence")
    @classmethod
    def _evidence(cls, value: str) -> str:
        return checked_setting(value)

    @property
    def on_loopback(self) -> bool:
        """True when Cloud Run is a server on this machine: then stable's address may be, too."""
        return self.cloud_run_endpoint.startswith("http://")


def read_settings(*, needs_slack: bool) -> Settings:
    """Return the settings.

    Raises:
        BadSettings: one line per fault, with the variable's name and an example.
    """
    faults: list[str] = []
    try:
        settings = Settings()
    except ValidationError as error:
        raise BadSettings([_fault(detail) for detail in error.errors(include_url=False)]) from error
    if needs_slack:
        if settings.slack_bot_token is None:
            faults.append(_missing("SLACK_BOT_TOKEN"))
        if settings.slack_app_token is None and settings.slack_signing_secret is None:
            faults.append(_missing("SLACK_SIGNING_SECRET"))
    if faults:
        raise BadSettings(faults)
    return settings


def _missing(name: str) -> str:
    return f"{name} is not set: write {EXAMPLES[name]}"


def _fault(detail: object) -> str:
    assert isinstance(detail, dict)
    name = str(detail["loc"][0])
    why = str(detail["msg"]).removeprefix("Value error, ").removeprefix(f"{name}=")
    return f"{name}: {why}; write for example {EXAMPLES.get(name, '?')}"
