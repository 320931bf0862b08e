/* fixture.h - a whole archive in a temporary folder, and verbs called on it with few words. */
#ifndef MUN_TESTS_CORE_ARCHIVE_FIXTURE_H
#define MUN_TESTS_CORE_ARCHIVE_FIXTURE_H

#include "core/archive/archive.h"
#include "core/archive/desk.h"
#include "core/base/json.h"

/* The operator's name, the custodians' labels and passphrases. */
#define OPERATOR "王敏"
extern const char *const custodian_labels[3];
extern const char *const custodian_passphrases[3];

/* A new archive with two custodians at the demonstration's cost; returns its path, removed with the program. */
const char *world_new(void);
/* A copy of the folder as it is on disk now, as a crash would leave it. */
const char *world_copy(const char *path);

/* A desk in this process, which answers for both custodians; the operator is the actor. */
struct desk *world_desk(const char *path);

/* Call a verb with arguments as printf makes them; single quotes stand for double ones. Aborts the test on
 * failure. json_free() it. */
struct json *say(struct desk *d, const char *verb, const char *fmt, ...) _printf_(3, 4);
/* The same with descriptors; they are closed. */
struct json *say_with(struct desk *d, const int *fds, size_t count, const char *verb,
	const char *fmt, ...) _printf_(5, 6);
/* The same where a failure is expected; *ret_detail (may be NULL) as desk_call gives it. */
void say_fails(struct desk *d, int code, struct json **ret_detail, const int *fds, size_t count,
	const char *verb, const char *fmt, ...) _printf_(7, 8);

/* A file in memory with these bytes, at its start. */
int bytes_fd(const void *p, size_t n);
int text_fd(const char *text);
/* All bytes that a pipe or file holds. The descriptor is closed. */
void read_fd(int fd, struct buf *ret);

/* Members of replies: "a.b.0.c" walks maps and lists. Abort when they are not there. */
const struct json *at(const struct json *doc, const char *path);
const char *text_at(const struct json *doc, const char *path); /* kept until the program ends */
int64_t int_at(const struct json *doc, const char *path);
bool bool_at(const struct json *doc, const char *path);
size_t count_at(const struct json *doc, const char *path);
bool has(const struct json *doc, const char *path);

/* Bytes of a part, through `get`. */
void get_part(struct desk *d, const char *number, const char *part, struct buf *ret);

/* True when the bytes stand in any file below the folder (names included). */
bool stands_anywhere(const char *path, const char *bytes);

#endif
