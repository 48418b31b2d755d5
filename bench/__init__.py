"""Measuring how fast and how rarely wrong the decisions are. Not part of the bot; `make bench-detection`."""
