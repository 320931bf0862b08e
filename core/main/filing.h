/* filing.h - what `file` and `revise` share: fields and parts from the command line into a request.
 */
#ifndef MUN_MAIN_FILING_H
#define MUN_MAIN_FILING_H

#include "core/main/cli.h"

/* The rows that both commands' tables begin with. */
#define FILING_OPTIONS \
	{ .name = "title", \
		.letter = 't', \
		.kind = OPTION_TEXT, \
		.argument = "TEXT", \
		.meaning = { .zh = "题名", .en = "title" } }, \
		{ .name = "field", \
			.letter = 'f', \
			.kind = OPTION_TEXT, \
			.may_repeat = true, \
			.argument = "NAME=VALUE", \
			.meaning = { .zh = "一个字段，名称或中文标签均可；日期写 " \
					   "2025-05-20，金额写 198.00，多选以 ; 分隔，" \
					   "表格每行一条、列以 | 分隔", \
				.en = "a field, by name or label; dates 2025-05-20, money " \
				      "198.00, several choices " \
				      "with ;, rows one a line with columns separated by |" } }, \
		{ .name = "fields", \
			.kind = OPTION_PATH, \
			.argument = "FILE", \
			.meaning = { .zh = "从 YAML 或 JSON 文件读取字段（名称: 值）", \
				.en = "read fields from a YAML or JSON file (name: value)" } }, \
		{ .name = "department", \
			.letter = 'd', \
			.kind = OPTION_TEXT, \
			.argument = "NAME", \
			.meaning = { .zh = "部门", .en = "department" } }, \
		{ .name = "date", \
			.kind = OPTION_DATE, \
			.argument = "DAY", \
			.meaning = { .zh = "档案日期，如 " \
					   "2025-05-20（默认今天或由门类的日期字段决定）", \
				.en = "date of the record, as 2025-05-20 (default: today, or the " \
				      "series' date " \
				      "field)" } }, \
		{ .name = "link", \
			.kind = OPTION_TEXT, \
			.may_repeat = true, \
			.argument = "REL=NUMBER", \
			.meaning = { .zh = "关联到另一档案", .en = "a link to another record" } }, \
		{ .name = "reason", \
			.letter = 'm', \
			.kind = OPTION_TEXT, \
			.argument = "TEXT", \
			.meaning = { .zh = "事由", .en = "why" } }, \
	{ \
		.name = "request", .kind = OPTION_TEXT, .argument = "KEY", .meaning = { \
			.zh = "请求键：同一键重试不会重复归档", \
			.en = "request key: the same one again does not write twice" \
		} \
	}

/* Add title, department, date, reason, request, fields, links: what was given. Errors: ERR_INVALID.
 */
int filing_say(struct buf *b, const struct args *args, struct err *err);

enum { FILING_PARTS_MAX = 200 };

struct filing_parts {
	int fds[FILING_PARTS_MAX];
	size_t count;
};

/* Open the operands behind the first `skip` as parts and add "parts". A name is the path's last
 * component. Errors: ERR_LIMIT, ERR_INVALID (a name, a folder), those of opening. */
int filing_say_parts(struct buf *b, const struct args *args, size_t skip,
	struct filing_parts *parts, struct err *err);
/* Close them. */
void filing_parts_done(struct filing_parts *parts);

#endif
