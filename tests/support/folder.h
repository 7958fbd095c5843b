/* A folder of a test's own. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

/* Makes it from a template that ends in XXXXXX, which becomes its name; fails the test when it cannot. */
void test_folder_make(char *template);
/* Removes it with all that is in it. 0, or -1. */
int test_folder_remove(const char *path);

#endif
