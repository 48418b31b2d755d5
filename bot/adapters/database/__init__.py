"""Tables, and the one door through which rows become domain values."""
