"""Who may do what: the bot's permissions, as the switches have them."""

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.rejection import denied

#: Without these in `Behaviour.granted_permissions` their calls are refused.
_GRANTED = frozenset({"run.services.get", "run.services.update", "run.services.delete", "run.revisions.get"})
#: Asked for on the account that a service runs as. It is not one of the service's own permissions, so
#: TestIamPermissions on the service says nothing of it. Source: reference/cloud-run-and-canary.md, B.4.
#: Lower-case is no slip: a role grants iam.serviceAccounts.actAs, but Google's refusals spell it so.
#: Source: GoogleCloudPlatform/cloud-run-release-manager, issue 81.
ACT_AS = "iam.serviceaccounts.actAs"


def holds(behaviour: Behaviour, permission: str) -> bool:
    """Return whether the bot has `permission`, as TestIamPermissions would say."""
    return permission in behaviour.granted_permissions - behaviour.refused_permissions


def demand(behaviour: Behaviour, permission: str, resource: str) -> None:
    """Let the call through if the bot may make it.

    Raises:
        Rejection: PERMISSION_DENIED, naming the permission and the resource.
    """
    granted = permission not in _GRANTED or permission in behaviour.granted_permissions
    if not granted or permission in behaviour.refused_permissions:
        raise denied(permission, resource)


def demand_act_as(behaviour: Behaviour, account: str) -> None:
    """Let a service that runs as `account` be changed if the bot may act as that account.

    Raises:
        Rejection: PERMISSION_DENIED.
    """
    if ACT_AS in behaviour.refused_permissions:
        raise denied(ACT_AS, account, kind="service account")
