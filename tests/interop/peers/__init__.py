"""Real SIP software on loopback, for the interoperability tests: Kamailio, baresip, and our own programs."""
