"""How large each benchmark is: the usual run, and the small one of the tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
	"""`rounds` are measured after one that is not; the rest are numbers of items, records, clients, requests, seconds."""

	rounds: int = 5
	workers: int = 0  # of the web server; 0 is as many as docs/operations.md has it
	pushed: tuple = (1, 10, 50, 200, 500)
	batch: int = 200
	stored: tuple = (0, 10_000, 100_000)
	usual: int = 100_000
	pages: tuple = (100, 500, 1000, 5000)
	page: int = 1000
	changed: int = 100
	one_by_one: int = 50
	pushes: int = 10
	clients: tuple = (1, 2, 4, 8, 16, 32, 64)
	many: int = 32
	exchange: int = 20
	seconds: float = 3.0
	requests: int = 300
	pairs: int = 1000
	changed_by_job: int = 20_000
	load_chunk: int = 200
	load_pulls: int = 50
	pushed_beside: int = 10
	streams: int = 10_000
	events: int = 200
	idle: float = 20.0
	run_records: int = 100_000
	run_changed: int = 100
	run_pushed: int = 10_000


USUAL = Sizes()
MILLION = Sizes(stored=(*USUAL.stored, 1_000_000))
QUICK = Sizes(
	rounds=1,
	workers=1,
	pushed=(1, 20),
	batch=20,
	stored=(0, 100),
	usual=100,
	pages=(20, 100),
	page=50,
	changed=5,
	one_by_one=3,
	pushes=1,
	clients=(1, 2),
	many=2,
	exchange=2,
	seconds=0.2,
	requests=10,
	pairs=5,
	changed_by_job=30,
	load_chunk=10,
	load_pulls=2,
	pushed_beside=2,
	streams=20,
	events=3,
	idle=0.2,
	run_records=20,
	run_changed=2,
	run_pushed=4,
)
