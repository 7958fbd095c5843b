/* Two phones and a registrar on a simulated network: what tests of calls begin with. */
#ifndef TESTS_PHONE_H
#define TESTS_PHONE_H

#include "certs.h"
#include "secsip/secsip.h"
#include "simnet.h"

struct phone {
    struct simnet_host *host;
    secsip_account *account;
    secsip_call *call; /* a reference, once there is one */
    secsip_tls_profile *profile;
    bool answers; /* incoming calls are answered at once, else rung */
    bool rejects;
    bool waits; /* they are not even rung */
    int32_t reg_state;
    int32_t reg_status;
    uint32_t reg_expires;
    uint32_t reg_retry_ms;
    int n_reg_events;
    char reg_check[32], reg_expected[256], reg_found[256], reg_text[512];
    secsip_result reg_result;
    int32_t call_state;
    int32_t call_status;
    int n_ended;
    secsip_result call_result;
    char call_check[32], call_expected[256], call_found[256], call_text[512], call_reason[128];
    char suite[64], profile_name[32], direction[16];
    int32_t level;
    uint32_t quirks, forms;
    int n_media;
    int n_modified;
    secsip_result modified_result;
    int32_t modified_status;
    int n_key_due[2], n_key_failed[2], n_key_ended[2]; /* by SECSIP_KEY_* */
    int32_t key_status;
    int16_t next_sample; /* what on_audio_wanted makes: a ramp */
    uint32_t n_samples_sent;
    uint32_t n_samples_heard;
    int16_t heard[8000 * 4];
    void (*on_audio_hook)(struct phone *p);
};

struct lab {
    struct simnet *net;
    struct simnet_host *server;
    secsip_registrar *registrar;
    secsip_tls_profile *server_profile;
    struct phone alice, bob;
    int n_refused;
    int32_t last_refused;
};

/* The registrar for example.test at 10.0.0.9:5061 with the certificate; users alice and bob, passwords "alicepw" and "bobpw". */
void lab_start(struct lab *l, enum lab_cert server_cert);
/* The same with limits: those fields of `server` that are not zero are taken. */
void lab_start_limited(struct lab *l, enum lab_cert server_cert, const secsip_stack_config *server);
/* The same with a good certificate, and what is in clear is served, too: over UDP at 10.0.0.9:5060. */
void lab_start_clear(struct lab *l, const secsip_stack_config *server);
/* A phone with defaults for what config leaves out; not registered yet. */
void lab_phone(struct lab *l, struct phone *p, const char *user,
               const secsip_account_config *config);
/* Registers both and runs until they are; asserts. */
void lab_register(struct lab *l);
/* Everything down: fails the test when a stack does not come to rest. */
void lab_stop(struct lab *l);

/* Cells of the call table that any phone of this program went through. */
extern bool lab_cells[16][32];

bool lab_both_registered(void *lab);
bool lab_both_talking(void *lab);
bool lab_both_ended(void *lab);
secsip_media_stats lab_stats(const struct phone *p);
/* Lets the time pass: the call of alice and bob goes on, and what alice says arrives. */
void lab_assert_speech(struct lab *l, uint64_t us);
void lab_call(struct lab *l, struct phone *from, const char *target);
/* What lab_call gives to secsip_call_new, whose user_data is the struct phone. */
const secsip_call_callbacks *lab_call_callbacks(void);

#endif
