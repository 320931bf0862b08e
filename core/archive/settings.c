/* settings.c - see settings.h. */
#include "core/archive/settings.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/base/yaml.h"

#include <pthread.h>
#include <stdlib.h>

/* Limits keep a mistyped value from hurting the machine; they are not advice. */
const struct setting_row setting_table[SETTING_COUNT] = {
	[SETTING_FILING_DEPARTMENT] = { "filing.department", SETTING_TEXT, "", 0, 200, NULL,
		"归档时未指明部门则使用该部门；留空则必须指明（门类只有一个部门时除外）",
		"the department of what is filed without naming one; empty: it must be named "
		"(unless the series has only one)" },
	[SETTING_PART_MAX_BYTES] = { "parts.max_bytes", SETTING_INT, "2147483648", 1,
		(int64_t)1 << 40, NULL, "单个组成文件的最大字节数",
		"the largest part of a record, in bytes" },
	[SETTING_PART_MAX_COUNT] = { "parts.max_count", SETTING_INT, "1000", 1, 4096, NULL,
		"一份档案最多的组成文件数", "how many parts a record may have" },
	[SETTING_UPLOAD_FREE] = { "uploads.keep_free_bytes", SETTING_INT, "268435456", 0,
		(int64_t)1 << 50, NULL, "上传时磁盘上至少保留的空闲字节数",
		"what uploads leave free on the disk, in bytes" },
	[SETTING_IMPORT_MAX_LAG] = { "import.max_lag", SETTING_INT, "5000", 10, 1000000, NULL,
		"等待建立全文索引的档案达到此数时，批量导入放慢",
		"a bulk import slows down while more records than this wait to be indexed" },
	[SETTING_EXTRACT_WORKERS] = { "extract.workers", SETTING_INT, "2", 1, 32, NULL,
		"同时提取文本的文件数（各在隔离进程中）",
		"how many documents are read for their text at the same time, each in a jailed "
		"process" },
	[SETTING_EXTRACT_SECONDS] = { "extract.seconds", SETTING_INT, "60", 1, 3600, NULL,
		"提取一个文件文本的最长时间（秒）",
		"the longest time for reading the text of one document, in seconds" },
	[SETTING_EXTRACT_MAX_BYTES] = { "extract.max_bytes", SETTING_INT, "268435456", 1024,
		268435456, NULL, "大于此字节数的文件不提取文本",
		"documents with more bytes than this are filed without reading their text" },
	[SETTING_EXTRACT_OCR] = { "extract.ocr", SETTING_BOOL, "true", 0, 1, NULL,
		"对扫描件和图片做文字识别（后台低优先级，每页约两秒）",
		"recognise the characters of scans and pictures, in the background (two seconds a "
		"page)" },
	[SETTING_EXTRACT_UNJAILED] = { "extract.unjailed", SETTING_BOOL, "false", 0, 1, NULL,
		"内核不支持 landlock 时仍提取文本（不安全：恶意文件可能读取其他文件）",
		"read documents even where the kernel has no landlock (unsafe: a hostile file "
		"might read others)" },
	[SETTING_INDEX_FOLLOW] = { "index.follow", SETTING_BOOL, "true", 0, 1, NULL,
		"归档后即建立全文索引；大批导入时可关闭，重新打开后下次启封时补建",
		"index what is filed as it comes; off for a very large load, it is made up for at "
		"the next unsealing with this on" },
	[SETTING_INDEX_SHARDS] = { "index.shards", SETTING_INT, "2", 1, 16, NULL,
		"新建全文索引的分片数（重建索引后生效）",
		"shards of a new full-text index (counts from the next reindex)" },
	[SETTING_INDEX_DOCUMENTS] = { "index.documents", SETTING_INT, "500", 10, 10000, NULL,
		"积累这么多档案后提交一次索引",
		"how many records are indexed before they are committed" },
	[SETTING_INDEX_MS] = { "index.ms", SETTING_INT, "1000", 10, 60000, NULL,
		"索引最迟在此毫秒数后提交",
		"the longest time before what was indexed is committed, in milliseconds" },
	[SETTING_VOLUME_MAX_BYTES] = { "store.volume_max_bytes", SETTING_INT, "68719476736",
		1 << 20, (int64_t)1 << 44, NULL, "卷库超过此字节数后开新卷",
		"a volume that is larger than this, in bytes, is followed by a new one" },
	[SETTING_PENDING_MAX_BYTES] = { "store.pending_max_bytes", SETTING_INT, "67108864", 1 << 20,
		(int64_t)1 << 34, NULL, "日志中尚未打包的内容超过此字节数时写入等待",
		"writing waits while more bytes than this are in the journal and not yet in "
		"packs" },
	[SETTING_APPLY_DELAY_MS] = { "store.apply_delay_ms", SETTING_INT, "500", 1, 60000, NULL,
		"写入后最多等待多少毫秒再打包",
		"how long a write may wait for others before it is packed, in milliseconds" },
	[SETTING_SERVER_CONNECTIONS] = { "server.connections", SETTING_INT, "64", 1, 1024, NULL,
		"本地套接字同时的连接数", "connections to the local socket at the same time" },
	[SETTING_SERVER_IDLE_SECONDS] = { "server.idle_seconds", SETTING_INT, "600", 1, 86400, NULL,
		"无请求的连接保留的秒数",
		"how long a connection without requests is kept, in seconds" },
	[SETTING_HTTP_LISTEN] = { "http.listen", SETTING_TEXT, "", 0, 100, NULL,
		"HTTPS 监听的地址和端口，如 127.0.0.1:8443；留空则不提供网页",
		"the address and port where HTTPS is served, such as 127.0.0.1:8443; empty: no "
		"web" },
	[SETTING_HTTP_CONNECTIONS] = { "http.connections", SETTING_INT, "2000", 16, 50000, NULL,
		"HTTPS 同时的连接数", "connections over HTTPS at the same time" },
	[SETTING_HTTP_PER_ADDRESS] = { "http.per_address", SETTING_INT, "200", 4, 50000, NULL,
		"同一网络地址同时的连接数", "of these, from one address" },
	[SETTING_HTTP_IDLE_SECONDS] = { "http.idle_seconds", SETTING_INT, "60", 5, 3600, NULL,
		"无请求的 HTTPS 连接保留的秒数",
		"how long a connection over HTTPS is kept without requests, in seconds" },
	[SETTING_HTTP_WORKERS] = { "http.workers", SETTING_INT, "32", 1, 256, NULL,
		"同时处理的 HTTPS 请求数", "how many requests are worked on at the same time" },
	[SETTING_LOGIN_IDLE_MINUTES] = { "login.idle_minutes", SETTING_INT, "30", 1, 1440, NULL,
		"网页会话无操作多少分钟后结束（下次启封或重启后生效）",
		"how long a session in the browser lives without a request, in minutes (from the "
		"next unsealing on)" },
	[SETTING_LOGIN_HOURS] = { "login.hours", SETTING_INT, "12", 1, 168, NULL,
		"网页会话登录多少小时后必须重新登录（下次启封或重启后生效）",
		"how long a session in the browser lives at most, in hours (from the next "
		"unsealing on)" },
	[SETTING_LOGIN_MIB] = { "login.password_mib", SETTING_INT, "64", 8, 1024, NULL,
		"核对一次登录口令所用的内存（MiB）；越大越难被猜测",
		"memory for checking a password once, in MiB; more makes guessing dearer" },
	[SETTING_LOGIN_PASSES] = { "login.password_passes", SETTING_INT, "3", 1, 64, NULL,
		"核对一次登录口令的遍数；越多越难被猜测",
		"passes over that memory; more makes guessing dearer" },
	[SETTING_LOG_LEVEL] = { "log.level", SETTING_WORD, "notice", 0, 0,
		"error warning notice info", "运行日志的详细程度", "how much is logged" },
};

