"""Pure translation between bytes and values: no I/O, no clock, no aiohttp."""
