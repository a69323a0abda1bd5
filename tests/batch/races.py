"""The same thing done at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor


def at_once(work, arguments):
	"""Results of `work` for each argument; all begin together, each in a thread with its own connection to the server."""
	start = threading.Barrier(len(arguments))

	def one(argument):
		start.wait(30)
		return work(argument)

	with ThreadPoolExecutor(len(arguments)) as pool:
		return list(pool.map(one, arguments))
