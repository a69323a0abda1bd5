"""Write the document into the file that is named."""

import sys
from pathlib import Path

from hisabi_sync.api import openapi

Path(sys.argv[1]).write_text(openapi.text(), encoding="utf-8")
