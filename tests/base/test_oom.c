/* The allocation hook itself: it makes each allocation of the library fail in turn. */
#include "test.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "oom.h"

struct seen {
    uint32_t n_failed;
};

static void use_memory(void *arg)
{
    struct seen *seen = arg;
    struct ssi_hash t;
    struct ssi_buf b;

    if (ssi_hash_init(&t) < 0) {
        seen->n_failed++;
        return;
    }
    ssi_buf_init(&b, 10000);
    ssi_buf_put(&b, (char[100]){0}, 100);
    ssi_buf_put(&b, (char[1000]){0}, 1000);
    if (b.failed < 0)
        seen->n_failed++;
    ssi_buf_free(&b);
    ssi_hash_free(&t);
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    struct seen seen = {0};

    assert_int_equal(test_oom_each(use_memory, &seen), 4);
    assert_int_equal(seen.n_failed, 3);
    assert_false(test_oom_has_failed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
