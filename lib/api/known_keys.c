/* Known keys in a file: the default store of trust on first use. Layer: api, because lib/tls touches no file system. A line
 * "DOMAIN sha256//BASE64" is a key; "#" begins a comment. Readers see the old file or the new one, never a part: it is
 * written beside, brought to the disk and renamed. Writers hold PATH.lock, which the system lets go when a program dies. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/known_keys.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "tls/names.h"

enum {
    MAX_FILE = 4 << 20,
    CHUNK = 4096,
    PATH_SIZE = 4096,
    LOCK_TRIES = 100, /* of 10 ms each */
    TOKEN = 12,
    KEY_SIZE = 32, /* SHA-256 */
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

/* Waits a second at most: a holder writes one small file. */
static secsip_result take_lock(const char *path, int *ret_fd)
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
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        nanosleep(&pause, NULL);
    }
    secsip_result r = errno == EWOULDBLOCK ? SECSIP_E_TIMEOUT : SECSIP_E_FILE;
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

/* Under the lock: the file as it is, changed, and put in its place. */
typedef secsip_result change_fn(struct ssi_slice old, struct ssi_buf *now, const char *domain,
                                const char *pin);

static secsip_result change_file(const char *path, change_fn *change, const char *domain,
                                 const char *pin)
{
    struct ssi_buf old, now;
    mode_t mode;
    int lock;

    secsip_result r = take_lock(path, &lock);
    if (r < 0)
        return r;
    ssi_buf_init(&now, MAX_FILE);
    r = load(path, &old, &mode);
    if (r == 0)
        r = change(ssi_buf_slice(&old), &now, domain, pin);
    if (r > 0) /* nothing to do */
        r = 0;
    else if (r == 0)
        r = now.failed < 0 ? now.failed : replace_file(path, ssi_buf_slice(&now), mode);
    ssi_buf_free(&old);
    ssi_buf_free(&now);
    close(lock);
    return r;
}

static secsip_result add_key(struct ssi_slice old, struct ssi_buf *now, const char *domain,
                             const char *pin)
{
    struct entry e;

    for (uint32_t i = 0; find(old, domain, i, &e); i++)
        if (ssi_slice_eq(e.pin, ssi_slice_str(pin)))
            return 1;
    if (find(old, domain, 0, &e))
        return SECSIP_E_TLS_CERT_KEY;
    ssi_buf_put_slice(now, old);
    if (old.len > 0 && old.p[old.len - 1] != '\n')
        ssi_buf_put_char(now, '\n');
    ssi_buf_put_str(now, domain);
    ssi_buf_put_char(now, ' ');
    ssi_buf_put_str(now, pin);
    ssi_buf_put_char(now, '\n');
    return 0;
}

static secsip_result remove_keys(struct ssi_slice old, struct ssi_buf *now, const char *domain,
                                 const char *pin)
{
    struct entry e;

    (void)pin;
    if (!find(old, domain, 0, &e))
        return SECSIP_E_NOT_FOUND;
    while (next_line(&old, &e))
        if (!ssi_slice_ieq(e.domain, ssi_slice_str(domain)))
            ssi_buf_put_slice(now, e.line);
    return 0;
}

static int32_t lookup(const char *domain, uint32_t index, char *pin, size_t cap, void *path)
{
    struct ssi_buf b;
    struct entry e;
    mode_t mode;

    secsip_result r = load(path, &b, &mode);
    if (r == 0 && !find(ssi_buf_slice(&b), domain, index, &e))
        r = SECSIP_E_NOT_FOUND;
    if (r == 0)
        ssi_slice_show(e.pin, pin, cap);
    ssi_buf_free(&b);
    return r;
}

static int32_t store(const char *domain, const char *pin, void *path)
{
    return change_file(path, add_key, domain, pin);
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
    char *copy = ssi_slice_dup(ssi_slice_str(path));
    if (!copy)
        return SECSIP_E_NOMEM;
    *ret = (secsip_tls_known_keys){
        .size = sizeof *ret, .lookup = lookup, .store = store, .user_data = copy};
    return 0;
}

secsip_result ssi_known_keys_forget(const char *path, const char *domain)
{
    char normal[SSI_TLS_DOMAIN_SIZE];
    secsip_result r = ssi_tls_domain_normal(domain, normal);

    return r < 0 ? r : change_file(path, remove_keys, normal, NULL);
}
