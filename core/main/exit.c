/* exit.c - see exit.h. */
#include "core/main/exit.h"

const struct exit_meaning exit_meanings[] = {
	{ EXIT_DONE, { .zh = "完成", .en = "done" } },
	{ EXIT_REFUSED, { .zh = "被拒绝或失败；原因见提示",
				.en = "refused or failed; the message says why" } },
	{ EXIT_USAGE, { .zh = "命令写法有误", .en = "the command line is wrong" } },
	{ EXIT_SEALED, { .zh = "档案库处于封存状态，或口令不符：需要两位密钥保管人",
			       .en = "the archive is sealed, or a passphrase does not fit: two "
				     "custodians are needed" } },
	{ EXIT_NOT_FOUND, { .zh = "没有该档案、组成文件、账户或档案库",
				  .en = "no such record, part, account or archive" } },
	{ EXIT_CONFLICT,
		{ .zh = "冲突：他人已先行修改，或同名者已存在",
			.en = "conflict: somebody else changed it first, or it exists already" } },
	{ EXIT_FAULT, { .zh = "校验发现问题，或字节已损坏",
			      .en = "verification found a fault, or bytes are damaged" } },
	{ EXIT_LOCKED, { .zh = "另一进程正持有档案库的写入锁",
			       .en = "another process holds the archive's writer lock" } },
	{ EXIT_PARTLY, { .zh = "部分完成：其余各项已列明原因",
			       .en = "done in part: what was refused is listed with its reason" } },
	{ EXIT_OUTCOME_UNKNOWN, { .zh = "写入结果未知：以同一请求重试即可得知",
					.en = "the outcome of a write is not known: the same "
					      "request again tells" } },
	{ EXIT_INTERRUPTED, { .zh = "被中断（Ctrl-C）", .en = "interrupted (Ctrl-C)" } },
};
const size_t exit_meaning_count = ARRAY_LEN(exit_meanings);

int exit_of(int r)
{
	if (r >= 0)
		return r;
	switch (-r) {
	case ERR_SEALED:
	case ERR_CRYPTO:
		return EXIT_SEALED;
	case ERR_NOTFOUND:
		return EXIT_NOT_FOUND;
	case ERR_CONFLICT:
	case ERR_EXISTS:
		return EXIT_CONFLICT;
	case ERR_CORRUPT:
		return EXIT_FAULT;
	case ERR_LOCKED:
		return EXIT_LOCKED;
	case ERR_UNKNOWN:
		return EXIT_OUTCOME_UNKNOWN;
	case ERR_CANCELLED:
		return EXIT_INTERRUPTED;
	default:
		return EXIT_REFUSED;
	}
}
