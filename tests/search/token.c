/* The tokeniser: what each kind of text gives, fold included. Terms are written as
 * kind:text@position, words without their kind, and without position where they have none. */
#include "tests/harness.h"

#include "core/base/buf.h"
#include "search/token.h"

static void collect(void *context, const struct token *token)
{
	struct buf *b = context;

	if (b->n > 0)
		buf_addc(b, ' ');
	if (token->kind != TERM_WORD)
		buf_addf(b, "%c:", (char)token->kind);
	buf_add_str(b, token->text);
	if (token->position > 0)
		buf_addf(b, "@%u", token->position);
}

static void check_tokens(unsigned flags, struct str text, const char *expected)
{
	_cleanup_(tokenizer_freep) struct tokenizer *t = tokenizer_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	uint32_t position = 0;

	ck_ok(tokenizer_run(t, text, flags, &position, collect, &b, &err), err);
	ck_assert_str_eq(b.p, expected);
}

#define TOKENS(text, expected) check_tokens(TOKEN_ALL, str_of(text), expected)

START_TEST(chinese_gives_bigrams_and_characters)
{
	TOKENS("召回计划", "召 召回@1 回 回计@2 计 计划@3 划");
	TOKENS("召", "召@1");
	check_tokens(0, STR("召回计划"), "召回@1 回计@2 计划@3 划");
	check_tokens(
		0, STR("见第5章节，A召回"), "见第@1 第@2 5@3 章@4 章节@4 节 a@6 召@7 召回@7 回");
	TOKENS("召回，计划。", "召 召回@1 回 计 计划@3 划");
	TOKENS("召\n回", "召 召回@1 回");
	TOKENS("召 回", "召 召回@1 回");
	TOKENS("召 \r\n 回", "召 召回@1 回");
	TOKENS("召\n\n回", "召@1 回@2");
	TOKENS("召  回", "召@1 回@2");
	TOKENS("カード한국", "カ カー@1 ー ード@2 ド ド한@3 한 한국@4 국");
}
END_TEST

START_TEST(words_and_stems)
{
	TOKENS("Recalled devices", "recalled@1 Z:recal devices@2 Z:devic");
	check_tokens(0, STR("Recall devices"), "recall@1 Z:recal devices@2 Z:devic");
	check_tokens(0, STR("plan plans"), "plan@1 plans@2 Z:plan");
	/* Either spelling; what goes on with s, and short words, stay. */
	TOKENS("sterilisation sterilized analysing",
		"sterilisation@1 Z:steril sterilized@2 Z:steril analysing@3 Z:analyz");
	TOKENS("supervise revised precise",
		"supervise@1 Z:supervis revised@2 Z:revis precise@3 Z:precis");
	TOKENS("don't AT&T a", "don't@1 Z:don't at&t@2 Z:at&t a@3");
	TOKENS("café Straße МИР", "café@1 strasse@2 Z:strass мир@3");
	TOKENS("V1.0 3.14.", "v1.0@1 3.14@2");
	TOKENS("end.Start", "end@1 Z:end start@2 Z:start");
	TOKENS("'x' & -", "x@1");
}
END_TEST

START_TEST(width_case_and_compatibility_are_folded)
{
	TOKENS("ＳＯＰ　Ⅲ類ｶﾞ", "sop@1 Z:sop iii@2 Z:iii 類@3 類ガ@3 ガ");
	TOKENS("ﬁle", "file@1 Z:file");
	TOKENS("e\xcc\x81t\xc3\xa9", "été@1");
	TOKENS("re\xc2\xad"
	       "call\xe2\x80\x8b",
		"recall@1 Z:recal");
	TOKENS("a\xff\xfe"
	       "b\0c",
		"a@1 b@2");
	TOKENS("２０２５年５月", "2025@1 年@2 5@3 月@4");
}
END_TEST

START_TEST(codes_are_whole_and_in_parts)
{
	TOKENS("SOP-012灭菌", "sop@1 Z:sop 012@2 C:sop-012 C:sop012 灭@3 灭菌@3 菌");
	TOKENS("QMS—QC_CX-2025-V1.0",
		"qms@1 Z:qms qc@2 Z:qc cx@3 Z:cx 2025@4 v1.0@5 C:qms-qc-cx-2025-v1.0 "
		"C:qmsqccx2025v10");
	TOKENS("and/or", "and@1 Z:and or@2 Z:or");
	check_tokens(TOKEN_EDGES, STR("AB-12"), "ab@1 12@2 C:ab-12 E:ab- E:ab-1 E:ab-12 C:ab12");
	check_tokens(
		TOKEN_EDGES, STR("1234567"), "1234567@1 E:123 E:1234 E:12345 E:123456 E:1234567");
	check_tokens(TOKEN_EDGES, STR("12345 3.14159"), "12345@1 3.14159@2");
}
END_TEST

START_TEST(certificates_and_letters)
{
	/* 号 belongs to the letter's number, and is a character all the same. */
	TOKENS("国械注准20203140123", "国 国械@1 械 械注@2 注 注准@3 准@4 20203140123@5");
	TOKENS("记录-20250520-001", "记 记录@1 录@2 20250520@3 001@4 C:20250520-001");
	static const char letter[] = "监 监函@1 函@2 〔2023〕201@3 2023 201 号";
	TOKENS("监函〔2023〕201号", letter);
	TOKENS("监函〔2023〕201 号", letter);
	TOKENS("监函[2023]201号", letter);
	TOKENS("监函 （ ２０２３ ） 第 201 号", letter);
	TOKENS("监函【2023】201号", letter);
	TOKENS("(2023)20号文", "〔2023〕20@1 2023 20 号 文@2");
	TOKENS("(2023)1234567", "2023@1 1234567@2");
	TOKENS("(1066)12", "1066@1 12@2");
	check_tokens(TOKEN_EDGES, STR("〔2023〕20"),
		"〔2023〕20@1 2023 20 E:〔 E:〔2 E:〔20 E:〔202 E:〔2023 E:〔2023〕 E:〔2023〕2 "
		"E:〔2023〕20");
}
END_TEST

