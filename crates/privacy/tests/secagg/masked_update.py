"""The masked update of client 2 of four, by OpenSSL through Python's `cryptography`: what `client/mask.rs` expects.

Written from the module's documentation; shares no code with the crate. `python3 masked_update.py` prints the bytes.
"""

import hashlib
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

RUN, ROUND, ENTRIES, BOUND, NEIGHBOURS, THRESHOLD, COHORT = b"\x09" * 32, 4, 5, 1000, 3, 2, 4
BITS = (COHORT * BOUND).bit_length() + 1
ME, UPDATE = 2, [1000, -1000, 0, 1, -1]


def raw(public):
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


roster = [raw(Ed25519PrivateKey.from_private_bytes(bytes([c]) * 32).public_key()) for c in range(COHORT)]
context = hashlib.sha256(
    b"flowgait secagg round 1" + RUN + struct.pack("<Q", ROUND)
    + struct.pack("<5I", ENTRIES, BITS, NEIGHBOURS, THRESHOLD, COHORT) + struct.pack("<Q", BOUND) + b"".join(roster)
).digest()


def stream(secret, label, low, high):
    info = label + struct.pack("<II", low, high)
    key = HKDF(algorithm=hashes.SHA256(), length=32, salt=context, info=info).derive(secret)
    cipher = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()
    return struct.unpack(f"<{ENTRIES}I", cipher.update(bytes(4 * ENTRIES)))


mask_key = X25519PrivateKey.from_private_bytes(bytes([100 + ME]) * 32)
masked = [u + m for u, m in zip(UPDATE, stream(b"\xc8" * 32, b"flowgait secagg self mask", ME, ME))]
for other in range(COHORT):
    if other != ME:
        public = raw(X25519PrivateKey.from_private_bytes(bytes([100 + other]) * 32).public_key())
        shared = mask_key.exchange(X25519PublicKey.from_public_bytes(public))
        low, high = sorted([ME, other])
        sign = 1 if ME < other else -1
        masked = [u + sign * m for u, m in zip(masked, stream(shared, b"flowgait secagg pair mask", low, high))]
packed = sum((m % 2**BITS) << (BITS * at) for at, m in enumerate(masked))
print("bits", BITS)
print(packed.to_bytes(-(-BITS * ENTRIES // 8), "little").hex())
