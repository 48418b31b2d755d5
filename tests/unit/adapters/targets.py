"""Targets for the Google adapters' tests."""

from bot.domain.playbook import RouterVariable, Target, Topology

PROJECT = "ion-project"
REGION = "us-central1"


def revisions_target(*, service: str = "ion-api", project: str = PROJECT, region: str = REGION) -> Target:
    """One service, split between revisions."""
    return Target(topology=Topology.REVISIONS, project=project, region=region, service=service)


def services_target(
    *,
    service: str = "ion-chat",
    canary: str = "ion-chat-canary",
    router: str = "ion-chat-router",
    project: str = PROJECT,
) -> Target:
    """Two services behind a router."""
    return Target(
        topology=Topology.SERVICES,
        project=project,
        region=REGION,
        service=service,
        canary_service=canary,
        router=RouterVariable(service=router, variable="CANARY_TRAFFIC_PERCENTAGE"),
    )
