/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi check-config: what the services would say about a configuration, without starting them. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "config/config.h"
#include "filter/filter.h"

enum { CREDENTIALS = 0x100 };

static const char help[] =
	"Usage: hinomi check-config [OPTION]... [FILE]\n"
	"Checks one file, or the configuration as the services read it: hinomi.conf(5).\n"
	"\n"
	"  -p, --print         print the effective configuration\n"
	"      --credentials   also open keys, certificates and @FILE headers; do it as\n"
	"                      the user of hinomi-forward\n"
	"  -h, --help          this text\n"
	"\n"
	"Exit status: 0 good, 2 usage, 78 not good.\n";

/* Rules are compiled, as the sensor would. */
static int check_rules(const struct config *config)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	char error[CONFIG_ERROR_MAX];
	int status = STATUS_OK;

	if (filter_new(&filter))
		return STATUS_FAILED;
	for (size_t i = 0; i < config->nrules; i++) {
		const struct config_rule *rule = &config->rules[i];

		if (!filter_add(filter, rule->text, error, sizeof(error)))
			continue;
		log_error("%s:%d: %s", rule->file, rule->line, error);
		status = STATUS_CONFIG;
	}
	return status;
}

static int check(const char *path, bool print, bool credentials)
{
	CLEANUP(config_free) struct config *config = NULL;
	char error[CONFIG_ERROR_MAX];
	int err = config_load(path, &config, error);
	int status;

	if (err) {
		log_error("%s", error);
		return err == -ENOMEM ? STATUS_FAILED : STATUS_CONFIG;
	}
	status = check_rules(config);
	if (status)
		return status;
	if (print)
		config_dump(config, stdout);
	else
		printf("OK: %zu rules, %zu sinks, spool %s\n", config->nrules, config->nsinks,
		       config->spool);
	if (!credentials || !config_read_credentials(config, error))
		return STATUS_OK;
	log_error("%s", error);
	return STATUS_CONFIG;
}

int command_check_config(int argc, char **argv)
{
	static const struct option options[] = {{"print", no_argument, NULL, 'p'},
						{"credentials", no_argument, NULL, CREDENTIALS},
						{"help", no_argument, NULL, 'h'},
						{0}};
	bool print = false, credentials = false;
	int option;

	while ((option = getopt_long(argc, argv, "hp", options, NULL)) != -1) {
		if (option == 'h')
			return usage_help(help);
		if (option == 'p')
			print = true;
		else if (option == CREDENTIALS)
			credentials = true;
		else
			return usage_refused();
	}
	if (argc - optind > 1)
		return usage_error("one file at a time");
	return finish(check(argv[optind], print, credentials));
}
