"""Where calls come in and go out: trunks, their settings, their credentials."""

import asyncio

from didww_async import Client
from didww_async.resources import (
    CredentialsAndIp,
    DidUpdate,
    SipConfiguration,
    VoiceInTrunkCreate,
    VoiceInTrunkGroupCreate,
    VoiceInTrunkUpdate,
    VoiceOutTrunkCreate,
    VoiceOutTrunkRegenerateCredentialCreate,
    VoiceOutTrunkUpdate,
)


async def incoming(client: Client) -> None:
    office = await client.voice_in_trunks.create(
        VoiceInTrunkCreate(
            name="office",
            capacity_limit=10,
            configuration=SipConfiguration(host="sip.example.com", port=5060),
        )
    )
    # What is left out stays. A configuration is one value: change the one that was read.
    await client.voice_in_trunks.update(office.id, VoiceInTrunkUpdate(ringing_timeout=30))
    office = await client.voice_in_trunks.get(office.id)
    assert isinstance(office.configuration, SipConfiguration)
    office = await client.voice_in_trunks.update(
        office.id, VoiceInTrunkUpdate(configuration=office.configuration.replace(port=5061))
    )
    print(office.name, office.ringing_timeout, office.configuration)

    # A group tries its trunks by priority and weight.
    group = await client.voice_in_trunk_groups.create(
        VoiceInTrunkGroupCreate(name="all offices", voice_in_trunks=[office.id])
    )
    async for did in client.dids.iterate(filter={"terminated": False}):
        await client.dids.update(did.id, DidUpdate(voice_in_trunk_group=group.id))
        print(did.number, "rings at", group.name)


async def outgoing(client: Client) -> None:
    trunk = await client.voice_out_trunks.create(
        VoiceOutTrunkCreate(
            name="calls out",
            authentication_method=CredentialsAndIp(allowed_sip_ips=("203.0.113.1/32",)),
            default_dst_action="reject_all",
            dst_prefixes=["44", "49"],
        )
    )
    await client.voice_out_trunk_regenerate_credentials.create(
        VoiceOutTrunkRegenerateCredentialCreate(voice_out_trunk=trunk.id)
    )
    trunk = await client.voice_out_trunks.get(trunk.id)  # the reply above holds nothing
    assert isinstance(trunk.authentication_method, CredentialsAndIp)
    print(trunk.authentication_method)  # secrets are hidden when shown, not when read:
    print(len(trunk.authentication_method.password or ""), "characters")
    await client.voice_out_trunks.update(trunk.id, VoiceOutTrunkUpdate(status="blocked"))


async def main() -> None:
    async with Client.from_env() as client:
        await incoming(client)
        await outgoing(client)


asyncio.run(main())
