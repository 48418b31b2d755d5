"""What users have written: kept in the database that every revision of an application shares."""


class Conversations:
    """How much each user has written, and what was lost of it. A backup holds everything."""

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}
        self._lost: dict[str, int] = {}

    @property
    def lost(self) -> int:
        """How many users miss what they had written."""
        return len(self._lost)

    def turns(self, user: str) -> int:
        """Return how many turns of `user` can still be read."""
        return self._turns.get(user, 0)

    def write(self, user: str) -> None:
        """Keep one more turn of `user`."""
        self._turns[user] = self.turns(user) + 1

    def lose(self, user: str) -> None:
        """Delete what `user` has written so far, as a faulty clean-up of sessions does."""
        gone = self._turns.pop(user, 0)
        if gone:
            self._lost[user] = self._lost.get(user, 0) + gone

    def restore(self) -> None:
        """Bring back from the backup whatever was lost."""
        for user, gone in self._lost.items():
            self._turns[user] = self.turns(user) + gone
        self._lost.clear()

    def clear(self) -> None:
        """Forget everything, as if nobody had written yet."""
        self._turns.clear()
        self._lost.clear()
