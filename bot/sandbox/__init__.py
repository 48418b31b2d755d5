"""A Slack workspace, a Google Cloud and a canary service to practise on; the bot never imports it."""
