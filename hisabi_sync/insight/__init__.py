"""Numbers for reports, cards and charts: each a bounded number of statements, and only over what the user may see."""
