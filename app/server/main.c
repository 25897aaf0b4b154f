/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the responder's entrance: what was asked for on the command line. */
#include "server/daemon.h"
#include "server/options.h"

#include <stdio.h>
#include <stdlib.h>

#define MAIN_MISUSE 2                 /* exit status: the command line or the configuration is wrong */

static int main_check(const struct options *o)
{
	options_print(o, stdout);
	(void)printf("# OK\n");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	char error[OPTIONS_ERROR_MAX];
	struct options o;
	int status = EXIT_SUCCESS;

	if (options_load(&o, argc, argv, error) < 0) {
		(void)fprintf(stderr, "siltstone: %s\n", error);
		status = o.action == OPTIONS_CHECK ? EXIT_FAILURE : MAIN_MISUSE;
	} else if (o.action == OPTIONS_VERSION) {
		(void)printf("siltstone %s\n", PACKAGE_VERSION);
	} else if (o.action == OPTIONS_HELP) {
		options_help(stdout);
	} else if (o.action == OPTIONS_CHECK) {
		status = main_check(&o);
	} else {
		status = daemon_run(&o, argc, argv);
	}
	options_fini(&o);
	return status;
}
