/* replay DIR|FILE...: runs a fuzz target over its seeds, and over a fixed number of repeatable changes of each, without
 * libFuzzer. The seed of the changes is printed; SECSIP_SEED sets it. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "seed.h"

enum {
    INPUT_MAX = 1 << 20,
    CHANGES = 300, /* of each file */
};

static uint8_t input[INPUT_MAX];
static uint64_t seed;
static unsigned n_files;

/* The exact size on the heap, so that a sanitizer sees the first byte too many. */
static void run_exact(const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    FUZZ_CHECK(exact);
    memcpy(exact, data, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static size_t change(uint8_t *bytes, size_t len)
{
    static const char *const words[] = {"\r\n", "\r\n ", ";", ",",  "\"", "<",         ">",
                                        "%00",  ":",     "@", "\0", "=",  "4294967296"};

    for (uint32_t n = 1 + test_below(&seed, 4); n > 0 && len > 0; n--) {
        uint32_t at = test_below(&seed, (uint32_t)len);
        const char *word = words[test_below(&seed, sizeof words / sizeof words[0])];
        size_t word_len = *word ? strlen(word) : 1;
        switch (test_below(&seed, 4)) {
        case 0:
            bytes[at] = (uint8_t)test_random(&seed);
            break;
        case 1:
            if (len + word_len < INPUT_MAX) {
                memmove(bytes + at + word_len, bytes + at, len - at);
                memcpy(bytes + at, word, word_len);
                len += word_len;
            }
            break;
        case 2: {
            uint32_t cut = 1 + test_below(&seed, 8);
            cut = cut > len - at ? (uint32_t)(len - at) : cut;
            memmove(bytes + at, bytes + at + cut, len - at - cut);
            len -= cut;
            break;
        }
        default:
            len = at;
        }
    }
    return len;
}

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    FUZZ_CHECK(f);
    size_t len = fread(input, 1, sizeof input, f);
    fclose(f);
    uint8_t *original = malloc(len ? len : 1);
    FUZZ_CHECK(original);
    memcpy(original, input, len);
    run_exact(original, len);
    for (int i = 0; i < CHANGES; i++) {
        memcpy(input, original, len);
        size_t changed = change(input, len);
        run_exact(input, changed);
    }
    free(original);
    n_files++;
}

static void run_path(const char *path)
{
    struct stat st;
    FUZZ_CHECK(stat(path, &st) == 0);
    if (!S_ISDIR(st.st_mode)) {
        run_file(path);
        return;
    }
    DIR *dir = opendir(path);
    FUZZ_CHECK(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.' && stat(file, &st) == 0 && S_ISREG(st.st_mode))
            run_file(file);
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    seed = test_seed();
    for (int i = 1; i < argc; i++)
        run_path(argv[i]);
    printf("%u files\n", n_files);
    return n_files > 0 ? 0 : 1;
}
