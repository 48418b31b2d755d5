"""The review after a failure: its points, what people found, and what differs beside each."""

from bot.domain.checklist import Mark, StepState
from bot.domain.configuration import Difference
from bot.domain.guide import Shows
from bot.domain.ids import PersonId
from bot.domain.incident import Incident
from bot.domain.review import about, found_in_review, review_of, reviewed
from tests.guide import the_guide
from tests.values import GITCO, NOON, SENA, an_incident, seconds

GUIDE = the_guide()


def marked(**states: tuple[StepState, str, int]) -> Incident:
    """Return an incident with marks on points of the code review, by their place: state, by, after."""
    return an_incident(
        marks={
            f"review.code.{place[1:]}": Mark(
                state=state, by=PersonId(by), at=NOON + seconds(after), why=f"note {place}"
            )
            for place, (state, by, after) in states.items()
        }
    )


def test_every_point_of_the_guide_is_there_and_open() -> None:
    points = review_of(an_incident(), GUIDE)

    assert [point.key for point in points] == [
        "code.1", "code.2", "code.3", "code.4",
        "test_coverage.1", "test_coverage.2", "test_coverage.3",
        "infrastructure.1", "infrastructure.2", "infrastructure.3",
    ]  # fmt: skip
    assert {point.state for point in points} == {StepState.TODO}
    assert [p.point.shows for p in points[-3:]] == [Shows.ENVIRONMENT, Shows.RESOURCES, Shows.NETWORK]


def test_a_point_knows_its_mark() -> None:
    incident = marked(p2=(StepState.NOT_OK, SENA, 0))

    point = reviewed(incident, GUIDE, "code.2")

    assert point is not None
    assert (point.state, point.mark) == (StepState.NOT_OK, incident.marks["review.code.2"])
    assert reviewed(incident, GUIDE, "code.5") is None
    assert reviewed(incident, GUIDE, "nothing.1") is None


def test_only_what_was_found_is_offered_oldest_first() -> None:
    incident = marked(
        p1=(StepState.NOT_OK, SENA, 9),
        p2=(StepState.DONE, SENA, 1),
        p3=(StepState.NOT_OK, GITCO, 2),
        p4=(StepState.TODO, SENA, 3),
    )

    found = found_in_review(incident, GUIDE)

    assert [(one.note, one.by, one.point.en) for one in found] == [
        ("note p3", GITCO, "New feature: session management"),
        ("note p1", SENA, "New feature: recommendation engine"),
    ]


def a_difference(name: str, about: str = "settings") -> Difference:
    return Difference(about=about, name=name, stable="a", canary="b")


def test_every_difference_stands_beside_one_point() -> None:
    network = ["ingress", "vpc_connector", "vpc_egress", "proxy.ports", "service_account", "session_affinity"]
    resources = [
        "memory",
        "cpu",
        "image",
        "concurrency",
        "max_instances",
        "timeout",
        "label.team",
        "proxy.image",
    ]
    environment = [a_difference(name, "environment") for name in ("ingress", "LOG_LEVEL")]
    all_of_them = [*environment, *map(a_difference, [*network, *resources])]

    assert about(Shows.ENVIRONMENT, all_of_them) == tuple(environment)
    assert [one.name for one in about(Shows.NETWORK, all_of_them)] == network
    assert [one.name for one in about(Shows.RESOURCES, all_of_them)] == resources