struct settings {
	pthread_mutex_t lock;
	int64_t number[SETTING_COUNT]; /* INT, BOOL, WORD */
	char *text[SETTING_COUNT];     /* TEXT */
};

const char *setting_type_word(enum setting_type type)
{
	static const char *const words[] = { "integer", "boolean", "word", "text" };

	return words[type];
}

enum setting setting_find(struct str name)
{
	for (enum setting i = 0; i < SETTING_COUNT; i++) {
		if (str_is(name, setting_table[i].name))
			return i;
	}
	return SETTING_COUNT;
}

/* ---- values ---- */

static int word_place(const char *words, struct str value, int64_t *ret)
{
	struct str rest = str_of(words);

	for (int64_t i = 0; rest.p; i++) {
		if (str_eq(str_cut(&rest, ' '), value)) {
			*ret = i;
			return 0;
		}
	}
	return -ERR_INVALID;
}

static struct str word_at(const char *words, int64_t place)
{
	struct str rest = str_of(words), word = { NULL, 0 };

	for (int64_t i = 0; i <= place && rest.p; i++)
		word = str_cut(&rest, ' ');
	return word;
}

static int check_int(const struct setting_row *row, struct str value, int64_t *ret, struct err *err)
{
	uint64_t v;
	int r = str_to_u64(value, (uint64_t)row->max, &v, err);

	if (r < 0)
		return err_prefix(err, r, tr("setting '%s'"), row->name);
	if ((int64_t)v < row->min)
		return err_set(err, ERR_INVALID, tr("setting '%s' must be at least %lld"),
			row->name, (long long)row->min);
	*ret = (int64_t)v;
	return 0;
}

