"""Ids that must never fit where another id goes."""

from typing import NewType

#: Short incident number, shown as ``INC-12``.
IncidentNumber = NewType("IncidentNumber", int)
#: Opaque id of one rollback, 12 characters of base 32.
RollbackId = NewType("RollbackId", str)
#: Opaque id of one change of a canary, 16 hexadecimal characters.
ChangeId = NewType("ChangeId", str)
#: A target's name in the playbook; ``canary`` is the default one.
TargetName = NewType("TargetName", str)
#: Bare Cloud Run revision name, never the full resource path.
RevisionName = NewType("RevisionName", str)
#: Bare Cloud Run service name, never the full resource path.
ServiceName = NewType("ServiceName", str)
#: Slack user id (``U…`` or ``W…``), or ``cli:<login>`` for somebody at the command line.
PersonId = NewType("PersonId", str)
#: Slack channel id (``C…``, ``G…``, ``D…``) or a ``#name`` that Slack resolves.
ChannelId = NewType("ChannelId", str)


def incident_in(id: str) -> IncidentNumber:
    """Return the incident that the id of a page or of a follow-up begins with: 12 for ``12-add_tests``."""
    return IncidentNumber(int(id.partition("-")[0]))


def incident_label(number: IncidentNumber) -> str:
    """Return the name people say: ``INC-12``."""
    return f"INC-{number}"
