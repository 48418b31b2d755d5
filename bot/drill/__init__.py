"""Fire drills: the director, the stories it tells, and the operator who acts where no people do.

Above both the bot and the sandbox: it has a simulated cloud fail, and a bot as in production look after it.
"""
