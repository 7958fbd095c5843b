/* Known keys in a file: the default store of trust on first use. Layer: api, because lib/tls touches no file system. A line
 * "DOMAIN sha256//BASE64" is a key; "#" begins a comment. Readers see the old file or the new one, never a part: it is
 * written beside, brought to the disk and renamed. Writers hold PATH.lock, which the system lets go when a program dies.
 *
 * Nobody waits for that lock inside a handshake: where another program has it, a first key is remembered here, counts as known
 * for this profile, and is written at the next handshake or keep-alive. Should the file name another one by then, that counts. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/known_keys.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "base/list.h"
#include "tls/tls.h"

enum {
    MAX_FILE = 4 << 20,
    CHUNK = 4096,
    PATH_SIZE = 4096,
    LOCK_TRIES = 100, /* of 10 ms each, where waiting is right */
    TOKEN = 12,
    KEY_SIZE = 32, /* SHA-256 */
    PIN_SIZE = 64,
    MAX_WAITING = 256,
};

/* A first key that is not in the file yet; one for each domain. */
struct waiting {
    struct ssi_list node;
    char pin[PIN_SIZE];
    char domain[SSI_TLS_DOMAIN_SIZE];
};

/* Stacks of different threads may share it: the flag is held for the list alone, never for the file. Who takes something out of the
 * list holds the lock of the file. */
struct store {
    atomic_flag busy;
    struct ssi_list waiting; /* in the order they came */
    size_t n_waiting;
    size_t n_merged; /* of them, in the file that is being written */
    char path[];
};

/* The whole file into b; a missing one is empty. *ret_mode: its permissions, or those a new one gets. */
static secsip_result read_all(const char *path, struct ssi_buf *b, mode_t *ret_mode)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t n = 1;

    *ret_mode = S_IRUSR | S_IWUSR;
    if (fd < 0)
        return errno == ENOENT ? 0 : SECSIP_E_FILE;
    /* What everybody may write proves nothing. */
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IWOTH)) {
        close(fd);
        return SECSIP_E_FILE;
    }
    *ret_mode = st.st_mode & 0777;
    while (n > 0 && b->failed == 0) {
        uint8_t *tail = ssi_buf_reserve(b, CHUNK);
        if (!tail)
            break;
        n = read(fd, tail, CHUNK);
        ssi_buf_commit(b, n > 0 ? (size_t)n : 0);
    }
    close(fd);
    if (b->failed == SECSIP_E_NOMEM)
        return SECSIP_E_NOMEM;
    return n < 0 || b->failed < 0 ? SECSIP_E_FILE : 0;
}

static struct ssi_slice take_word(struct ssi_slice *rest)
{
    *rest = ssi_slice_trim(*rest);
    size_t space = ssi_slice_find(*rest, ' '), tab = ssi_slice_find(*rest, '\t');
    struct ssi_slice word = ssi_slice_of(rest->p, space < tab ? space : tab);

    *rest = ssi_slice_from(*rest, word.len);
    return word;
}

struct entry {
    struct ssi_slice line; /* with its end */
    struct ssi_slice domain, pin;
};

/* The next line; its domain is empty where it holds no key. False at the end. */
static bool next_line(struct ssi_slice *rest, struct entry *ret)
{
    if (rest->len == 0)
        return false;
    size_t end = ssi_slice_find(*rest, '\n');
    struct ssi_slice words = ssi_slice_of(rest->p, end);
    *ret = (struct entry){.line = ssi_slice_of(rest->p, end < rest->len ? end + 1 : end)};
    *rest = ssi_slice_from(*rest, ret->line.len);
    if (words.len > 0 && words.p[words.len - 1] == '\r')
        words.len--;
    words = ssi_slice_trim(words);
    if (words.len == 0 || words.p[0] == '#')
        return true;
    ret->domain = take_word(&words);
    ret->pin = take_word(&words);
    return true;
}

/* A damaged file knows less than it seems to. */
static bool is_sound(struct ssi_slice text)
{
    const struct ssi_slice prefix = SSI_LIT("sha256//");
    uint8_t key[KEY_SIZE];
    struct entry e;
    size_t n;

    while (next_line(&text, &e))
        if (e.domain.len > 0 &&
            (e.pin.len <= prefix.len || !ssi_slice_eq(ssi_slice_of(e.pin.p, prefix.len), prefix) ||
             !ssi_base64_get(ssi_slice_from(e.pin, prefix.len), key, sizeof key, &n) ||
             n != sizeof key))
            return false;
    return true;
}

static secsip_result load(const char *path, struct ssi_buf *b, mode_t *ret_mode)
{
    ssi_buf_init(b, MAX_FILE);
    secsip_result r = read_all(path, b, ret_mode);
    if (r == 0 && !is_sound(ssi_buf_slice(b)))
        r = SECSIP_E_FILE;
    return r;
}

/* The key number `index` of the domain. */
static bool find(struct ssi_slice text, const char *domain, uint32_t index, struct entry *ret)
{
    while (next_line(&text, ret))
        if (ssi_slice_ieq(ret->domain, ssi_slice_str(domain)) && index-- == 0)
            return true;
    return false;
}

