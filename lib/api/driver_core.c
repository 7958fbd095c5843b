/* The driver with the real core behind it. Layer: api. Apart from driver.c, so that a program that brings its own table does
 * not link the core. */
#include "api/driver.h"

static const struct ssi_driver_tell core = {
    .advance = ssi_ua_advance,
    .deadline = ssi_ua_deadline,
    .stream_connected = ssi_ua_stream_connected,
    .stream_accepted = ssi_ua_stream_accepted,
    .stream_input = ssi_ua_stream_input,
    .stream_output = ssi_ua_stream_output,
    .stream_sent = ssi_ua_stream_sent,
    .stream_closed = ssi_ua_stream_closed,
    .dgram_input = ssi_ua_dgram_input,
    .resolved = ssi_ua_resolved,
    .dgram_failed = ssi_ua_dgram_failed,
};

secsip_result ssi_driver_new(struct ssi_ua *ua, const char *dns_servers, struct ssi_driver **ret)
{
    return ssi_driver_new_telling(&core, ua, dns_servers, ret);
}
