"""What can go wrong with observations and playbooks."""

from hisabi_sync.engine.model.errors import register

register(
	requests={},
	items={
		"correction_of_draft": "Only a confirmed observation is corrected; a draft is edited",
		"already_corrected": "This observation was corrected already; correct the newest of the chain: {fields}",
		"patch_id_reused": "This patchId was used for another patch",
		"patch_invalid": "The patch cannot be applied: {fields}",
	},
)
