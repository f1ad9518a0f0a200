"""What may be sent: needed fields are needed, and what the API does not take is no argument."""

import datetime as dt
from decimal import Decimal

from didww_async.resources import (
    Address,
    AddressCreate,
    AddressVerificationCreate,
    Codec,
    DidUpdate,
    ExportCreate,
    ExportFilters,
    Identity,
    IdentityCreate,
    IpOnly,
    MediaEncryptionMode,
    OrderUpdate,
    ProofCreate,
    SharedCapacityGroupUpdate,
    SipConfiguration,
    VoiceInTrunk,
    VoiceInTrunkCreate,
    VoiceInTrunkUpdate,
    VoiceOutTrunkCreate,
)

AddressCreate(address="1 Road", city_name="Bonn", postal_code="53111", identity="i", country="c")
AddressCreate(  # E: Missing named argument "country"
    address="1 Road", city_name="Bonn", postal_code="53111", identity="i"
)
AddressVerificationCreate(address="a", dids=["d"], callback_url="u", callback_method="post")
AddressVerificationCreate(address="a", dids=["d"], callback_method="put")  # E: incompatible type
AddressVerificationCreate(address="a")  # E: Missing named argument "dids"
ProofCreate(proof_type="p", entity=Address(id="a"), files=["f"])
ProofCreate(proof_type="p", entity=Identity(id="i"), files=("f",))
ProofCreate(proof_type="p", entity="i", files=["f"])  # E: incompatible type "str"
IdentityCreate(
    identity_type="person",  # E: incompatible type
    first_name="A",
    last_name="B",
    phone_number="1",
)
OrderUpdate()  # E: Missing named argument "external_reference_id"
DidUpdate(voice_in_trunk=None, voice_in_trunk_group="g", description=None)
DidUpdate(terminated=None)  # E: incompatible type "None"
DidUpdate(number="1")  # E: Unexpected keyword argument "number"
SharedCapacityGroupUpdate(dids=None)  # E: incompatible type "None"
VoiceOutTrunkCreate(name="n", authentication_method=IpOnly(), threshold_amount=Decimal(5))
VoiceOutTrunkCreate(
    name="n",
    authentication_method=IpOnly(),
    threshold_amount=5.0,  # E: incompatible type "float"
)
VoiceOutTrunkCreate(name="n")  # E: Missing named argument "authentication_method"
VoiceInTrunkCreate(name="n", configuration=IpOnly())  # E: incompatible type "IpOnly"
VoiceInTrunkCreate(
    name="n",
    configuration=SipConfiguration(
        host="sip.example.com",
        codec_ids=(Codec.PCMU, Codec.PCMA),
        media_encryption_mode=MediaEncryptionMode.SRTP_SDES,
    ),
)
ExportCreate(
    export_type="cdr_in",
    filters=ExportFilters(
        from_=dt.datetime(2026, 4, 1, tzinfo=dt.UTC), to=dt.datetime(2026, 4, 2, tzinfo=dt.UTC)
    ),
)


def moved(trunk: VoiceInTrunk) -> VoiceInTrunkUpdate:
    return VoiceInTrunkUpdate(configuration=trunk.configuration.replace(port=5061))
