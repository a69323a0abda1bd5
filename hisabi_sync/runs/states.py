"""The states of runs and of their records: one table each, with all allowed moves.

Every UPDATE names the allowed `sources` of its target state, so a row that another worker has moved meanwhile is left alone.
"""

from collections.abc import Mapping, Set

QUEUED, RUNNING, COMPLETED = "queued", "running", "completed"
COMPLETED_WITH_ERRORS, FAILED, CANCELLED = "completed_with_errors", "failed", "cancelled"
PENDING, PROCESSING, SKIPPED, DEAD = "pending", "processing", "skipped", "dead"

# State -> the states that may follow it.
RUN = {
	QUEUED: {RUNNING, FAILED, CANCELLED},
	RUNNING: {COMPLETED, COMPLETED_WITH_ERRORS, FAILED, CANCELLED},
	# Records of a run that has ended may be retried.
	COMPLETED: {RUNNING},
	# Completed when a person has dismissed what failed.
	COMPLETED_WITH_ERRORS: {RUNNING, COMPLETED},
	FAILED: {RUNNING},
	CANCELLED: {RUNNING},
}
RECORD = {
	PENDING: {PROCESSING, SKIPPED, DEAD},
	# Back to pending: the worker died, or the connection was paused before anything was tried.
	PROCESSING: {PENDING, COMPLETED, FAILED, SKIPPED, DEAD},
	FAILED: {PENDING, PROCESSING, SKIPPED},
	DEAD: {PENDING, SKIPPED},
	COMPLETED: set(),
	SKIPPED: set(),
}
RUN_ENDED = {COMPLETED, COMPLETED_WITH_ERRORS, FAILED, CANCELLED}
# Records that this run has nothing left to do for.
SETTLED = {COMPLETED, SKIPPED}
# Records that a person may retry.
REVIVABLE = {FAILED, DEAD}


def sources(table: Mapping[str, Set[str]], target: str) -> tuple[str, ...]:
	"""The states from which `target` can be reached in one move, in a fixed order."""
	return tuple(sorted(state for state, following in table.items() if target in following))


def of_run(planned: object, counts: Mapping[str, int], waiting: int) -> str:
	"""State of a run that has begun: `counts` {record state: number}, `waiting`: failed ones that are tried again."""
	if not planned or counts.get(PENDING) or counts.get(PROCESSING) or waiting:
		return RUNNING
	return COMPLETED_WITH_ERRORS if counts.get(FAILED) or counts.get(DEAD) else COMPLETED
