#include "tests/harness.h"

#include "core/base/buf.h"
#include "core/base/hash.h"
#include "core/base/tr.h"
#include "core/model/pattern.h"
#include "core/model/retention.h"
#include "core/model/series.h"

#include <stdlib.h>

static struct series *builtin(const char *code)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < series_builtin_count; i++) {
		const struct series_builtin *b = &series_builtins[i];
		struct series *series = NULL;

		ck_ok(series_parse((struct str){ b->text, b->bytes }, b->file, &series, &err), err);
		if (strcmp(series->code, code) == 0)
			return series;
		series_free(series);
	}
	ck_abort_msg("no series %s", code);
	return NULL;
}

START_TEST(the_standard_series_are_right)
{
	static const char *const codes[] = { "DOC", "QR-QC-001", "QR-SALE-001", "QR-QM-001", "GEN",
		"EXT", "DEF", "ACC" };

	ck_assert_uint_eq(series_builtin_count, ARRAY_LEN(codes));
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct series *series = builtin(codes[i]);
		struct digest digest;

		ck_assert_uint_gt(series->field_count, 0);
		sha256(series->text, series->text_bytes, digest.b);
		ck_assert(digest_equal(&digest, &series->sha256));
		series_free(series);
	}
}
END_TEST

/* The fields of a form with the labels of the sources, in their order; "*" marks required ones. */
static void check_form(const char *code, const char *title, const char *const *labels, size_t n)
{
	struct series *series = builtin(code);

	ck_assert_str_eq(series->title.zh, title);
	ck_assert_uint_eq(series->field_count, n);
	for (size_t i = 0; i < n; i++) {
		bool required = labels[i][0] == '*';

		ck_assert_str_eq(series->fields[i].label.zh, labels[i] + required);
		ck_assert_int_eq(series->fields[i].required, required);
	}
	series_free(series);
}

START_TEST(rec_07_qualification_review)
{
	static const char *const labels[] = { "*经营者名称", "*统一社会信用代码",
		"*医疗器械经营许可证号/备案凭证号", "*医疗器械注册证号/备案凭证号", "*资质有效期",
		"*审核人", "*审核日期", "*审核结果", "补正要求", "*资质文件附件编号" };
	struct series *series;
	const struct series_field *field;

	check_form("QR-QC-001", "资质审核记录", labels, ARRAY_LEN(labels));
	series = builtin("QR-QC-001");
	field = series_find_field(series, STR("补正要求"));
	ck_assert_str_eq(field->when, "review_result");
	ck_assert_uint_eq(field->when_count, 2);
	ck_assert_str_eq(series->number_text, "资质审核记录-{date}-{serial:3}");
	field = series_find_field(series, STR("review_result"));
	ck_assert_str_eq(series_find_choice(field, STR("通过"))->name, "passed");
	ck_assert_str_eq(series_find_choice(field, STR("不通过"))->name, "failed");
	ck_assert_str_eq(series_find_choice(field, STR("补正"))->name, "supplement");
	ck_assert_str_eq(series->date_field->name, "review_date");
	series_free(series);
}
END_TEST

START_TEST(rec_08_transaction)
{
	static const char *const labels[] = { "*器械名称", "*注册证号", "*规格型号", "*生产厂家",
		"*买方姓名", "*联系电话", "*收货地址", "*支付金额", "*支付时间", "*物流单号",
		"*发货时间", "*签收时间", "*销售责任人" };
	struct series *series;

	check_form("QR-SALE-001", "交易记录", labels, ARRAY_LEN(labels));
	series = builtin("QR-SALE-001");
	ck_assert_str_eq(series->number_label.zh, "订单号");
	ck_assert_str_eq(series->number_text, "{date}{serial:4}");
	ck_assert(pattern_matches(series->given, STR("202505200001")));
	ck_assert(!pattern_matches(series->given, STR("20250520001")));
	ck_assert(series_find_field(series, STR("联系电话"))->sensitive);
	ck_assert(series_find_field(series, STR("收货地址"))->sensitive);
	ck_assert(series_find_field(series, STR("买方姓名"))->sensitive);
	ck_assert_int_eq(series_find_field(series, STR("支付金额"))->type, FIELD_MONEY);
	series_free(series);
}
END_TEST

