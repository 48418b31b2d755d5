"""What the bot does, one verb per file, and the ports each verb speaks to."""
