"""Balances, budgets, goals, debts and jameyas: what the server computes and no device may set."""
