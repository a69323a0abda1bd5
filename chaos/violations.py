"""What a check of a promise finds: violations, and the promises by name with their titles."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chaos.evidence import Evidence

# What a check says is broken, and the records and ops that it is about.
Found = tuple[str, Iterable[tuple[str, str]], Iterable[str]]
PROMISES: dict[str, Callable[[Evidence], Iterator[Found]]] = {}


@dataclass
class Violation:
	"""A broken promise: which, what about it, the records and ops concerned, and when it was noticed."""

	promise: str
	says: str
	space: str = ""
	keys: tuple = ()
	ops: tuple = ()
	at: float = float("inf")

	@property
	def title(self) -> str:
		"""The promise in words."""
		return TITLES[self.promise]


# Title of each promise, as a person reads it.
TITLES = {
	"exactly_once": "A change that is sent any number of times is applied once.",
	"same_answer": "Every repeat of a change gets its first answer.",
	"kept": "What was answered as accepted is committed and stays.",
	"no_silent_overwrite": "Nobody's work is overwritten without a conflict.",
	"last_write": "A field holds what was written to it last.",
	"conflicts_kept": "A conflict is kept with both sides.",
	"photos_kept": "A photo stays while a record names it, goes when none does, and is for members only.",
	"fields_told": "A change that is refused for a field names the field.",
	"order": "Every change has a number of its own below the space's counter.",
	"whole_items": "An item is applied whole or not at all.",
	"atomic": "An atomic batch is applied whole or not at all.",
	"tombstones": "What was deleted never comes back, unless it is begun again.",
	"balances": "Balances are the sums of their transactions.",
	"no_lost_change": "A pull brings every change that was committed before it began.",
	"convergence": "When all is quiet every device holds what the server holds.",
	"walls": "Nothing of another space is ever seen.",
	"membership": "People who were removed, or may only read, are refused from then on.",
	"let_in": "Members are let in.",
	"later": "What is refused because a budget is used up is taken later.",
	"errors": "Nothing but `unavailable` goes wrong, and that only while something is hurt.",
	"actions": "An action is taken once, and its document shows it.",
	"runs": "A run brings each record to the other side exactly once, and its counts are true.",
}


def promise(function: Callable[[Evidence], Iterator[Found]]) -> Callable[[Evidence], Iterator[Found]]:
	"""Decorator: the function is a promise, by its name. It yields what breaks it."""
	PROMISES[function.__name__] = function
	return function
