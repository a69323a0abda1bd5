"""The libraries of other clients, which the tests of the dialects run in Node."""
