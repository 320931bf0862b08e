/* err.c - what the system says is said in the reader's language. */
#include "core/base/err.h"

#include "core/base/tr.h"
#include "tests/harness.h"

#include <errno.h>

START_TEST(the_system_speaks_both_languages)
{
	struct err err = ERR_INIT;

	errno = ENOENT;
	ck_fails(err_errno(&err, "'%s'", "x"), err, ERR_NOTFOUND);
	ck_assert_str_eq(err.text, "'x': there is no such file or folder");
	tr_set_language(TR_ZH);
	errno = ENOSPC;
	ck_fails(err_errno(&err, "x"), err, ERR_FULL);
	ck_assert_str_eq(err.text, "x：磁盘已满");
	ck_assert_int_eq(err_prefix(&err, -ERR_FULL, "y"), -ERR_FULL);
	ck_assert_str_eq(err.text, "y：x：磁盘已满");
	tr_set_language(TR_EN);
}
END_TEST

START_TEST(a_rare_errno_has_the_library_s_words)
{
	struct err err = ERR_INIT;

	errno = EDOM;
	ck_fails(err_errno(&err, "x"), err, ERR_IO);
	ck_assert_str_eq(err.text, "x: Numerical argument out of domain");
}
END_TEST

TESTS("core/base/err", the_system_speaks_both_languages, a_rare_errno_has_the_library_s_words)
