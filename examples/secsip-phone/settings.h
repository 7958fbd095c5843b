/* What the command line of secsip-phone asks for. Part of: secsip-phone. */
#ifndef PHONE_SETTINGS_H
#define PHONE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* Texts point into argv; the password belongs to the settings until settings_free(). */
struct settings {
    const char *account;
    const char *display_name;
    const char *proxy;
    const char *instance;
    const char *auth_user;
    const char *password_file;
    char *password;
    const char *ca;
    const char *cert;
    const char *key;
    uint32_t tls_options;
    const char *known_keys;
    bool first_use; /* a known key replaces the chain */
    uint32_t media_security;
    const char *suites;
    uint32_t sdes_style;
    uint32_t sdes_options;
    uint64_t key_lifetime;
    bool insecure_transport;
    uint32_t expires_s;
    const char *dns_servers;
    const char *listen;
    bool register_;
    const char *call;
    bool answer;
    const char *play;
    bool loop;
    const char *record;
    uint32_t duration_ms; /* 0: none */
    uint32_t wait_ms;     /* 0: none */
    const char *keylog;
    const char *trace;
    bool verbose;
    bool json;
};

/* -1 to go on, or the exit code with which the program ends: --help, --version, or wrong usage, which was said. */
int settings_read(struct settings *s, int argc, char **argv);
void settings_free(struct settings *s);
/* listen names a transport in clear, which has its own name for that. */
bool settings_listens_in_clear(const struct settings *s);

#endif
