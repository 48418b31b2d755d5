"""The numbers of a drill's incidents where its messages stay behind, in a real Slack."""

from datetime import datetime

from sqlalchemy import Engine, text


def begin_numbers_at(engine: Engine, at: datetime) -> None:
    """Let the incidents of an empty SQLite database be numbered by the minute of `at` (aware, UTC).

    A button carries its incident's number. In a fresh database that would be 1 again, and when a drill's
    button is pressed later, another bot's incident 1 would answer: yesterday's drill's, or a real one.
    """
    minute = int(at.timestamp()) // 60
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES ('incident', :minute)"), {"minute": minute}
        )
