/* A resolver of the application's own, in place of c-ares. SPDX-License-Identifier: LGPL-2.1-or-later
 * The rules on threads and callbacks are those of <secsip/stack.h>. Answers are kept for their TTL by the stack, and whatever
 * they say, the name that a certificate must prove stays the domain that was asked for. */
#ifndef SECSIP_RESOLVER_H
#define SECSIP_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>
#include <secsip/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A question on its way. */
typedef struct secsip_query secsip_query;

/** DNS record types. */
enum {
    SECSIP_DNS_A = 1,
    SECSIP_DNS_SOA =
        6, /**< never asked for; with SECSIP_E_NET_RESOLVE: ttl_s is how long that holds (RFC 2308) */
    SECSIP_DNS_AAAA = 28,
    SECSIP_DNS_SRV = 33,
    SECSIP_DNS_NAPTR = 35,
};

/** One record of an answer. Strings may be NULL where the type does not use them. */
typedef struct secsip_dns_record {
    size_t size;
    int32_t type;        /**< SECSIP_DNS_* */
    uint32_t ttl_s;      /**< how long it may be kept; 0: not beyond this answer */
    const char *address; /**< A, AAAA: "192.0.2.1", "2001:db8::1" */
    uint32_t priority;   /**< SRV priority, NAPTR order; at most 65535, like the next two */
    uint32_t weight;     /**< SRV weight, NAPTR preference */
    uint32_t port;       /**< SRV */
    const char *target;  /**< SRV target, NAPTR replacement; "" for the root */
    const char *service; /**< NAPTR, "SIPS+D2T" */
    const char *flags;   /**< NAPTR, "s" */
} secsip_dns_record;

/** The resolver. */
typedef struct secsip_resolver {
    size_t size;
    /** Ask for the records of a name: secsip_query_answer() follows, from inside this call or later. Must not block, and like
     * cancel it calls nothing of the stack but secsip_query_...(): the look-up may come out of a call of the application's. After
     * 20 s without an answer the look-up has failed, and cancel is called.
     * @return 0, or an error: no answer follows, and the look-up has failed */
    secsip_result (*resolve)(secsip_query *query, int32_t type, const char *name, void *user_data);
    /** The answer is not wanted any more; query is dead when this returns. */
    void (*cancel)(secsip_query *query, void *user_data);
} secsip_resolver;

/** Asks this resolver from now on, and forgets what was known.
 * @param resolver   copied; resolve and cancel are required
 * @param user_data  given to both
 * @return 0, SECSIP_E_INVALID, SECSIP_E_ABI, SECSIP_E_STATE (a look-up is under way). Since 0.1. */
secsip_result secsip_stack_set_resolver(secsip_stack *stack, const secsip_resolver *resolver,
                                        void *user_data);

/** The answer; query is dead after the call.
 * @param result      0, SECSIP_E_NET_RESOLVE (no such name or record: kept for 30 s, or as a record SECSIP_DNS_SOA says, but
 *                    1 to 60 s), SECSIP_E_NET_DNS (the resolver failed)
 * @param records, n  copied, at most 32 of them; of other types than the one asked for, or malformed: passed over
 * Legal everywhere, inside resolve too. Since 0.1. */
void secsip_query_answer(secsip_query *query, secsip_result result,
                         const secsip_dns_record *records, size_t n);

/** A pointer of the application's. Since 0.1. */
void secsip_query_set_data(secsip_query *query, void *data);
/** The same, read. Since 0.1. */
void *secsip_query_get_data(const secsip_query *query);

#ifdef __cplusplus
}
#endif

#endif
