"""The inside of a ``rich_text`` block, as a table."""

from bot.sandbox.slack.block_checks import (
    Check,
    Shape,
    anything,
    boolean,
    characters,
    integer,
    items,
    one_of,
    typed,
    url,
)

STYLE: dict[str, Check] = {
    "style": Shape(
        may=dict.fromkeys(
            ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"),
            boolean,
        )
    )
}
PARTS: dict[str, Check] = {
    "text": Shape(must={"text": characters(40000)}, may=STYLE),
    "emoji": Shape(must={"name": characters(255)}, may={**STYLE, "unicode": anything, "skin_tone": anything}),
    "link": Shape(must={"url": url()}, may={**STYLE, "text": characters(40000), "unsafe": boolean}),
    "user": Shape(must={"user_id": characters(50)}, may=STYLE),
    "usergroup": Shape(must={"usergroup_id": characters(50)}, may=STYLE),
    "channel": Shape(must={"channel_id": characters(50)}, may=STYLE),
    "team": Shape(must={"team_id": characters(50)}, may=STYLE),
    "broadcast": Shape(must={"range": one_of("here", "channel", "everyone")}, may=STYLE),
    "color": Shape(must={"value": characters(20)}, may=STYLE),
    "date": Shape(
        must={"timestamp": integer(0, 10**11), "format": characters(255)},
        may={**STYLE, "url": url(), "fallback": characters(255)},
    ),
}
INLINE = items(typed(PARTS, frozenset(PARTS)), 0, 1000)
SECTION = Shape(must={"elements": INLINE})
PARAGRAPHS: dict[str, Check] = {
    "rich_text_section": SECTION,
    "rich_text_preformatted": Shape(
        must={"elements": INLINE}, may={"border": integer(0, 1), "language": characters(50)}
    ),
    "rich_text_quote": Shape(must={"elements": INLINE}, may={"border": integer(0, 1)}),
    "rich_text_list": Shape(
        must={
            "style": one_of("bullet", "ordered"),
            "elements": items(
                typed({"rich_text_section": SECTION}, frozenset({"rich_text_section"})), 0, 1000
            ),
        },
        may={"indent": integer(0, 8), "offset": integer(0, 10**6), "border": integer(0, 1)},
    ),
}
RICH_TEXT = Shape(
    must={"elements": items(typed(PARAGRAPHS, frozenset(PARAGRAPHS)), 0, 1000)},
    may={"block_id": characters(255)},
)
