"""Evidence and the record"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "exhibit_content",
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_exhibit_content")),
    )
    op.create_table(
        "exhibit",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "redacted", sa.Integer(), nullable=False, comment="secrets and personal data that were replaced"
        ),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name=op.f("fk_exhibit_incident_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exhibit")),
    )
    with op.batch_alter_table("exhibit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exhibit_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_exhibit_incident"), ["incident"], unique=False)
        batch_op.create_index(batch_op.f("ix_exhibit_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_exhibit_snapshot"), ["snapshot"], unique=False)

    op.create_table(
        "post_mortem",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=80), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"], ["incident.number"], name=op.f("fk_post_mortem_incident_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_mortem")),
    )
    with op.batch_alter_table("post_mortem", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_post_mortem_incident"), ["incident"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_mortem_state"), ["state"], unique=False)

    op.create_table(
        "snapshot",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("moment", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("canary", sa.String(length=100), nullable=False),
        sa.Column("stable", sa.String(length=100), nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.Column("rollback", sa.String(length=40), nullable=True),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("profiler", sa.Text(), nullable=False, comment="address of the memory profile"),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"], ["incident.number"], name=op.f("fk_snapshot_incident_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
    )
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snapshot_incident"), ["incident"], unique=False)

    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "canvas",
                sa.String(length=100),
                server_default="",
                nullable=False,
                comment="the record's, in Slack",
            )
        )


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_column("canvas")

    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_snapshot_incident"))

    op.drop_table("snapshot")
    with op.batch_alter_table("post_mortem", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_post_mortem_state"))
        batch_op.drop_index(batch_op.f("ix_post_mortem_incident"))

    op.drop_table("post_mortem")
    with op.batch_alter_table("exhibit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exhibit_snapshot"))
        batch_op.drop_index(batch_op.f("ix_exhibit_kind"))
        batch_op.drop_index(batch_op.f("ix_exhibit_incident"))
        batch_op.drop_index(batch_op.f("ix_exhibit_created_at"))

    op.drop_table("exhibit")
    op.drop_table("exhibit_content")
