/* SPDX-License-Identifier: Apache-2.0 */
/* test.h - what every test program needs: cmocka, and a seed that is printed and can be given (SILT_SEED). Include it first. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* SILT_SEED if set, else the given one; printed, so that a failure can be run again. */
uint64_t test_seed(uint64_t fallback);
/* xorshift64*: the next number; state must not be 0. */
uint64_t test_random(uint64_t *state);
/* A new directory of the test's own, removed with all below it by test_rmdir(); both abort the test on failure. */
char *test_mkdir(void);
void test_rmdir(char *dir);
/* How much work: 1 by default, SILT_SOAK=N multiplies; for soaks outside the suite. */
unsigned test_scale(void);
/* Loops over each nth failure say little of threads and cost most of the time with ThreadSanitizer: there they take each `every`th. */
static inline unsigned test_stride(unsigned every)
{
#ifdef __SANITIZE_THREAD__
	return every;
#else
	(void)every;
	return 1;
#endif
}

#endif
