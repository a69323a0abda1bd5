"""Thousands of simulated devices against a real server with constant faults, and a checker that knows every operation.

`./dev chaos` runs it. `plan` says what happens, `devices` and `people` do it, `faults` hurt the server, `journal` knows
what was sent and answered, `look` reads what the server holds, `promises` compares the two.
"""
