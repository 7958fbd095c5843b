/* The eavesdropper's copy as a capture file, see pcap.h. Part of: secsip-demo. The format is libpcap's, with raw IP
 * packets (link type 101). */
#include "pcap.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

enum {
    IP_HEADER = 20,
    UDP_HEADER = 8,
    TCP_HEADER = 20,
    SEGMENT_MAX = 1400,
    PACKET_MAX = 65535
};

static void be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void be32(uint8_t *p, uint32_t v)
{
    be16(p, v >> 16);
    be16(p + 2, v & 0xFFFF);
}

/* In the order of the machine, as the format wants it. */
static void put32(struct pcap *p, uint32_t v)
{
    fwrite(&v, sizeof(v), 1, p->file);
}

bool pcap_open(struct pcap *p, const char *path)
{
    *p = (struct pcap){.file = fopen(path, "wb")};
    if (!p->file)
        return false;
    put32(p, 0xA1B2C3D4);
    const uint16_t version[] = {2, 4};
    fwrite(version, sizeof(version), 1, p->file);
    put32(p, 0);
    put32(p, 0);
    put32(p, PACKET_MAX);
    put32(p, 101);
    return true;
}

static uint32_t sum_of(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return ~sum & 0xFFFF;
}

/* IPv4 (RFC 791), then what the caller made of UDP or TCP, then the bytes. */
static void put_packet(struct pcap *p, const struct wire_bytes *b, const uint8_t *head,
                       size_t head_len, const uint8_t *data, size_t len)
{
    uint8_t ip[IP_HEADER] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, b->stream ? 6 : 17};
    struct timespec now;
    uint32_t total = (uint32_t)(IP_HEADER + head_len + len);

    clock_gettime(CLOCK_REALTIME, &now);
    be16(ip + 2, total);
    inet_pton(AF_INET, wire_address(b->from), ip + 12);
    inet_pton(AF_INET, wire_address(b->to), ip + 16);
    be16(ip + 10, sum_of(ip, sizeof(ip)));
    put32(p, (uint32_t)now.tv_sec);
    put32(p, (uint32_t)(now.tv_nsec / 1000));
    put32(p, total);
    put32(p, total);
    fwrite(ip, 1, sizeof(ip), p->file);
    fwrite(head, 1, head_len, p->file);
    fwrite(data, 1, len, p->file);
}

static struct pcap_flow *find_flow(struct pcap *p, enum report_lane from, uint16_t from_port,
                                   enum report_lane to, uint16_t to_port)
{
    for (size_t i = 0; i < p->n_flows; i++) {
        struct pcap_flow *f = &p->flows[i];
        if (f->from == from && f->to == to && f->from_port == from_port && f->to_port == to_port)
            return f;
    }
    if (p->n_flows == PCAP_FLOWS)
        return NULL;
    p->flows[p->n_flows] = (struct pcap_flow){from, to, from_port, to_port, 1};
    return &p->flows[p->n_flows++];
}

static void put_stream(struct pcap *p, const struct wire_bytes *b)
{
    struct pcap_flow *flow = find_flow(p, b->from, b->from_port, b->to, b->to_port);
    struct pcap_flow *back = find_flow(p, b->to, b->to_port, b->from, b->from_port);
    uint8_t tcp[TCP_HEADER] = {0};

    if (!flow || !back)
        return;
    for (size_t at = 0; at < b->len;) {
        size_t len = b->len - at < SEGMENT_MAX ? b->len - at : SEGMENT_MAX;
        be16(tcp, b->from_port);
        be16(tcp + 2, b->to_port);
        be32(tcp + 4, flow->next);
        be32(tcp + 8, back->next);
        tcp[12] = TCP_HEADER / 4 << 4;
        tcp[13] = 0x18; /* PSH, ACK */
        be16(tcp + 14, 65535);
        put_packet(p, b, tcp, sizeof(tcp), b->data + at, len);
        flow->next += (uint32_t)len;
        at += len;
    }
}

void pcap_write(struct pcap *p, const struct wire_bytes *bytes)
{
    uint8_t udp[UDP_HEADER] = {0};

    if (!p->file)
        return;
    if (bytes->stream) {
        put_stream(p, bytes);
    } else if (bytes->len <= PACKET_MAX - IP_HEADER - UDP_HEADER) {
        be16(udp, bytes->from_port);
        be16(udp + 2, bytes->to_port);
        be16(udp + 4, (uint32_t)(UDP_HEADER + bytes->len));
        put_packet(p, bytes, udp, sizeof(udp), bytes->data,
                   bytes->len); /* a sum of 0 is none, RFC 768 */
    }
}

bool pcap_close(struct pcap *p)
{
    if (!p->file)
        return true;
    bool ok = ferror(p->file) == 0;
    if (fclose(p->file) != 0)
        ok = false;
    p->file = NULL;
    return ok;
}
