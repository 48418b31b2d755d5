"""Everything that knows Slack's payloads: the gate, the listeners, the views."""
