"""State in, Block Kit out: no client, no clock, no query."""
