/* corpus.c - see corpus.h. */
#include "tests/search/corpus.h"

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/text.h"

#include <math.h>

enum { BODY_BYTES = 1250, ENGLISH_WORDS = 60000, CHINESE_WORDS = 40000, CHINESE_CHARACTERS = 3000 };

static const char *const chinese[] = {
	"企业应当建立医疗器械召回管理制度，收集医疗器械安全相关信息，对可能的缺陷进行调查和评估。",
	"召回计划应当包括召回的级别、范围、时限以及预期效果，并明确责任到人。",
	"供应商资质审核记录由采购部门填写，质量部门复核后归档，保存期限不少于五年。",
	"不合格品应当隔离存放并做出标识，处置前须经质量负责人书面批准。",
	"灭菌过程的参数记录应当完整、准确、可追溯，任何偏差都要说明原因。",
	"检验人员应当按照检验规程逐项检验，原始记录不得涂改。",
	"投诉受理后两个工作日内完成初步调查，并将处理结果告知投诉人。",
	"文件修订后应当收回旧版，作废文件加盖作废章并登记。",
	"温湿度超出规定范围时，仓库管理员应当立即报告并采取纠正措施。",
	"内部审核每年至少进行一次，审核员不得审核本部门的工作。",
};

static const char *const english[] = {
	"The manufacturer shall establish a procedure for the recall of medical devices.",
	"Records of supplier qualification are kept for not less than five years.",
	"Nonconforming product is segregated, labelled and disposed of with written approval.",
	"Every deviation from the sterilisation parameters must be explained and reviewed.",
	"The inspector signs each page of the original record; corrections remain legible.",
	"Complaints are investigated within two working days of receipt.",
	"Obsolete documents are withdrawn, stamped and entered in the register.",
	"Corrective actions were verified during the following internal audit.",
};

static const char *const series[] = { "程序文件", "资质审核记录", "投诉记录", "检验记录",
	"召回记录" };
static const char *const departments[] = { "质量部", "运营部", "采购部", "仓储部" };
static const char *const types[] = { "pdf", "docx", "xlsx" };
static const char *const scopes[] = { "dept:qa", "dept:ops", "dept:purchase", "all" };

struct dice {
	uint64_t state;
};

static uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static unsigned below(struct dice *d, unsigned n)
{
	return (unsigned)(roll(d) >> 32) % n;
}

/* A rank below n with Zipf's frequencies. */
static unsigned zipf(struct dice *d, unsigned n)
{
	double u = (double)(roll(d) >> 11) / 9007199254740992.0;

	return (unsigned)pow((double)n, u) - 1;
}

/* The word of a rank is made of it alone. */
static void add_english_word(struct buf *b, unsigned rank)
{
	static const char onset[] = "bcdfglmnprstvw", vowel[] = "aeiou", coda[] = "nrstlmd";
	struct dice d = { rank * 7919u + 17 };

	for (unsigned i = 0, n = 2 + below(&d, 3); i < n; i++) {
		buf_addc(b, onset[below(&d, sizeof(onset) - 1)]);
		buf_addc(b, vowel[below(&d, sizeof(vowel) - 1)]);
		if (below(&d, 3) == 0)
			buf_addc(b, coda[below(&d, sizeof(coda) - 1)]);
	}
	if (below(&d, 4) == 0)
		buf_adds(b, below(&d, 2) ? "ing" : "ed");
}

static void add_chinese_word(struct buf *b, unsigned rank)
{
	struct dice d = { rank * 104729u + 3 };

	for (unsigned i = 0, n = 1 + (below(&d, 6) > 0) + (below(&d, 5) == 0); i < n; i++)
		text_add_char(b, (int32_t)(0x4e00 + 5 * zipf(&d, CHINESE_CHARACTERS)));
}

static void add_code(struct dice *d, struct buf *b)
{
	buf_addf(b, "SOP-%03u", 1 + zipf(d, 400));
}

static void add_chinese_sentence(struct dice *d, struct buf *b, size_t until)
{
	if (below(d, 4) == 0) {
		buf_adds(b, chinese[below(d, ARRAY_LEN(chinese))]);
		return;
	}
	if (below(d, 8) == 0) {
		buf_adds(b, "依据");
		add_code(d, b);
	}
	for (unsigned i = 0, n = 6 + below(d, 10); i < n && b->n < until; i++) {
		add_chinese_word(b, zipf(d, CHINESE_WORDS));
		if (below(d, 7) == 0)
			buf_adds(b, "，");
	}
	buf_adds(b, below(d, 6) ? "。" : "。\n");
}

static void add_english_sentence(struct dice *d, struct buf *b, size_t until)
{
	if (below(d, 4) == 0) {
		buf_adds(b, english[below(d, ARRAY_LEN(english))]);
		buf_addc(b, ' ');
		return;
	}
	if (below(d, 8) == 0) {
		buf_adds(b, "See ");
		add_code(d, b);
		buf_addc(b, ' ');
	}
	for (unsigned i = 0, n = 6 + below(d, 12); i < n && b->n < until; i++) {
		if (i > 0)
			buf_addc(b, ' ');
		add_english_word(b, zipf(d, ENGLISH_WORDS));
	}
	buf_adds(b, below(d, 6) ? ". " : ".\n");
}

static bool is_chinese(unsigned n)
{
	return n % 2 == 0;
}

