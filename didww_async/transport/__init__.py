"""The way to the wire and back: the only place that imports aiohttp."""
