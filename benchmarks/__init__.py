"""What this library costs, measured beside raw aiohttp."""
