"""The first tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


#: What makes a timeline append-only, per dialect.
APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER timeline_entry_keep_update BEFORE UPDATE ON timeline_entry "
        "BEGIN SELECT RAISE(ABORT, 'timeline entries are append-only'); END",
        "CREATE TRIGGER timeline_entry_keep_delete BEFORE DELETE ON timeline_entry "
        "BEGIN SELECT RAISE(ABORT, 'timeline entries are append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION timeline_entry_keep() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'timeline entries are append-only'; END $$",
        "CREATE TRIGGER timeline_entry_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON timeline_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION timeline_entry_keep()",
    ),
}


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "incident",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("failure_type", sa.String(length=20), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=100), nullable=False),
        sa.Column("playbook_version", sa.String(length=64), nullable=False),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column(
            "edition", sa.Integer(), nullable=False, comment="bumped whenever the record is rendered anew"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_incident")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index(
            "uq_incident_open_target",
            ["target"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "message",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column(
            "channel", sa.String(length=100), nullable=False, comment="where it should go: id or #name"
        ),
        sa.Column("person", sa.String(length=100), nullable=True, comment="only visible to this person"),
        sa.Column("under", sa.String(length=200), nullable=True, comment="key of the message it replies to"),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("sending", sa.Boolean(), nullable=False),
        sa.Column("sent_channel", sa.String(length=100), nullable=True, comment="where it did go"),
        sa.Column("ts", sa.String(length=40), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_message")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("team_id", sa.String(length=40), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("time_zone", sa.String(length=80), nullable=False),
        sa.Column("guest", sa.Boolean(), nullable=False),
        sa.Column("bot", sa.Boolean(), nullable=False),
        sa.Column("deactivated", sa.Boolean(), nullable=False),
        sa.Column("stranger", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "replica",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replica")),
    )
    op.create_table(
        "request",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request")),
    )
    op.create_table(
        "timeline_chain",
        sa.Column("chain", sa.String(length=60), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_timeline_chain")),
    )
    op.create_table(
        "rollback",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column(
            "running", sa.Boolean(), nullable=False, comment="derived from state; carries the unique index"
        ),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("twice", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("acting_team", sa.String(length=40), nullable=True),
        sa.Column("playbook_version", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("writes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"], ["incident.number"], name=op.f("fk_rollback_incident_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollback")),
    )
    with op.batch_alter_table("rollback", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rollback_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_rollback_incident"), ["incident"], unique=False)
        batch_op.create_index(
            "uq_rollback_running_target",
            ["target"],
            unique=True,
            sqlite_where=sa.text("running"),
            postgresql_where=sa.text("running"),
        )

    op.create_table(
        "timeline_entry",
        sa.Column("chain", sa.String(length=60), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["chain"], ["timeline_chain.chain"], name=op.f("fk_timeline_entry_chain_timeline_chain")
        ),
        sa.PrimaryKeyConstraint("chain", "sequence", name=op.f("pk_timeline_entry")),
    )
    with op.batch_alter_table("timeline_entry", schema=None) as batch_op:
        batch_op.create_index("uq_timeline_entry_chain_key", ["chain", "key"], unique=True)
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("timeline_entry", schema=None) as batch_op:
        batch_op.drop_index("uq_timeline_entry_chain_key")

    op.drop_table("timeline_entry")
    with op.batch_alter_table("rollback", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_rollback_running_target", sqlite_where=sa.text("running"), postgresql_where=sa.text("running")
        )
        batch_op.drop_index(batch_op.f("ix_rollback_incident"))
        batch_op.drop_index(batch_op.f("ix_rollback_asked_at"))

    op.drop_table("rollback")
    op.drop_table("timeline_chain")
    op.drop_table("request")
    op.drop_table("replica")
    op.drop_table("person")
    op.drop_table("message")
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_incident_open_target",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.drop_table("incident")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION timeline_entry_keep()")
