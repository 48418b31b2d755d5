"""Where `emulate` 0.12.2 is known to differ from Slack: each line with its reason, and each is met or fails.

What it lacks without leaving a trace in a comparison is settled elsewhere: what people do is sent by
`emulated.py`; arguments in the address are moved by ``conformance/emulator.mjs``; it keeps no user groups,
languages and time zones, so the story does without. It has no rate limits and no rules for blocks, views and
ephemeral messages: of those ours alone is the judge.
"""

from tests.conformance.comparing import Known

KNOWN = (
    Known(
        place=r"^file .*\.(html|json|csv) ",
        text=r"^type: ",
        why="it guesses the type of few endings, and calls the rest application/octet-stream",
    ),
    Known(
        place=r"^message record:# ",
        text=r'"Checklist: # of # step done".*"Files of evidence: #".*"Timeline: # line, head `#`"',
        why="it has no canvases (404), so the record cannot point to one",
    ),
)
