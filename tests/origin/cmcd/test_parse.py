from __future__ import annotations

from urllib.parse import unquote_plus

from hypothesis import given
from hypothesis import strategies as st

from origin.cmcd.parse import of_request
from tests.origin.cmcd.asking import Asks

ESCAPES = st.sampled_from([f"%{byte:02X}" for byte in range(256)])
PIECES = st.one_of(ESCAPES, ESCAPES.map(str.lower), st.sampled_from("+%2CFaf=,\xe9"))


@given(st.lists(PIECES, max_size=40).map("".join))
def test_a_query_is_decoded_as_forms_are(text: str) -> None:
    assert of_request(Asks(f"a=b&CMCD={text}&c")) == unquote_plus(text)
