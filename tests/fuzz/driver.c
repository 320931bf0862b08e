/* driver.c - runs a fuzz target over the files (or folders of files) named as arguments, for `meson test`:
 * what a fuzzer once found stays found. Prints TAP, one line a file. With libFuzzer, scripts/fuzz links the
 * target without this file. */
#include "core/base/file.h"
#include "core/base/secret.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(int at, const char *name, int *count)
{
	struct buf data = BUF_INIT;
	struct err err = ERR_INIT;

	if (file_read_whole(at, name, &data, &err) < 0) {
		(void)printf("not ok %d - %s: %s\n", ++*count, name, err.text);
		return -1;
	}
	(void)LLVMFuzzerTestOneInput((const uint8_t *)data.p, data.n);
	(void)printf("ok %d - %s\n", ++*count, name);
	buf_done(&data);
	return 0;
}

static int replay_folder(const char *path, int *count)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return replay(AT_FDCWD, path, count);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r |= replay(dirfd(dir), entry->d_name, count);
	(void)closedir(dir);
	return r;
}

int main(int argc, char **argv)
{
	int r = 0, count = 0;

	secret_init();
	for (int i = 1; i < argc; i++)
		r |= replay_folder(argv[i], &count);
	(void)printf("1..%d\n", count);
	return r || count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
