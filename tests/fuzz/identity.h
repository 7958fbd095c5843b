/* A certificate for example.test with its key, trusted by nobody but the fuzz targets. */
#ifndef TESTS_FUZZ_IDENTITY_H
#define TESTS_FUZZ_IDENTITY_H

static const char identity_cert[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBvjCCAWOgAwIBAgIUElzIqRjBwQ8a6VEFRcbVOh+kP8gwCgYIKoZIzj0EAwIw\n"
    "FzEVMBMGA1UEAxMMZXhhbXBsZS50ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIwNTAw\n"
    "MTAxMDAwMDAwWjAXMRUwEwYDVQQDEwxleGFtcGxlLnRlc3QwWTATBgcqhkjOPQIB\n"
    "BggqhkjOPQMBBwNCAAQHJq5snSl1pkUNUsW5VAJUwuSo400ZwdZu006ijhAqXqzx\n"
    "ERZLkMTPoRXuD3Iy6arcota86JDGf/rEcyykQ1cFo4GKMIGHMAwGA1UdEwEB/wQC\n"
    "MAAwHQYDVR0lBBYwFAYIKwYBBQUHAwIGCCsGAQUFBwMBMCkGA1UdEQQiMCCCDGV4\n"
    "YW1wbGUudGVzdIYQc2lwOmV4YW1wbGUudGVzdDAOBgNVHQ8BAf8EBAMCB4AwHQYD\n"
    "VR0OBBYEFOUC+Q+fyI5Fdg25KGoFVpyFxPEgMAoGCCqGSM49BAMCA0kAMEYCIQC2\n"
    "0FV1UwvmAul7Ch4FJ2VBb7A94GY4fLV6zfTcJGSe1wIhAMVttY7/XMnA+wDSJ/JM\n"
    "tBLdRiberVfaQ6XBmcUG/3vb\n"
    "-----END CERTIFICATE-----\n";
static const char identity_key[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHgCAQEEIQDTYUDiWGFBK7XrsMdygP+DXrOYouLZPg/JBT3vxWfFoKAKBggqhkjO\n"
    "PQMBB6FEA0IABAcmrmydKXWmRQ1SxblUAlTC5KjjTRnB1m7TTqKOECperPERFkuQ\n"
    "xM+hFe4PcjLpqtyi1rzokMZ/+sRzLKRDVwU=\n"
    "-----END EC PRIVATE KEY-----\n";

#endif