START_TEST(rec_09_quality_problem)
{
	static const char *const labels[] = { "*问题类型", "*问题描述", "*涉及方", "*处理责任人",
		"*处理步骤", "*处理结果", "回访记录" };
	struct series *series;

	check_form("QR-QM-001", "质量问题处理记录", labels, ARRAY_LEN(labels));
	series = builtin("QR-QM-001");
	ck_assert_str_eq(series->number_label.zh, "问题编号");
	ck_assert_str_eq(series->number_text, "QM-{date}{serial:4}");
	ck_assert_uint_eq(series_find_field(series, STR("处理步骤"))->column_count, 3);
	ck_assert(series_find_field(series, STR("涉及方"))->several);
	ck_assert_ptr_null(series->date_field);
	series_free(series);
}
END_TEST

START_TEST(doc_02_numbers_are_brought_or_drawn)
{
	struct series *series = builtin("DOC");

	ck_assert(pattern_matches(series->given, STR("QMS-QC-CX-2025-V1.0")));
	ck_assert(pattern_matches(series->given, STR("QMS-QC-CX-2025-03-V1.0")));
	ck_assert(!pattern_matches(series->given, STR("QMS-QC-CX-V1.0")));
	ck_assert_str_eq(series_find_department(series, STR("质量管理部"))->code, "QC");
	ck_assert_str_eq(
		series_find_choice(series_find_field(series, STR("type")), STR("CX"))->label.zh,
		"程序文件");
	series_free(series);
}
END_TEST

#define HEAD \
	"series: X\n" \
	"title: {zh: 试, en: Trial}\n" \
	"number: 'X-{serial:3}'\n" \
	"departments: [质量管理部]\n" \
	"retention: [R-GEN]\n"
#define FIELD(members) HEAD "fields:\n  a: {label: {zh: 甲, en: A}, " members "}\n"

START_TEST(what_is_wrong_is_named_with_line_and_column)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "[]", "t.yaml:1:1: expected a map, found a list" },
		{ "series: X\n", "t.yaml:1:1: 'title' is missing here" },
		{ "serie: X\n", "t.yaml:1:1: expected one of series, title, number, number_label, "
				"given, departments, retention, "
				"sensitivity, fields, date; found 'serie'" },
		{ "series: qr\n", "t.yaml:1:9: expected a code of at most 32 of A-Z, 0-9 and '-', "
				  "found 'qr'" },
		{ "series: X\ntitle: {zh: 试}\n", "t.yaml:2:8: 'en' is missing here" },
		{ "series: X\ntitle: {zh: 试, en: ''}\n",
			"t.yaml:2:20: expected a text, found nothing" },
		{ "series: X\ntitle: {zh: a/b, en: T}\n",
			"t.yaml:2:13: the title has the character U+002F, which may not stand in a "
			"path" },
		{ "series: X\ntitle: {zh: 试, en: T}\nnumber: '{day}'\n",
			"t.yaml:3:9: '{day}' is not a slot; expected {date}, {year}, {month}, "
			"{serial:4}, {serial:4+}, {code:NAME} "
			"or {version}" },
		{ HEAD "retention: [R-GEN]\n", "t.yaml:6:1: 'retention' stands here a second time; "
					       "the first is in line 5" },
		{ HEAD "sensitivity: secret\n", "t.yaml:6:14: expected one of public, internal, "
						"restricted; found 'secret'" },
		{ HEAD "given: '['\nfields: {}\n",
			"t.yaml:6:8: pattern, at byte 2: ']' is missing" },
		{ HEAD "fields: {}\ndate: none\n",
			"t.yaml:7:7: expected a field of type date or instant, found 'none'" },
		{ HEAD "fields:\n  A: {label: {zh: 甲, en: A}, type: text}\n",
			"t.yaml:7:3: 'A' is not a name; expected at most 64 of a-z, 0-9 and '_', a "
			"letter first" },
		{ HEAD "fields:\n  a: {type: text}\n", "t.yaml:7:6: 'label' is missing here" },
		{ FIELD("type: txt"), "t.yaml:7:36: expected one of text, long_text, code, date, "
				      "instant, money, integer, choice, person, phone, "
				      "address, id_card, rows; found 'txt'" },
		{ FIELD("type: text, min: 1"), "t.yaml:7:42: 'min' does not go with type 'text'" },
		{ FIELD("type: phone, sensitive: false"),
			"t.yaml:7:54: a field of type 'phone' is always sensitive" },
		{ FIELD("type: text, max_chars: 20001"),
			"t.yaml:7:53: expected a number from 1 to 20000, found 20001" },
		{ FIELD("type: text, required: yes"),
			"t.yaml:7:52: expected one of false, true; found 'yes'" },
		{ FIELD("type: choice"), "t.yaml:7:6: 'choices' is missing here" },
		{ FIELD("type: choice, choices: {}"),
			"t.yaml:7:53: expected 1 to 200 entries, found 0" },
		{ FIELD("type: choice, choices: {x: {zh: 一, en: One}, y: {zh: 一, en: Two}}"),
			"t.yaml:7:75: 'x' and 'y' have the same label" },
		{ FIELD("type: integer, min: 2, max: 1"), "t.yaml:7:6: 'min' is more than 'max'" },
		{ FIELD("type: rows, columns: {b: {label: {zh: 乙, en: B}, type: rows, columns: "
			"{}}}"),
			"t.yaml:7:100: expected at most 20 fields, found 0" },
		{ FIELD("type: text, required_when: {b: [x]}"),
			"t.yaml:7:58: expected another field of this form of type choice, found "
			"'b'" },
		{ FIELD("type: text") "  b: {label: {zh: 甲, en: B}, type: text}\n",
			"t.yaml:8:3: 'a' and 'b' have the same label" },
	};
	struct series *series = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_fails(series_parse(str_of(bad[i].text), "t.yaml", &series, &err), err,
			ERR_INVALID);
		ck_assert_str_eq(err.text, bad[i].error);
	}
	ck_assert_ptr_null(series);
}
END_TEST

