import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Sequence

import pytest

from service.errors import FhirError, NotFhirError, UnreachableError
from service.fhir.unpacking import unpacked

PLAIN = b'{"resourceType":"Bundle"}' * 1_000
BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
PACKED = {
    "gzip": gzip.compress(PLAIN),
    "x-gzip": gzip.compress(PLAIN),
    "deflate": zlib.compress(PLAIN),
}


async def parts_of(packed: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(packed), size):
        yield packed[start : start + size]


def plain(packed: bytes, encoding: str, size: int = 100) -> bytes:
    async def run() -> bytes:
        return b"".join([part async for part in unpacked(parts_of(packed, size), encoding)])

    return asyncio.run(run())


@pytest.mark.parametrize("encoding", sorted(PACKED))
@pytest.mark.parametrize("size", [1, 7, 1_000_000])
def test_gzip_and_deflate_are_read(encoding: str, size: int) -> None:
    """However the network cuts them."""
    assert plain(PACKED[encoding], encoding, size) == PLAIN


def test_deflate_without_its_header_is_read() -> None:
    """Some servers send the bare stream."""
    assert plain(BARE.compress(PLAIN) + BARE.flush(), "deflate") == PLAIN


@pytest.mark.parametrize("size", [7, 1_000_000])
def test_several_members_are_one_answer(size: int) -> None:
    """A gzip stream may be several, one after the other."""
    assert plain(gzip.compress(b"one, ") + gzip.compress(b"two"), "gzip", size) == b"one, two"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "unknown"])
def test_other_encodings_are_refused(encoding: str) -> None:
    """What cannot be unpacked within a limit is not unpacked."""
    with pytest.raises(NotFhirError, match="packed, although asked for plain"):
        plain(PACKED["gzip"], encoding)


@pytest.mark.parametrize("encoding", sorted(PACKED))
@pytest.mark.parametrize("kept", [0, 1, 10, -1, -8])
def test_a_truncated_answer_is_lost(encoding: str, kept: int) -> None:
    """An answer that ends before its end is not taken for the whole, however much of it is there."""
    with pytest.raises(UnreachableError, match="ended before its end"):
        plain(PACKED[encoding][:kept], encoding)


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (b"not packed at all", "gzip"), (PLAIN, "deflate"), (PACKED["deflate"], "gzip"),
        (PACKED["gzip"][:40] + b"?" + PACKED["gzip"][41:], "gzip"), (PACKED["gzip"] + b"more", "gzip"),
    ],
    ids=["plain as gzip", "plain as deflate", "deflate as gzip", "changed", "more behind it"],
)  # fmt: skip
def test_what_is_not_packed_so_is_no_answer(packed: bytes, encoding: str) -> None:
    """Another format than the header says, a changed byte, something behind the end."""
    with pytest.raises(FhirError):
        plain(packed, encoding)


def bomb(mebibytes: int) -> bytes:
    packing = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    return b"".join(packing.compress(bytes(2**20)) for _ in range(mebibytes)) + packing.flush()


def test_a_bomb_costs_no_more_than_what_is_read_of_it() -> None:
    """100 MiB in 100 KB: whoever stops reading after 1 MiB has needed little more than that."""
    packed = bomb(100)

    async def run() -> Sequence[int]:
        sizes: list[int] = []
        async for part in unpacked(parts_of(packed, 65_536), "gzip"):
            sizes.append(len(part))
            if sum(sizes) > 2**20:
                break
        return sizes

    tracemalloc.start()
    try:
        sizes = asyncio.run(run())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert max(sizes) <= 256 * 1024
    assert most < 3 * 2**20
