/* The numbers that Word counts, in the formats that it writes them in. */
#include "tests/harness.h"

#include "search/extract_numbering.h"

START_TEST(numbers_in_every_format)
{
	static const struct {
		uint32_t number;
		const char *format, *text;
	} rows[] = {
		{ 1, "decimal", "1" },
		{ 7, "decimalZero", "07" },
		{ 12, "decimalZero", "12" },
		{ 0, "chineseCounting", "0" },
		{ 1, "chineseCounting", "一" },
		{ 10, "chineseCounting", "十" },
		{ 16, "chineseCountingThousand", "十六" },
		{ 20, "chineseCounting", "二十" },
		{ 21, "japaneseCounting", "二十一" },
		{ 100, "chineseCounting", "一百" },
		{ 105, "chineseCounting", "一百零五" },
		{ 110, "chineseCounting", "一百一十" },
		{ 1001, "chineseCounting", "一千零一" },
		{ 9999, "chineseCounting", "九千九百九十九" },
		{ 10000, "chineseCounting", "10000" },
		{ 16, "chineseLegalSimplified", "壹拾陆" },
		{ 2026, "ideographDigital", "二〇二六" },
		{ 1, "ideographTraditional", "甲" },
		{ 11, "ideographTraditional", "甲" },
		{ 3, "ideographZodiac", "寅" },
		{ 1, "lowerLetter", "a" },
		{ 26, "upperLetter", "Z" },
		{ 28, "lowerLetter", "bb" },
		{ 4, "lowerRoman", "iv" },
		{ 1994, "upperRoman", "MCMXCIV" },
		{ 1, "decimalEnclosedCircle", "①" },
		{ 20, "decimalEnclosedCircleChinese", "⑳" },
		{ 21, "decimalEnclosedCircle", "21" },
		{ 2, "decimalEnclosedParen", "⑵" },
		{ 5, "what is this", "5" },
		{ UINT32_MAX, "lowerRoman", "4294967295" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = BUF_INIT_MAX(100);

		numbering_format(rows[i].number, rows[i].format, &b);
		ck_assert_msg(strcmp(b.p, rows[i].text) == 0, "%u %s: %s", rows[i].number,
			rows[i].format, b.p);
		buf_done(&b);
	}
}
END_TEST

TESTS("search/numbering", numbers_in_every_format)
