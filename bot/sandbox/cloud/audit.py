"""The audit log: who changed which service, and what Google answered."""

from dataclasses import dataclass

SERVICE = "run.googleapis.com"
#: How the Admin API v2 and gcloud's older one name a change.
#: Source: Google Cloud, "Cloud Run audit logging information".
UPDATE = "google.cloud.run.v2.Services.UpdateService"
DELETE = "google.cloud.run.v2.Services.DeleteService"
REPLACE = "google.cloud.run.v1.Services.ReplaceService"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAsked:
    """A change of a service that somebody asked for.

    `resource` is the full name of the service; `code` and `message` are a google.rpc.Status, 0 when it
    was accepted; `operation` is the full name of what then began.
    """

    method: str
    resource: str
    principal: str
    code: int = 0
    message: str = ""
    operation: str = ""

    @property
    def service(self) -> str:
        """The bare name of the service."""
        return self.resource.rpartition("/")[2]
