/* sqlitevfs.c - see sqlitevfs.h. The shared memory of WAL mode is passed through unseen: it is rebuilt
 * after a crash. */
#include "tests/faults/sqlitevfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct file {
	sqlite3_file base;
	struct powercut_file *node; /* NULL: not in the record */
	const char *path;	    /* SQLite keeps it while the file is open */
	bool sync_parent; /* a journal that was just made: the first sync covers its name */
	sqlite3_file real[];
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	struct powercut *record;
} shim;

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct file *)f)->real;
}

#define PASS(f, method, ...) real_of(f)->pMethods->method(real_of(f), ##__VA_ARGS__)

static int x_close(sqlite3_file *f)
{
	return PASS(f, xClose);
}

static int x_read(sqlite3_file *f, void *p, int n, sqlite3_int64 offset)
{
	return PASS(f, xRead, p, n, offset);
}

static int x_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 offset)
{
	struct file *file = (struct file *)f;

	if (file->node)
		powercut_write(shim.record, file->node, (uint64_t)offset, p, (size_t)n);
	return PASS(f, xWrite, p, n, offset);
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	struct file *file = (struct file *)f;

	if (file->node)
		powercut_truncate(shim.record, file->node, (uint64_t)n);
	return PASS(f, xTruncate, n);
}

static int x_sync(sqlite3_file *f, int flags)
{
	struct file *file = (struct file *)f;

	if (file->node) {
		powercut_sync(shim.record, file->node);
		if (file->sync_parent)
			powercut_sync_parent(shim.record, file->path);
		file->sync_parent = false;
	}
	return PASS(f, xSync, flags);
}

static int x_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return PASS(f, xFileSize, ret);
}

static int x_lock(sqlite3_file *f, int level)
{
	return PASS(f, xLock, level);
}

static int x_unlock(sqlite3_file *f, int level)
{
	return PASS(f, xUnlock, level);
}

static int x_check_lock(sqlite3_file *f, int *ret)
{
	return PASS(f, xCheckReservedLock, ret);
}

static int x_control(sqlite3_file *f, int op, void *p)
{
	return PASS(f, xFileControl, op, p);
}

static int x_sector_size(sqlite3_file *f)
{
	return PASS(f, xSectorSize);
}

static int x_characteristics(sqlite3_file *f)
{
	return PASS(f, xDeviceCharacteristics);
}

static int x_shm_map(sqlite3_file *f, int page, int n, int extend, void volatile **ret)
{
	return PASS(f, xShmMap, page, n, extend, ret);
}

static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return PASS(f, xShmLock, offset, n, flags);
}

static void x_shm_barrier(sqlite3_file *f)
{
	PASS(f, xShmBarrier);
}

static int x_shm_unmap(sqlite3_file *f, int delete)
{
	return PASS(f, xShmUnmap, delete);
}

/* Version 2: no xFetch, so SQLite never writes through a mapping. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = x_close,
	.xRead = x_read,
	.xWrite = x_write,
	.xTruncate = x_truncate,
	.xSync = x_sync,
	.xFileSize = x_size,
	.xLock = x_lock,
	.xUnlock = x_unlock,
	.xCheckReservedLock = x_check_lock,
	.xFileControl = x_control,
	.xSectorSize = x_sector_size,
	.xDeviceCharacteristics = x_characteristics,
	.xShmMap = x_shm_map,
	.xShmLock = x_shm_lock,
	.xShmBarrier = x_shm_barrier,
	.xShmUnmap = x_shm_unmap,
};

static int x_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
	static const int journals =
		SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
	struct file *file = (struct file *)f;
	int rc;

	(void)vfs;
	memset(file, 0, sizeof(*file));
	rc = shim.real->xOpen(shim.real, path, file->real, flags, ret_flags);
	if (rc != SQLITE_OK && !file->real->pMethods)
		return rc;
	file->base.pMethods = &methods;
	if (rc == SQLITE_OK && path && shim.record && !(flags & SQLITE_OPEN_READONLY)) {
		file->node = powercut_file(shim.record, path);
		file->path = path;
		file->sync_parent = (flags & SQLITE_OPEN_CREATE) && (flags & journals);
	}
	return rc;
}

static int x_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
	(void)vfs;
	if (shim.record) {
		powercut_unlink(shim.record, path);
		if (sync_dir)
			powercut_sync_parent(shim.record, path);
	}
	return shim.real->xDelete(shim.real, path, sync_dir);
}

/* The rest is the system's. Its functions get its own struct. */
static int x_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret)
{
	(void)vfs;
	return shim.real->xAccess(shim.real, path, flags, ret);
}

static int x_full_path(sqlite3_vfs *vfs, const char *path, int n, char *ret)
{
	(void)vfs;
	return shim.real->xFullPathname(shim.real, path, n, ret);
}

static int x_randomness(sqlite3_vfs *vfs, int n, char *ret)
{
	(void)vfs;
	return shim.real->xRandomness(shim.real, n, ret);
}

static int x_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return shim.real->xSleep(shim.real, microseconds);
}

static int x_time(sqlite3_vfs *vfs, double *ret)
{
	(void)vfs;
	return shim.real->xCurrentTime(shim.real, ret);
}

static int x_time64(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
	(void)vfs;
	return shim.real->xCurrentTimeInt64(shim.real, ret);
}

static int x_last_error(sqlite3_vfs *vfs, int n, char *ret)
{
	(void)vfs;
	return shim.real->xGetLastError(shim.real, n, ret);
}

void sqlitevfs_record(struct powercut *p)
{
	shim.record = p;
	if (shim.real)
		return;
	shim.real = sqlite3_vfs_find(NULL);
	if (!shim.real)
		abort();
	shim.vfs = (sqlite3_vfs){
		.iVersion = 2,
		.szOsFile = (int)sizeof(struct file) + shim.real->szOsFile,
		.mxPathname = shim.real->mxPathname,
		.zName = "powercut",
		.xOpen = x_open,
		.xDelete = x_delete,
		.xAccess = x_access,
		.xFullPathname = x_full_path,
		.xRandomness = x_randomness,
		.xSleep = x_sleep,
		.xCurrentTime = x_time,
		.xGetLastError = x_last_error,
		.xCurrentTimeInt64 = x_time64,
	};
	if (sqlite3_vfs_register(&shim.vfs, 1) != SQLITE_OK)
		abort();
}
