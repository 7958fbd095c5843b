/* /etc/hosts, see hosts.h. Layer: net. c-ares reads it, too, but as a whole for each family: a list of a hundred thousand
 * names, as blockers of advertisements put there, would stop the stack for half a second. */
#include "net/hosts.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"

enum {
    CHUNK = 65536
};

static secsip_result read_file(const char *path, struct ssi_buf *b)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = 1;

    if (fd < 0)
        return 0;
    while (n > 0 && b->len < SSI_HOSTS_MAX) {
        uint8_t *tail = ssi_buf_reserve(b, CHUNK);
        if (!tail)
            break;
        n = read(fd, tail, CHUNK);
        ssi_buf_commit(b, n > 0 ? (size_t)n : 0);
    }
    close(fd);
    return b->failed;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line; empty at its end. */
static struct ssi_slice take_word(struct ssi_slice *line)
{
    size_t begin = 0, end;

    while (begin < line->len && is_blank(line->p[begin]))
        begin++;
    for (end = begin; end < line->len && !is_blank(line->p[end]); end++)
        ;
    struct ssi_slice word = ssi_slice_of(line->p + begin, end - begin);
    *line = ssi_slice_from(*line, end);
    return word;
}

static bool names(struct ssi_slice words, struct ssi_slice name)
{
    for (struct ssi_slice w; (w = take_word(&words)).len > 0;)
        if (ssi_slice_ieq(w, name))
            return true;
    return false;
}

/* A line "ADDRESS NAME NAME ... # comment". */
static bool read_line(struct ssi_slice line, struct ssi_slice name, struct ssi_addr *ret)
{
    line.len = ssi_slice_find(line, '#');
    struct ssi_slice address = take_word(&line);

    return line.len >= name.len && names(line, name) && ssi_addr_parse_ip(address, 0, ret);
}

int32_t ssi_hosts_find(const char *path, enum ssi_rr_type type, const char *name,
                       struct ssi_rr *rrs, size_t cap, bool *ret_known)
{
    struct ssi_slice asked = ssi_slice_str(name);
    struct ssi_addr address;
    struct ssi_buf b;
    size_t n = 0;

    if (asked.len > 0 && asked.p[asked.len - 1] == '.')
        asked.len--;
    ssi_buf_init(&b, SSI_HOSTS_MAX + CHUNK);
    secsip_result r = read_file(path, &b);
    struct ssi_slice rest = ssi_buf_slice(&b);
    *ret_known = false;
    while (r == 0 && rest.len > 0) {
        size_t end = ssi_slice_find(rest, '\n');
        if (read_line(ssi_slice_of(rest.p, end), asked, &address)) {
            *ret_known = true;
            if (address.family == (type == SSI_RR_A ? 4 : 6) && n < cap)
                rrs[n++] = (struct ssi_rr){.type = type, .ttl_s = SSI_HOSTS_TTL_S, .addr = address};
        }
        rest = ssi_slice_from(rest, end < rest.len ? end + 1 : end);
    }
    ssi_buf_free(&b);
    return r < 0 ? r : (int32_t)n;
}
