"""`python -m hisabi_sync.live`, run in the folder `sites` of a bench."""

import logging

from hisabi_sync.live import app, settings

if __name__ == "__main__":
	logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
	app.run(settings.read())