/* SECSIP_E_TIMEOUT: somebody else has it, and has it still after a second where we wait: a holder writes one small file. */
static secsip_result take_lock(const char *path, bool wait, int *ret_fd)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    char name[PATH_SIZE];

    if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name)
        return SECSIP_E_FILE;
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return SECSIP_E_FILE;
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            *ret_fd = fd;
            return 0;
        }
        if ((errno != EWOULDBLOCK && errno != EINTR) || !wait)
            break;
        nanosleep(&pause, NULL);
    }
    secsip_result r = errno == EWOULDBLOCK || errno == EINTR ? SECSIP_E_TIMEOUT : SECSIP_E_FILE;
    close(fd);
    return r;
}

static bool write_all(int fd, struct ssi_slice text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.p, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = ssi_slice_from(text, (size_t)n);
    }
    return true;
}

static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_SIZE];

    if (snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
                 slash ? path : ".") >= (int)sizeof folder)
        return -1;
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The new name itself must reach the disk, too. */
static void sync_folder(const char *path)
{
    int fd = open_folder(path);

    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static secsip_result replace_file(const char *path, struct ssi_slice text, mode_t mode)
{
    char name[PATH_SIZE], token[TOKEN + 1];

    if (ssi_random_token(token, TOKEN) < 0)
        return SECSIP_E_RANDOM;
    if (snprintf(name, sizeof name, "%s.%s", path, token) >= (int)sizeof name)
        return SECSIP_E_FILE;
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return SECSIP_E_FILE;
    bool good = write_all(fd, text) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    if (!good || rename(name, path) < 0) {
        unlink(name);
        return SECSIP_E_FILE;
    }
    sync_folder(path);
    return 0;
}

/* What the file becomes, into now. 1: what it was. */
typedef secsip_result change_fn(void *arg, struct ssi_slice old, struct ssi_buf *now);

/* Under the lock: the file as it is, changed, and put in its place. */
static secsip_result rewrite(const char *path, change_fn *change, void *arg)
{
    struct ssi_buf old, now;
    mode_t mode;

    ssi_buf_init(&now, MAX_FILE);
    secsip_result r = load(path, &old, &mode);
    if (r == 0)
        r = change(arg, ssi_buf_slice(&old), &now);
    if (r > 0) /* nothing to do */
        r = 0;
    else if (r == 0)
        r = now.failed < 0 ? now.failed : replace_file(path, ssi_buf_slice(&now), mode);
    ssi_buf_free(&old);
    ssi_buf_free(&now);
    return r;
}

static secsip_result remove_keys(void *arg, struct ssi_slice old, struct ssi_buf *now)
{
    const char *domain = arg;
    struct entry e;

    if (!find(old, domain, 0, &e))
        return SECSIP_E_NOT_FOUND;
    while (next_line(&old, &e))
        if (!ssi_slice_ieq(e.domain, ssi_slice_str(domain)))
            ssi_buf_put_slice(now, e.line);
    return 0;
}

/* ---- Keys that wait */
static void enter(struct store *s)
{
    while (atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire))
        ;
}

static void leave(struct store *s)
{
    atomic_flag_clear_explicit(&s->busy, memory_order_release);
}

static struct waiting *find_waiting(struct store *s, const char *domain)
{
    SSI_LIST_EACH(it, &s->waiting)
    {
        struct waiting *w = SSI_CONTAINER(it, struct waiting, node);
        if (strcmp(w->domain, domain) == 0)
            return w;
    }
    return NULL;
}

/* The domain's key waits. SECSIP_E_TLS_CERT_KEY: another one does. */
static secsip_result add_waiting(struct store *s, const char *domain, const char *pin)
{
    struct waiting *new = calloc(1, sizeof *new);
    secsip_result r = 0;

    if (!new)
        return SECSIP_E_NOMEM;
    ssi_list_init(&new->node);
    snprintf(new->domain, sizeof new->domain, "%s", domain);
    snprintf(new->pin, sizeof new->pin, "%s", pin);
    enter(s);
    const struct waiting *old = find_waiting(s, domain);
    if (old) {
        r = strcmp(old->pin, pin) == 0 ? 0 : SECSIP_E_TLS_CERT_KEY;
    } else if (s->n_waiting == MAX_WAITING) {
        r = SECSIP_E_LIMIT;
    } else {
        ssi_list_push_back(&s->waiting, &new->node);
        s->n_waiting++;
        new = NULL;
    }
    leave(s);
    free(new);
    return r;
}