START_TEST(dates_have_one_form)
{
	TOKENS("2026-10-09", "U:20261009 2026@1 10@2 09@3 C:2026-10-09");
	TOKENS("2026/10/9。", "U:20261009 2026@1 10@2 9@3 C:2026/10/9");
	TOKENS("2026.1.09", "U:20260109 2026.1.09@1");
	TOKENS("20261009", "U:20261009 20261009@1");
	TOKENS("2026年10月9日", "U:20261009 2026@1 年@2 10@3 月@4 9@5 日@6");
	TOKENS("２０２６ 年 1 月 9 号", "U:20260109 2026@1 年@2 1@3 月@4 9@5 号@6");
	TOKENS("2026-10-09T09:30", "U:20261009 2026@1 10@2 09t09@3 C:2026-10-09t09 "
				   "C:20261009t09 30@4");
	/* no dates */
	TOKENS("20261009-02", "20261009@1 02@2 C:20261009-02");
	TOKENS("2026-10-09-001", "2026@1 10@2 09@3 001@4 C:2026-10-09-001");
	TOKENS("V2026-10-09", "v2026@1 10@2 09@3 C:v2026-10-09 C:v20261009");
	TOKENS("2026-13-09", "2026@1 13@2 09@3 C:2026-13-09");
	TOKENS("2026-10/09", "2026@1 10@2 09@3 C:2026-10/09");
	TOKENS("20261032", "20261032@1");
	TOKENS("21001009", "21001009@1");
	TOKENS("2026年10月", "2026@1 年@2 10@3 月@4");
	TOKENS("2026年10月9", "2026@1 年@2 10@3 月@4 9@5");
	TOKENS("202610090001", "202610090001@1");
}
END_TEST

START_TEST(sensitive_numbers_give_one_term)
{
	TOKENS("电话13812345678。", "电 电话@1 话@2 P:13812345678");
	TOKENS("138-1234-5678 x", "P:13812345678 x@2");
	TOKENS("+86 138 1234 5678", "P:13812345678");
	TOKENS("8613812345678", "P:13812345678");
	TOKENS("tel１３８１２３４５６７８a", "tel@1 Z:tel P:13812345678 a@3");
	TOKENS("a-13812345678-01", "a@1 P:13812345678 01@3");
	TOKENS("1.13812345678", "1@1 P:13812345678");
	TOKENS("11010519491231002X", "P:11010519491231002x");
	TOKENS("110105 19491231 002x", "P:11010519491231002x");
	/* no such numbers: too long, no such prefix, wrong check digit, wrong month */
	TOKENS("138123456789", "138123456789@1");
	TOKENS("12812345678", "12812345678@1");
	TOKENS("110105194912310021", "110105194912310021@1");
	TOKENS("110105194913310021", "110105194913310021@1");
}
END_TEST

START_TEST(long_words_have_no_term)
{
	char word[TOKEN_WORD_MAX + 2];

	memset(word, 'z', sizeof(word));
	word[TOKEN_WORD_MAX] = '\0';
	_cleanup_(buf_done) struct buf expected = BUF_INIT;
	buf_addf(&expected, "%s@1 Z:%s", word, word);
	TOKENS(word, expected.p);
	word[TOKEN_WORD_MAX] = 'z';
	check_tokens(0, (struct str){ word, TOKEN_WORD_MAX + 1 }, "");
}
END_TEST

static void count_last(void *context, const struct token *token)
{
	uint32_t *last = context;

	last[0] += token->position > 0;
	last[1] = token->end;
}

START_TEST(long_texts_are_cut_between_sentences)
{
	_cleanup_(tokenizer_freep) struct tokenizer *t = tokenizer_new();
	_cleanup_(buf_done) struct buf text = BUF_INIT, line = BUF_INIT;
	struct err err = ERR_INIT;
	uint32_t position = 0, last[2] = { 0, 0 };
	unsigned lines = 0;

	while (text.n < 5 * TOKEN_BLOCK) {
		buf_adds(&text, "质量手册规定责任到人。");
		lines++;
	}
	ck_ok(tokenizer_run(t, buf_str(&text), 0, &position, count_last, last, &err), err);
	ck_assert_uint_eq(position, lines * 10);
	ck_assert_uint_eq(last[0], lines * 9);
	ck_assert_uint_eq(last[1], text.n - strlen("。"));
}
END_TEST

START_TEST(tokens_know_where_they_came_from)
{
	_cleanup_(fold_done) struct fold f;
	struct err err = ERR_INIT;

	fold_init(&f);
	ck_ok(fold_text(&f, STR("Ａ㎡ﬁ召"), &err), err);
	ck_assert_str_eq(f.text.p, "am2fi召");
	ck_assert_uint_eq(f.at[1], 3);
	ck_assert_uint_eq(f.at[2], 3);
	ck_assert_uint_eq(f.at[3], 6);
	ck_assert_uint_eq(f.at[4], 6);
	ck_assert_uint_eq(f.at[5], 9);
	ck_assert_uint_eq(f.at[8], 12);
}
END_TEST

TESTS("search/token", chinese_gives_bigrams_and_characters, words_and_stems,
	width_case_and_compatibility_are_folded, codes_are_whole_and_in_parts,
	certificates_and_letters, dates_have_one_form, sensitive_numbers_give_one_term,
	long_words_have_no_term, long_texts_are_cut_between_sentences,
	tokens_know_where_they_came_from)
