"""What hypothesis draws for the protocol: names, digests, JSON, deployments."""

from hypothesis import strategies as st

from device.protocol.chunks import CHUNK_SIZE, MAX_ARTIFACT
from device.protocol.deployment import MAX_GENERATION, MAX_PATCHES, ArtifactRef, Deployment, Patch

names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
tables = st.dictionaries(st.text(max_size=12), values, max_size=4)


@st.composite
def refs(draw, kind, name):
    version = draw(st.integers(1, MAX_GENERATION))
    bases = draw(st.sets(digests, max_size=MAX_PATCHES))
    patches = tuple(Patch(kind, name, version, base, *draw(contents())) for base in sorted(bases))
    return ArtifactRef(kind, name, version, *draw(contents()), patches)


@st.composite
def contents(draw):
    """Digest, length and index."""
    length = draw(st.integers(1, CHUNK_SIZE) | st.integers(1, MAX_ARTIFACT))
    return draw(digests), length, draw(digests) if length > CHUNK_SIZE else ""


@st.composite
def deployments(draw):
    functions = {name: draw(refs("function", name)) for name in draw(st.sets(names, max_size=3))}
    models = {name: draw(refs("model", name)) for name in draw(st.sets(names, max_size=3))}
    return Deployment(
        draw(names),
        draw(names),
        draw(st.integers(1, MAX_GENERATION)),
        functions,
        models,
        {name: draw(tables) for name in functions},
        draw(st.floats(0, 7 * 86400)),
        draw(st.integers(0, 1_000_000)),
    )