static int check_text(const struct setting_row *row, struct str value, struct err *err)
{
	size_t n;

	if (value.n > (size_t)row->max)
		return err_set(err, ERR_LIMIT, tr("setting '%s' has more than %lld bytes"),
			row->name, (long long)row->max);
	for (size_t at = 0; at < value.n; at += n) {
		if (text_is_unsafe_char(text_char((struct str){ value.p + at, value.n - at }, &n)))
			return err_set(err, ERR_INVALID,
				tr("setting '%s' has a character that cannot be shown"), row->name);
	}
	return str_is_utf8(value)
		       ? 0
		       : err_set(err, ERR_INVALID, tr("setting '%s' is not UTF-8"), row->name);
}

int settings_set(struct settings *s, enum setting which, struct str value, struct err *err)
{
	const struct setting_row *row = &setting_table[which];
	int64_t number = 0;
	char *text = NULL;
	int r = 0;

	switch (row->type) {
	case SETTING_INT:
		r = check_int(row, value, &number, err);
		break;
	case SETTING_BOOL:
		r = word_place("false true", value, &number);
		break;
	case SETTING_WORD:
		r = word_place(row->words, value, &number);
		break;
	case SETTING_TEXT:
		r = check_text(row, value, err);
		break;
	}
	if (r < 0 && (row->type == SETTING_BOOL || row->type == SETTING_WORD))
		return err_set(err, ERR_INVALID, tr("setting '%s' is one of: %s"), row->name,
			row->type == SETTING_BOOL ? "false true" : row->words);
	if (r < 0)
		return r;
	if (row->type == SETTING_TEXT)
		text = str_dup(value);
	(void)pthread_mutex_lock(&s->lock);
	s->number[which] = number;
	if (text) {
		free(s->text[which]);
		s->text[which] = text;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return 0;
}

int64_t settings_int(struct settings *s, enum setting which)
{
	int64_t v;

	(void)pthread_mutex_lock(&s->lock);
	v = s->number[which];
	(void)pthread_mutex_unlock(&s->lock);
	return v;
}

void settings_text(struct settings *s, enum setting which, struct buf *ret)
{
	const struct setting_row *row = &setting_table[which];

	(void)pthread_mutex_lock(&s->lock);
	if (row->type == SETTING_TEXT)
		buf_adds(ret, s->text[which]);
	else if (row->type == SETTING_INT)
		buf_addf(ret, "%lld", (long long)s->number[which]);
	else
		buf_add_str(ret, word_at(row->type == SETTING_BOOL ? "false true" : row->words,
					 s->number[which]));
	(void)pthread_mutex_unlock(&s->lock);
}

struct settings *settings_new(void)
{
	struct settings *s = xcalloc(1, sizeof(*s));

	(void)pthread_mutex_init(&s->lock, NULL);
	for (enum setting i = 0; i < SETTING_COUNT; i++) {
		s->text[i] = xstrdup("");
		(void)settings_set(s, i, str_of(setting_table[i].initial), NULL);
	}
	return s;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (enum setting i = 0; i < SETTING_COUNT; i++)
		free(s->text[i]);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- the file ---- */

int settings_parse(struct str yaml, struct settings **ret, struct err *err)
{
	_cleanup_(settings_freep) struct settings *s = settings_new();
	_cleanup_(yaml_freep) struct yaml *doc = NULL;
	const struct yaml_node *root;
	int r = yaml_parse(yaml, SETTINGS_FILE, NULL, &doc, err);

	if (r < 0)
		return r;
	root = yaml_root(doc);
	r = yaml_is_map(root, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < root->count; i++) {
		const struct yaml_node *node = root->children[i];
		enum setting which = setting_find(node->name);
		struct err inner = ERR_INIT;

		if (which == SETTING_COUNT)
			return yaml_error_name(
				node, err, tr("there is no setting '%.*s'"), STR_ARG(node->name));
		if (node->kind != YAML_KIND_TEXT)
			return yaml_error(
				node, err, tr("setting '%.*s' is one value"), STR_ARG(node->name));
		r = settings_set(s, which, node->text, &inner);
		if (r < 0)
			return yaml_error(node, err, "%s", inner.text);
	}
	*ret = TAKE_PTR(s);
	return 0;
}

int settings_load(int dir, struct settings **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(1 << 20);
	struct err inner = ERR_INIT;
	int r = file_read_whole(dir, SETTINGS_FILE, &text, &inner);

	if (r == -ERR_NOTFOUND) {
		*ret = settings_new();
		return 0;
	}
	if (r < 0) {
		if (err)
			*err = inner;
		return r;
	}
	return settings_parse(buf_str(&text), ret, err);
}

/* A value that YAML would read otherwise, or not at all, without quotation marks is put between them. */
static void add_value(struct settings *s, enum setting which, struct buf *ret)
{
	_cleanup_(buf_done) struct buf value = BUF_INIT;

	settings_text(s, which, &value);
	if (setting_table[which].type != SETTING_TEXT) {
		buf_add_str(ret, buf_str(&value));
		return;
	}
	buf_addc(ret, '\'');
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\'')
			buf_addc(ret, '\'');
		buf_addc(ret, value.p[i]);
	}
	buf_addc(ret, '\'');
}

void settings_format(struct settings *s, struct buf *ret)
{
	buf_adds(ret, "# 卷宗的设置。修改后重启 muniment serve，或用 muniment config 修改。\n"
		      "# Settings of this archive: restart `muniment serve` after a change, or "
		      "change them with `muniment config`.\n");
	for (enum setting i = 0; i < SETTING_COUNT; i++) {
		const struct setting_row *row = &setting_table[i];

		buf_addf(ret, "\n# %s\n# %s\n", row->zh, row->en);
		if (row->type == SETTING_INT)
			buf_addf(ret, "# %lld .. %lld, %s\n", (long long)row->min,
				(long long)row->max, row->initial);
		else if (row->type == SETTING_WORD)
			buf_addf(ret, "# %s; %s\n", row->words, row->initial);
		else if (row->type == SETTING_BOOL)
			buf_addf(ret, "# true false; %s\n", row->initial);
		buf_addf(ret, "%s: ", row->name);
		add_value(s, i, ret);
		buf_addc(ret, '\n');
	}
}

int settings_save(struct settings *s, int dir, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	settings_format(s, &text);
	return file_replace(dir, SETTINGS_FILE, text.p, text.n, err);
}
