"""How late log entries come at present, and how long to wait for them."""

#: Bounds of the wait for what belongs to a bucket, seconds. Nothing comes sooner than the tail's own
#: buffer of 2 s, and a verdict that waits longer than 15 s is no faster than the probe beside it.
LEAST_LAG_SECONDS, MOST_LAG_SECONDS = 2.0, 15.0
#: Until anything is known.
FIRST_LAG_SECONDS = 5.0
#: An entry stamped further in the future than this was stamped by a clock that is wrong, or ours is.
FUTURE_SECONDS = 5.0

#: Of this share of the entries nothing may be missing when a bucket is closed, and a moment more.
_SHARE, _MARGIN_SECONDS = 0.99, 0.5
#: Entries count for less the older they are: by this factor for each ten seconds.
_FADES, _FADES_EACH_SECONDS = 0.8, 10.0
_CELL_SECONDS = 0.25
_CELLS = (-int(600 / _CELL_SECONDS), int(1200 / _CELL_SECONDS))
#: What is left of a cell when it is forgotten.
_FORGOTTEN = 0.01


class Lag:
    """Lateness of entries in cells of a quarter of a second, the newest ones weighing most."""

    def __init__(self) -> None:
        self._cells: dict[int, float] = {}
        self._faded_at: float | None = None

    def saw(self, seconds: float, *, at: float) -> None:
        """Remember an entry that came so many seconds after its timestamp; `at` is now (epoch seconds)."""
        self._fade(at)
        least, most = _CELLS
        cell = min(max(int(seconds // _CELL_SECONDS), least), most)
        self._cells[cell] = self._cells.get(cell, 0.0) + 1.0

    @property
    def seconds(self) -> float:
        """How long after its end a bucket is closed."""
        wanted = self._within(_SHARE)
        if wanted is None:
            return FIRST_LAG_SECONDS
        return min(max(wanted + _MARGIN_SECONDS, LEAST_LAG_SECONDS), MOST_LAG_SECONDS)

    @property
    def doubt(self) -> str | None:
        """Say why what has come in by now cannot stand for its time, None when it can."""
        middle = self._within(0.5)
        if middle is not None and middle > MOST_LAG_SECONDS:
            return f"late: log entries come {middle:.0f} s after the requests; at most 15 s are waited for"
        if middle is not None and middle < -FUTURE_SECONDS:
            ahead = f"log entries are stamped {-middle:.0f} s in the future"
            return f"clock: {ahead}; is this machine's clock right?"
        return None

    def _within(self, share: float) -> float | None:
        left = sum(self._cells.values()) * share
        for cell in sorted(self._cells):
            left -= self._cells[cell]
            if left <= 0:
                return (cell + 1) * _CELL_SECONDS
        return None

    def _fade(self, at: float) -> None:
        if self._faded_at is None or at < self._faded_at:
            self._faded_at = at
        if at - self._faded_at < _FADES_EACH_SECONDS:
            return
        factor = _FADES ** ((at - self._faded_at) / _FADES_EACH_SECONDS)
        self._faded_at = at
        self._cells = {c: w * factor for c, w in self._cells.items() if w * factor > _FORGOTTEN}
