/* A folder of a test's own, see folder.h. */
#include "folder.h"

#include "test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

void test_folder_make(char *template)
{
    if (!mkdtemp(template))
        fail_msg("no folder can be made");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

int test_folder_remove(const char *path)
{
    return nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}
