/* init.c - what driver.c does before the first input, for libFuzzer (scripts/fuzz). */
#include "core/base/secret.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	secret_init();
	return 0;
}
