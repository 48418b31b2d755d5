"""It sees the failure"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "automatics",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("armed", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off_why", sa.String(length=100), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_by", sa.String(length=100), nullable=True),
        sa.Column("fired_at", sa.JSON(), nullable=False),
        sa.Column("rolled_to", sa.JSON(), nullable=False),
        sa.Column("rolled_from", sa.JSON(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automatics")),
    )
    op.create_table(
        "watch",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=100), nullable=False),
        sa.Column("canary", sa.String(length=100), nullable=False),
        sa.Column("stable", sa.String(length=100), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False, comment="the canary's share, percent"),
        sa.Column("sides", sa.JSON(), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column(
            "turn", sa.Integer(), nullable=False, comment="whoever works with an older one changes nothing"
        ),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("minutes_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closely_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rolled_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.String(length=40), nullable=True),
        sa.Column("ended_by", sa.String(length=100), nullable=True),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("judge", sa.JSON(), nullable=False),
        sa.Column("readings", sa.JSON(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("official", sa.JSON(), nullable=False),
        sa.Column("carried", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
    )
    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_state"), ["state"], unique=False)

    op.create_table(
        "alert",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("canary", sa.String(length=100), nullable=False),
        sa.Column("stable", sa.String(length=100), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("also", sa.JSON(), nullable=False),
        sa.Column("not_by_itself", sa.String(length=40), nullable=False),
        sa.Column("minutes", sa.Double(), nullable=True),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("rollback", sa.String(length=40), nullable=True),
        sa.Column("fires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("pressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "called", sa.Boolean(), nullable=False, comment="a second message called people to a countdown"
        ),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name=op.f("fk_alert_incident_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_incident"), ["incident"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_target"), ["target"], unique=False)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_target"))
        batch_op.drop_index(batch_op.f("ix_alert_state"))
        batch_op.drop_index(batch_op.f("ix_alert_incident"))

    op.drop_table("alert")
    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_watch_state"))

    op.drop_table("watch")
    op.drop_table("automatics")