START_TEST(a_number_gets_what_it_needs)
{
	static const char *const bad[] = {
		"departments: any\nnumber: '{code:department}-{serial:3}'\nfields: {}\n",
		"departments: [甲部]\nnumber: '{code:department}-{serial:3}'\nfields: {}\n",
		"departments: any\nnumber: '{code:a}-{serial:3}'\nfields: {}\n",
		"departments: any\nnumber: '{code:a}-{serial:3}'\nfields: {a: {label: {zh: 甲, en: "
		"A}, type: text}}\n",
		"departments: any\nnumber: '{code:a}-{serial:3}'\n"
		"fields: {a: {label: {zh: 甲, en: A}, type: choice, choices: {x: {zh: 一, en: "
		"One}}, required: true}}\n",
		"departments: any\nnumber: 'V{version}'\nfields: {}\n",
		"departments: any\nnumber: '.{serial:3}'\nfields: {}\n",
	};
	struct series *series = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf b = BUF_INIT;

		buf_addf(&b, "series: X\ntitle: {zh: 试, en: T}\nretention: [R-GEN]\n%s", bad[i]);
		ck_assert_msg(series_parse(buf_str(&b), "t", &series, &err) == -ERR_INVALID,
			"accepted: %s", bad[i]);
		buf_done(&b);
	}
}
END_TEST

START_TEST(messages_are_chinese_too)
{
	struct series *series = NULL;
	struct err err = ERR_INIT;

	tr_set_language(TR_ZH);
	ck_fails(series_parse(STR("series: X\n"), "试.yaml", &series, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "试.yaml:1:1: 此处缺少‘title’");
	tr_set_language(TR_EN);
}
END_TEST

START_TEST(departments_are_those_of_the_definition)
{
	struct series *series = builtin("QR-QC-001"), *any = builtin("GEN");
	struct err err = ERR_INIT;

	ck_ok(series_check_department(series, STR("运营部"), &err), err);
	ck_fails(series_check_department(series, STR("财务部"), &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "department '财务部' does not file in series 'Qualification "
				   "review record'; these do: 运营部、质量管理部");
	ck_ok(series_check_department(any, STR("财务部"), &err), err);
	series_free(series);
	series_free(any);
	series_free(NULL);
}
END_TEST

START_TEST(retention_classes_are_sorted)
{
	for (size_t i = 1; i < retention_class_count; i++)
		ck_assert_int_lt(
			strcmp(retention_classes[i - 1].code, retention_classes[i].code), 0);
	ck_assert_ptr_nonnull(retention_find(STR("R-QUAL-P")));
	ck_assert_ptr_null(retention_find(STR("R-NONE")));
}
END_TEST

TESTS("core/model/series", the_standard_series_are_right, rec_07_qualification_review,
	rec_08_transaction, rec_09_quality_problem, doc_02_numbers_are_brought_or_drawn,
	what_is_wrong_is_named_with_line_and_column, a_number_gets_what_it_needs,
	messages_are_chinese_too, departments_are_those_of_the_definition,
	retention_classes_are_sorted)
