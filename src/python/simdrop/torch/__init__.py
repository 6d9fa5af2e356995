from ._operators import drawn_key
