"""Where processes start. Like `bootstrap`, and nothing else, they may act when imported."""
