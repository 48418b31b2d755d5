"""Changes of the canary"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "change",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column(
            "running", sa.Boolean(), nullable=False, comment="derived from state; carries the unique index"
        ),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("acting_team", sa.String(length=40), nullable=True),
        sa.Column("playbook_version", sa.String(length=64), nullable=False),
        sa.Column(
            "percent", sa.Integer(), nullable=True, comment="the canary's share that is wanted, percent"
        ),
        sa.Column("resources", sa.JSON(), nullable=True),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("writes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name=op.f("fk_change_incident_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_change_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_incident"), ["incident"], unique=False)
        batch_op.create_index(
            "uq_change_running_target",
            ["target"],
            unique=True,
            sqlite_where=sa.text("running"),
            postgresql_where=sa.text("running"),
        )


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_change_running_target", sqlite_where=sa.text("running"), postgresql_where=sa.text("running")
        )
        batch_op.drop_index(batch_op.f("ix_change_incident"))
        batch_op.drop_index(batch_op.f("ix_change_asked_at"))

    op.drop_table("change")
