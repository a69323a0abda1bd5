"""A demonstration over HTTP: two phones and a person in the Desk share a wallet. Run it with `./dev demo`."""
