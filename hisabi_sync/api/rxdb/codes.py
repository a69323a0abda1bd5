"""What can go wrong in calls of RxDB's dialect."""

from hisabi_sync.engine.model.errors import register

register(
	requests={"dependency_missing": (503, "A record that others link to has not arrived yet", True)}, items={}
)
