/* sqlitevfs.h - SQLite's files in a power-cut record: a VFS over the system's own that reports every step
 * that SQLite takes on a file in the recorder's folder. */
#ifndef MUN_TESTS_FAULTS_SQLITEVFS_H
#define MUN_TESTS_FAULTS_SQLITEVFS_H

#include "tests/faults/powercut.h"

/* Make it the default VFS, for databases opened from now on; NULL: open files like the system's own VFS.
 * Call before threads start, and again with NULL when no database of the record is open any more. */
void sqlitevfs_record(struct powercut *p);

#endif
