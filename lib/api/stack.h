/* The stack behind its public handle. Layer: api. */
#ifndef SSI_API_STACK_H
#define SSI_API_STACK_H

#include "api/driver.h"
#include "secsip/resolver.h"
#include "secsip/stack.h"
#include "secsip/unstable/engine.h"
#include "ua/core.h"

struct secsip_stack {
    struct ssi_ua ua;
    struct ssi_driver *driver; /* NULL: the engine door */
    secsip_resolver resolver;  /* the application's, once it is set */
    void *resolver_data;
    secsip_engine_io engine_io;
    void *engine_data;
    uint32_t refs;
    uint32_t depth; /* > 0: inside process() or an engine call, so perhaps inside a callback */
    bool doomed;    /* the last reference went in there: freed on the way out */
};

/* Allocates a stack and translates the configuration; io and ssi_ua_init are the caller's. */
secsip_result ssi_stack_alloc(const secsip_stack_config *config, struct ssi_ua_config *ret_config,
                              secsip_stack **ret_stack);
/* Around everything that may run callbacks. False: a callback is running already. */
bool ssi_stack_enter(secsip_stack *s);
void ssi_stack_leave(secsip_stack *s);
/* Before a call that may arm a timer outside of process(): the time of the core is that of the last process(), perhaps long
 * ago, and a timer counted from there would be due too soon. Runs nothing. ua may be NULL. */
void ssi_stack_now(struct ssi_ua *ua);
/* After a call that may have armed a timer or posted news outside of process(): the descriptor must wake. ua may be NULL. */
void ssi_stack_touch(struct ssi_ua *ua);

#endif