/* The file and what waits; where the file knows the domain by now, its key counts. */
static secsip_result merge(void *arg, struct ssi_slice old, struct ssi_buf *now)
{
    struct store *s = arg;
    struct entry e;
    bool changed = false;

    ssi_buf_put_slice(now, old);
    if (old.len > 0 && old.p[old.len - 1] != '\n')
        ssi_buf_put_char(now, '\n');
    enter(s);
    s->n_merged = s->n_waiting;
    SSI_LIST_EACH(it, &s->waiting)
    {
        const struct waiting *w = SSI_CONTAINER(it, struct waiting, node);
        if (find(old, w->domain, 0, &e))
            continue;
        ssi_buf_put_str(now, w->domain);
        ssi_buf_put_char(now, ' ');
        ssi_buf_put_str(now, w->pin);
        ssi_buf_put_char(now, '\n');
        changed = true;
    }
    leave(s);
    return changed ? 0 : 1;
}

static void drop_merged(struct store *s)
{
    for (; s->n_merged > 0; s->n_merged--) {
        enter(s);
        struct ssi_list *node = ssi_list_pop_front(&s->waiting);
        s->n_waiting--;
        leave(s);
        free(SSI_CONTAINER(node, struct waiting, node));
    }
}

/* Brings what waits to the file. SECSIP_E_TIMEOUT: another program has the lock. */
static secsip_result flush(struct store *s, bool wait)
{
    int lock;

    enter(s);
    bool idle = s->n_waiting == 0;
    leave(s);
    if (idle)
        return 0;
    secsip_result r = take_lock(s->path, wait, &lock);
    if (r < 0)
        return r;
    r = rewrite(s->path, merge, s);
    if (r == 0)
        drop_merged(s);
    close(lock);
    return r;
}

/* ---- The callbacks of a profile */
/* The key number `index` of the domain in the file. */
static secsip_result look_up_file(const struct store *s, const char *domain, uint32_t index,
                                  char *pin, size_t cap)
{
    struct ssi_buf b;
    struct entry e;
    mode_t mode;

    secsip_result r = load(s->path, &b, &mode);
    if (r == 0 && !find(ssi_buf_slice(&b), domain, index, &e))
        r = SECSIP_E_NOT_FOUND;
    if (r == 0)
        ssi_slice_show(e.pin, pin, cap);
    ssi_buf_free(&b);
    return r;
}

static int32_t look_up(const char *domain, uint32_t index, char *pin, size_t cap, void *user_data)
{
    struct store *s = user_data;

    (void)flush(s, false); /* what cannot be written goes on waiting */
    secsip_result r = look_up_file(s, domain, index, pin, cap);
    if (r != SECSIP_E_NOT_FOUND || index > 0)
        return r;
    enter(s);
    const struct waiting *w = find_waiting(s, domain);
    if (w) {
        snprintf(pin, cap, "%s", w->pin);
        r = 0;
    }
    leave(s);
    return r;
}

static int32_t store_key(const char *domain, const char *pin, void *user_data)
{
    struct store *s = user_data;
    char known[PIN_SIZE];

    if (strlen(domain) >= SSI_TLS_DOMAIN_SIZE || strlen(pin) >= PIN_SIZE)
        return SECSIP_E_INVALID;
    secsip_result r = add_waiting(s, domain, pin);
    if (r == 0)
        r = flush(s, false);
    if (r < 0)
        return r == SECSIP_E_TIMEOUT ? 0 : r;
    /* Which one is it now? */
    for (uint32_t i = 0; (r = look_up_file(s, domain, i, known, sizeof known)) == 0; i++)
        if (strcmp(known, pin) == 0)
            return 0;
    return r == SECSIP_E_NOT_FOUND ? SECSIP_E_TLS_CERT_KEY : r;
}

void ssi_known_keys_tend(void *user_data)
{
    (void)flush(user_data, false);
}

void ssi_known_keys_close(void *user_data)
{
    struct store *s = user_data;

    if (!s)
        return;
    /* The last chance: here it is better to wait. */
    (void)flush(s, true);
    s->n_merged = s->n_waiting;
    drop_merged(s);
    free(s);
}

secsip_result ssi_known_keys_open(const char *path, secsip_tls_known_keys *ret)
{
    struct ssi_buf b;
    mode_t mode;

    secsip_result r = load(path, &b, &mode);
    ssi_buf_free(&b);
    int folder = open_folder(path);
    if (folder < 0 && r == 0)
        r = SECSIP_E_FILE;
    if (folder >= 0)
        close(folder);
    if (r < 0)
        return r;
    size_t len = strlen(path);
    struct store *s = calloc(1, sizeof *s + len + 1);
    if (!s)
        return SECSIP_E_NOMEM;
    atomic_flag_clear(&s->busy);
    ssi_list_init(&s->waiting);
    memcpy(s->path, path, len + 1);
    *ret = (secsip_tls_known_keys){
        .size = sizeof *ret, .lookup = look_up, .store = store_key, .user_data = s};
    return 0;
}

secsip_result ssi_known_keys_forget(const char *path, const char *domain)
{
    char normal[SSI_TLS_DOMAIN_SIZE];
    int lock;

    secsip_result r = ssi_tls_domain_normal(domain, normal);
    if (r == 0)
        r = take_lock(path, true, &lock);
    if (r != 0)
        return r;
    r = rewrite(path, remove_keys, normal);
    close(lock);
    return r;
}
