"""Arrow's compute functions. They are made when the library is imported, so no type checker can see them."""

from __future__ import annotations

from typing import Any

import pyarrow.compute

pc: Any = pyarrow.compute
