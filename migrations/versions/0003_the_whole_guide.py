"""The whole guide"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "confirmation",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("point", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
    )
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_confirmation_point"), ["point"], unique=False)

    op.create_table(
        "last_seen",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_last_seen")),
    )
    with op.batch_alter_table("last_seen", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_last_seen_kind"), ["kind"], unique=False)

    op.create_table(
        "playbook_edition",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbook_edition")),
    )
    op.create_table(
        "timer",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workflow", sa.String(length=40), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timer")),
    )
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_timer_due_at"), ["due_at"], unique=False)

    op.create_table(
        "announcement",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("notice", sa.String(length=40), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("approved_by", sa.String(length=100), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident"], ["incident.number"], name=op.f("fk_announcement_incident_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    with op.batch_alter_table("announcement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_announcement_incident"), ["incident"], unique=False)
        batch_op.create_index(batch_op.f("ix_announcement_state"), ["state"], unique=False)

    op.create_table(
        "follow_up",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("owner_role", sa.String(length=40), nullable=True),
        sa.Column("postpones_deployment", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"], ["incident.number"], name=op.f("fk_follow_up_incident_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_incident"), ["incident"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_up_owner"), ["owner"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_up_state"), ["state"], unique=False)

    op.create_table(
        "page",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("contact", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=100), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name=op.f("fk_page_incident_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
    )
    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_page_incident"), ["incident"], unique=False)
        batch_op.create_index(batch_op.f("ix_page_state"), ["state"], unique=False)

    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "playbook",
                sa.String(length=64),
                server_default="",
                nullable=False,
                comment="the edition it began with; empty: before editions were kept",
            )
        )
        batch_op.add_column(sa.Column("scenario", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("scenario_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("seen", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("commander", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("roles", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("answers", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("marks", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("assigned", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column(
                "merged_into", sa.Integer(), nullable=True, comment="the incident this one was joined to"
            )
        )


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_column("merged_into")
        batch_op.drop_column("decided_at")
        batch_op.drop_column("assigned")
        batch_op.drop_column("marks")
        batch_op.drop_column("answers")
        batch_op.drop_column("roles")
        batch_op.drop_column("commander")
        batch_op.drop_column("seen")
        batch_op.drop_column("scenario_at")
        batch_op.drop_column("scenario")
        batch_op.drop_column("playbook")

    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_page_state"))
        batch_op.drop_index(batch_op.f("ix_page_incident"))

    op.drop_table("page")
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_follow_up_state"))
        batch_op.drop_index(batch_op.f("ix_follow_up_owner"))
        batch_op.drop_index(batch_op.f("ix_follow_up_incident"))

    op.drop_table("follow_up")
    with op.batch_alter_table("announcement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_announcement_state"))
        batch_op.drop_index(batch_op.f("ix_announcement_incident"))

    op.drop_table("announcement")
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_timer_due_at"))

    op.drop_table("timer")
    op.drop_table("playbook_edition")
    with op.batch_alter_table("last_seen", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_last_seen_kind"))

    op.drop_table("last_seen")
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_confirmation_point"))

    op.drop_table("confirmation")
