"""The AD bit, and its absence, as a real validating resolver gives them."""

import unittest

from route import route, summary
from unbound_server import Unbound

TEXT = """
@ MX 10 mx
mx A 192.0.2.1
mx AAAA 2001:db8::1
www CNAME mx
alias MX 10 www
outside MX 10 mx.unsigned.example.
bare A 192.0.2.1
null MX 0 .
"""
SIGNED = {
    "signed.example": "mx 10 mx.signed.example 192.0.2.1 2001:db8::1",
    "alias.signed.example": "mx 10 www.signed.example 192.0.2.1 2001:db8::1",
    "bare.signed.example": "implicit-mx 0 bare.signed.example 192.0.2.1",
    "[mx.signed.example]": "host 0 mx.signed.example 192.0.2.1 2001:db8::1",
}


class ARealValidator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.unbound = cls.enterClassContext(Unbound({
            "signed.example": ("signed", TEXT), "unsigned.example": ("unsigned", TEXT),
            "tampered.example": ("tampered", TEXT), "expired.example": ("expired", TEXT)}))

    def route(self, next_hop):
        return route(self.unbound.setting, next_hop)

    def test_a_signed_zone_is_secure_to_the_address(self):
        for next_hop, expected in SIGNED.items():
            found = self.route(next_hop)
            self.assertEqual(expected, summary(found))
            self.assertTrue(found["is_secure"] and found["hosts"][0]["is_secure"], found)

    def test_an_unsigned_zone_is_not(self):
        for next_hop, expected in SIGNED.items():
            found = self.route(next_hop.replace("signed", "unsigned"))
            self.assertEqual(expected.replace("signed", "unsigned"), summary(found))
            self.assertFalse(found["is_secure"] or found["hosts"][0]["is_secure"], found)

    def test_a_signed_mx_record_of_an_unsigned_host_is_half_secure(self):
        found = self.route("outside.signed.example")
        self.assertEqual("mx 10 mx.unsigned.example 192.0.2.1 2001:db8::1", summary(found))
        self.assertTrue(found["is_secure"])
        self.assertFalse(found["hosts"][0]["is_secure"])

    def test_a_denial_is_secure_too(self):
        for next_hop, fault in (("gone.signed.example", "no-such-name"), ("null.signed.example", "null-mx")):
            found = self.route(next_hop)
            self.assertEqual(fault, found["fault"])
            self.assertTrue(found["is_secure"], found)

    def test_an_address_that_was_tampered_with_is_named_as_dnssec_and_its_sound_neighbour_used(self):
        found = self.route("tampered.example")
        self.assertEqual("mx 10 mx.tampered.example 2001:db8::1", summary(found))
        self.assertEqual("perhaps not all addresses: MX host mx.tampered.example can't be looked up: its DNSSEC "
                         "signatures do not hold, by the resolver's word", found["hosts"][0]["text"])
        self.assertEqual("dnssec-invalid", self.route("bare.tampered.example")["fault"])

    def test_signatures_that_have_expired_are_named_as_dnssec(self):
        found = self.route("expired.example")
        self.assertEqual("dnssec-invalid", found["fault"])
        self.assertIn("its DNSSEC signatures do not hold", found["text"])

    def test_a_refusal_is_not_no_such_domain(self):
        found = self.route("elsewhere.example.net")
        self.assertEqual("dns-failure", found["fault"])
        self.assertIn("REFUSED", found["text"])


if __name__ == "__main__":
    unittest.main()
