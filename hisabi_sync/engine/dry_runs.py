"""What is looked at in the transaction of a dry run, before it is undone: where records would lie, and which files they would have."""

from collections.abc import Sequence

from hisabi_sync.engine import attachments
from hisabi_sync.engine.model.change import Outcome
from hisabi_sync.engine.sharing import whereabouts


def note(outcomes: Sequence[Outcome], user: str) -> None:
	"""Note in outcomes the spaces of the user in which their records would lie, and their files; a few statements for all."""
	shown = [one for one in outcomes if one.record is not None and one.document_name]
	keys = {(one.entity_type, str(one.document_name)) for one in shown}
	lies, files = whereabouts.of_user(keys, user), attachments.of_documents(keys)
	for one in shown:
		key = (one.entity_type, str(one.document_name))
		one.spaces, one.attachments = lies.get(key, []), files.get(key)
