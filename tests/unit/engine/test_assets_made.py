"""Assets that a call names nowhere but in its output: found as the service spells them."""

from __future__ import annotations

from zenflow.ids import uuids_in

A1 = "0b0b0b0b-0000-4000-8000-00000000000a"
A2 = "0b0b0b0b-0000-4000-8000-00000000000B"


def test_finds_each_uuid_once_as_spelt():
    output = {"a": [{"url": f"https://x/{A2}/file.png"}, A1], "b": f"see {A2.lower()}", "n": 7, "none": None}
    assert uuids_in(output) == (A2, A1)
    assert uuids_in("text") == uuids_in(None) == ()
