"""Rules of incident command that stay true without Slack, Google and SQL."""
