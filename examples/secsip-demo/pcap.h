/* The eavesdropper's copy as a capture file, for Wireshark and its like. Part of: secsip-demo.
 * The sockets hide the headers of IP, UDP and TCP from the wire; they are made up here, without handshakes. */
#ifndef DEMO_PCAP_H
#define DEMO_PCAP_H

#include <stdio.h>

#include "wire.h"

enum {
    PCAP_FLOWS = 64
};

/* One direction of one connection. */
struct pcap_flow {
    enum report_lane from;
    enum report_lane to;
    uint16_t from_port;
    uint16_t to_port;
    uint32_t next; /* sequence number */
};

struct pcap {
    FILE *file; /* NULL: nothing is written */
    struct pcap_flow flows[PCAP_FLOWS];
    size_t n_flows;
};

/* False when the file cannot be written; errno says why. */
bool pcap_open(struct pcap *p, const char *path);
void pcap_write(struct pcap *p, const struct wire_bytes *bytes);
/* False when something could not be written. */
bool pcap_close(struct pcap *p);

#endif
