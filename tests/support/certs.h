/* A laboratory of certificates, made at run time: authorities, servers and clients of every kind that verification has to
 * tell apart. All for the domain example.test and the address 127.0.0.1, valid from LAB_FROM to LAB_UNTIL. */
#ifndef TESTS_CERTS_H
#define TESTS_CERTS_H

#include <stddef.h>
#include <stdint.h>

#include "secsip/tls.h"

#define LAB_FROM  1577836800U /* 2020-01-01 */
#define LAB_NOW   1750000000U /* 2025-06-15 */
#define LAB_UNTIL 2524608000U /* 2050-01-01 */

enum lab_cert {
    LAB_CA,
    LAB_OTHERCA,
    LAB_INTERMEDIATE,
    LAB_SERVER,         /* all names right */
    LAB_URIONLY,        /* SAN URI sip:example.test, another CN */
    LAB_DNSONLY,        /* SAN dNSName example.test */
    LAB_IPONLY,         /* SAN iPAddress 127.0.0.1 */
    LAB_WRONGNAME,      /* SANs of wrong.test */
    LAB_DNS_BESIDE_SIP, /* dNSName right, but a sip URI of another domain */
    LAB_CNTRAP,         /* CN right, SANs wrong */
    LAB_CNONLY,         /* CN right, no SAN at all */
    LAB_WILDCARD,       /* SAN dNSName *.test */
    LAB_USERURI,        /* only SAN URI sip:alice@example.test */
    LAB_NULNAME,        /* dNSName "example.test\0.wrong.test" */
    LAB_FROM_OTHERCA,
    LAB_SELFSIGNED,
    LAB_EXPIRED,
    LAB_NOTYET,
    LAB_SIPDOMAIN,  /* EKU id-kp-sipDomain only */
    LAB_ANYEKU,     /* EKU anyExtendedKeyUsage only */
    LAB_NOEKU,      /* no EKU */
    LAB_CLIENTONLY, /* EKU clientAuth only */
    LAB_SERVERONLY, /* EKU serverAuth only */
    LAB_RSA,        /* RSA 2048 */
    LAB_WEAKRSA,    /* RSA 1024 */
    LAB_VIA_INTERMEDIATE,
    LAB_REVOKED,
    LAB_MUSTSTAPLE, /* demands a stapled OCSP answer */
    LAB_IDN,        /* names of bücher.test, as A-labels */
    LAB_MANYNAMES,  /* 101 names */
    LAB_BY_LEAF,    /* signed by LAB_SERVER, which is no authority */
    LAB_ALICE,      /* a client: SAN URI sip:alice@example.test */
    LAB_PROXY,      /* a client that is a domain: SAN URI sip:example.test, clientAuth */
    LAB_CLIENT_OTHERCA,
    LAB_CLIENT_EXPIRED,
    LAB_N
};

/* Certificates are made when they are first asked for, and kept until the last lab_close; a test program that cannot make
 * one aborts. */
void lab_open(void);
void lab_close(void);
/* The same as fixtures of a group of tests. */
int lab_set_up(void **state);
int lab_tear_down(void **state);
/* PEM, NUL-terminated, borrowed. The chain is leaf first, with the intermediate where there is one. */
const char *lab_chain(enum lab_cert which);
const char *lab_key(enum lab_cert which);
/* A CRL that lists LAB_REVOKED, signed by an authority, good until a time; the caller frees it. */
char *lab_crl(enum lab_cert authority, uint32_t until);
/* The private key again, encrypted with a password (PKCS#8 in PEM); the caller frees it. */
char *lab_encrypted_key(enum lab_cert which, const char *password);
/* Certificate and key as PKCS#12; the caller frees it. */
uint8_t *lab_pkcs12(enum lab_cert which, const char *password, size_t *ret_len);
/* The certificate's pin in hexadecimal, NUL-terminated. */
void lab_pin(enum lab_cert which, char out[65]);
const char *lab_name(enum lab_cert which);
/* A profile that trusts LAB_CA and shows `identity` (LAB_N: none). The caller unrefs it. */
secsip_tls_profile *lab_profile(enum lab_cert identity);

#endif