void corpus_record(uint64_t seed, unsigned n, struct corpus_record *ret)
{
	struct dice d = { seed * 0x100000001b3u + n };
	uint8_t seeded[16], hash[SHA256_BYTES];
	struct date date;

	put_be64(seeded, seed);
	put_be64(seeded + 8, n);
	sha256(seeded, sizeof(seeded), hash);
	memcpy(ret->record.b, hash, ID_BYTES);
	ret->day = day_of_date((struct date){ 2021, 1, 1 }) + below(&d, 5 * 365);
	ret->series = str_of(series[zipf(&d, ARRAY_LEN(series))]);
	ret->department = str_of(departments[below(&d, ARRAY_LEN(departments))]);
	ret->type = str_of(types[below(&d, ARRAY_LEN(types))]);
	ret->scope = str_of(scopes[below(&d, ARRAY_LEN(scopes))]);
	buf_init(&ret->title, BUF_DEFAULT_MAX);
	buf_init(&ret->number, BUF_DEFAULT_MAX);
	buf_init(&ret->body, BUF_DEFAULT_MAX);
	date = date_of_day(ret->day);
	buf_addf(&ret->number, "%.*s-%04d%02d%02d-%03u", STR_ARG(ret->series), date.year,
		date.month, date.day, 1 + n % 999);
	for (int i = 0; i < 3; i++) {
		if (is_chinese(n)) {
			add_chinese_word(&ret->title, zipf(&d, CHINESE_WORDS));
		} else {
			add_english_word(&ret->title, zipf(&d, ENGLISH_WORDS));
			buf_addc(&ret->title, ' ');
		}
	}
	buf_adds(&ret->title, is_chinese(n) ? "召回记录" : "recall record");
	while (ret->body.n < BODY_BYTES) {
		if (is_chinese(n))
			add_chinese_sentence(&d, &ret->body, BODY_BYTES);
		else
			add_english_sentence(&d, &ret->body, BODY_BYTES);
	}
}

void corpus_record_done(struct corpus_record *r)
{
	buf_done(&r->title);
	buf_done(&r->number);
	buf_done(&r->body);
}

/* The first `words` words of an English body from a place on that are not broken by a sign. */
static void add_words(struct dice *d, const struct buf *body, unsigned words, struct buf *ret)
{
	size_t at = below(d, (unsigned)body->n / 2), before = ret->n;
	unsigned found = 0;

	while (at < body->n && body->p[at++] != ' ')
		continue;
	for (; at < body->n && found < words; at++) {
		char c = body->p[at];

		if (c >= 'a' && c <= 'z') {
			buf_addc(ret, c);
			continue;
		}
		if (c == ' ' && ret->n > before && ++found < words)
			buf_addc(ret, ' ');
		if (c != ' ') {
			buf_cut(ret, before);
			found = 0;
			while (at + 1 < body->n && body->p[at + 1] != ' ')
				at++;
			at++;
		}
	}
}

/* Characters of a Chinese body from a place on that are not broken by a sign. */
static void add_characters(struct dice *d, const struct buf *body, unsigned count, struct buf *ret)
{
	size_t at = below(d, (unsigned)body->n / 2), before = ret->n, n;

	while (at < body->n && ((uint8_t)body->p[at] & 0xc0) == 0x80)
		at++;
	for (unsigned found = 0; at < body->n && found < count; at += n) {
		int32_t c = text_char((struct str){ body->p + at, body->n - at }, &n);

		if (c >= 0x4e00 && c <= 0x9fff) {
			buf_add(ret, body->p + at, n);
			found++;
		} else {
			buf_cut(ret, before);
			found = 0;
		}
	}
}

void corpus_query(
	uint64_t seed, unsigned count, enum corpus_query kind, unsigned n, struct buf *ret)
{
	struct dice d = { seed ^ 0xabcdef ^ (uint64_t)kind << 40 ^ n };
	bool in_chinese =
		kind == CORPUS_CHINESE || kind == CORPUS_CHINESE_PHRASE || kind == CORPUS_CHARACTER;
	unsigned which = below(&d, count / 2) * 2 + !in_chinese;
	struct corpus_record r;
	struct date date;

	corpus_record(seed, which, &r);
	switch (kind) {
	case CORPUS_WORD:
		add_words(&d, &r.body, 1, ret);
		break;
	case CORPUS_TWO_WORDS:
		add_words(&d, &r.body, 2, ret);
		break;
	case CORPUS_EITHER_WORD:
		add_words(&d, &r.body, 1, ret);
		buf_adds(ret, " OR ");
		add_words(&d, &r.body, 1, ret);
		break;
	case CORPUS_PHRASE:
		buf_addc(ret, '"');
		add_words(&d, &r.body, 3, ret);
		buf_addc(ret, '"');
		break;
	case CORPUS_CHINESE:
		add_characters(&d, &r.body, 4, ret);
		break;
	case CORPUS_CHINESE_PHRASE:
		buf_adds(ret, "“");
		add_characters(&d, &r.body, 4, ret);
		buf_adds(ret, "”");
		break;
	case CORPUS_CHARACTER: /* in quotation marks: 或, 且 and 非 are operators */
		buf_adds(ret, "“");
		add_characters(&d, &r.body, 1, ret);
		buf_adds(ret, "”");
		break;
	case CORPUS_WITHOUT:
		add_words(&d, &r.body, 1, ret);
		buf_adds(ret, " -recall");
		break;
	case CORPUS_TITLE_AND_DATE:
		date = date_of_day(r.day);
		buf_addf(ret, "title:recall 日期:%d-01-01..%d-06-30", date.year, date.year);
		break;
	case CORPUS_NUMBER:
		buf_addf(ret, "%.*s*", (int)r.number.n - 6, r.number.p);
		break;
	case CORPUS_QUERY_KINDS:
		break;
	}
	corpus_record_done(&r);
}
