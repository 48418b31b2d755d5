"""Parse what Slack sent, call one use-case, render."""
