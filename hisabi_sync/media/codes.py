"""What can go wrong with signed URLs and uploads."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"url_invalid": (403, "This URL was altered, or this server did not issue it", False),
		"url_expired": (403, "This URL has expired", False),
		"url_used": (403, "This URL was used already", False),
		"url_not_yours": (403, "This URL was made for another user or device", False),
		"media_type_refused": (415, "Files of this type are not accepted", False),
		"media_type_mismatch": (417, "The content has another type than announced", False),
		"media_size_mismatch": (417, "The content has another size than announced", False),
		"media_checksum_mismatch": (417, "The content has another SHA-256 than announced", False),
		"media_too_large": (413, "The file is too large", False),
		"invalid_range": (417, "Content-Range does not fit the content", False),
		"offset_mismatch": (409, "Bytes before this part are missing; continue at `received`", True),
		"too_many_uploads": (429, "Too many uploads of this device wait for a record that names them", True),
		"upload_budget_used": (429, "Too many bytes of uploads wait for a record that names them", True),
		"storage_budget_used": (429, "The space for your files is used up", True),
	},
	items={},
)
