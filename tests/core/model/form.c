#include "tests/harness.h"

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/tr.h"
#include "core/model/form.h"
#include "core/model/form_codes.h"

#include <stdlib.h>

static struct series *builtin(const char *file)
{
	struct err err = ERR_INIT;
	struct series *series = NULL;

	for (size_t i = 0; i < series_builtin_count; i++)
		if (strcmp(series_builtins[i].file, file) == 0)
			ck_ok(series_parse((struct str){ series_builtins[i].text,
						   series_builtins[i].bytes },
				      file, &series, &err),
				err);
	ck_assert_ptr_nonnull(series);
	return series;
}

static void check_read(const struct series *series, const char *label, const char *typed,
	const char *shown, const char *masked)
{
	const struct series_field *field = series_find_field(series, str_of(label));
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	_cleanup_(buf_done) struct buf plain = BUF_INIT, hidden = BUF_INIT;
	struct value value;
	struct err err = ERR_INIT;

	ck_assert_msg(field != NULL, "no field %s", label);
	ck_ok(form_read(field, str_of(typed), arena, &value, &err), err);
	form_show(field, &value, 0, &plain);
	ck_assert_str_eq(plain.p, shown);
	form_show(field, &value, FORM_MASK, &hidden);
	ck_assert_str_eq(hidden.p, masked ? masked : shown);
}

static void check_refused(const struct series *series, const char *label, const char *typed)
{
	const struct series_field *field = series_find_field(series, str_of(label));
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	struct value value;
	struct err err = ERR_INIT;

	ck_assert_msg(field != NULL, "no field %s", label);
	ck_assert_msg(form_read(field, str_of(typed), arena, &value, &err) < 0, "%s took %s", label,
		typed);
	ck_assert_msg(strncmp(err.text, label_text(&field->label),
			      strlen(label_text(&field->label))) == 0,
		"%s", err.text);
	if (field->sensitive && strlen(typed) > 3)
		ck_assert_msg(!strstr(err.text, typed), "shown in an error: %s", err.text);
}

/* REC-04: dates YYYY-MM-DD, times HH:MM, amounts with two decimals. */
START_TEST(rec_04_dates_times_amounts)
{
	struct series *sale = builtin("qr-sale-001.yaml"), *review = builtin("qr-qc-001.yaml");

	check_read(review, "审核日期", " 2025-05-20 ", "2025-05-20", NULL);
	check_refused(review, "审核日期", "2025-5-20");
	check_refused(review, "审核日期", "2025/05/20");
	check_refused(review, "审核日期", "2025年5月20日");
	check_refused(review, "审核日期", "2025-02-29");
	check_read(sale, "支付时间", "2025-05-20 10:00", "2025-05-20 10:00", NULL);
	check_read(sale, "支付时间", "2025-05-20 10:00:59", "2025-05-20 10:00", NULL);
	check_read(sale, "支付时间", "2025-05-20T02:00:00Z", "2025-05-20 10:00", NULL);
	check_refused(sale, "支付时间", "2025-05-20 24:00");
	check_refused(sale, "支付时间", "2025-05-20");
	check_read(sale, "支付金额", "198.00", "198.00", NULL);
	check_read(sale, "支付金额", "198", "198.00", NULL);
	check_read(sale, "支付金额", "0.05", "0.05", NULL);
	check_refused(sale, "支付金额", "198.0");
	check_refused(sale, "支付金额", "198.001");
	check_refused(sale, "支付金额", "一百九十八");
	check_refused(sale, "支付金额", "-1.00");
	check_refused(sale, "支付金额", "1,980.00");
	check_refused(sale, "支付金额", "99999999999999999999.00");
	series_free(sale);
	series_free(review);
}
END_TEST

/* REC-08: the telephone shows three and four digits, the address ends at the district. */
START_TEST(rec_08_what_is_sensitive_is_masked)
{
	struct series *sale = builtin("qr-sale-001.yaml");

	check_read(sale, "联系电话", "13812345678", "13812345678", "138****5678");
	check_read(sale, "联系电话", "110-120", "110-120", "****");
	check_read(sale, "收货地址", "北京市朝阳区望京街道1号", "北京市朝阳区望京街道1号",
		"北京市朝阳区 XX 街道");
	check_read(sale, "收货地址", "某处", "某处", "****");
	check_read(sale, "买方姓名", "张三丰", "张三丰", "张****");
	check_read(sale, "器械名称", "电子血压计", "电子血压计", NULL);
	check_refused(sale, "联系电话", "1234");
	check_refused(sale, "联系电话", "不详12345678");
	check_refused(sale, "买方姓名", "张三\n李四");
	series_free(sale);
}
END_TEST

START_TEST(choices_lists_and_rows)
{
	struct series *problem = builtin("qr-qm-001.yaml");

	check_read(problem, "问题类型", "投诉", "Complaint", NULL);
	check_read(problem, "问题类型", "report", "Report", NULL);
	check_refused(problem, "问题类型", "别的");
	check_read(problem, "涉及方", "消费者、Merchant；internal_post",
		"Consumer, Merchant, Internal post", NULL);
	check_refused(problem, "涉及方", "消费者,消费者");
	check_refused(problem, "涉及方", "消费者,别人");
	check_read(problem, "处理步骤",
		"2025-05-20 10:00 | 联系买方 | 同意退货\n\n2025-05-21 09:30|退款|完成\n",
		"2025-05-20 10:00 | 联系买方 | 同意退货\n2025-05-21 09:30 | 退款 | 完成", NULL);
	check_refused(problem, "处理步骤", "2025-05-20 10:00 | 联系买方");
	check_refused(problem, "处理步骤", "2025-05-20 | 联系买方 | 好");
	check_refused(problem, "处理步骤", "2025-05-20 10:00 | a | b | c");
	check_refused(problem, "处理责任人", "  ");
	series_free(problem);
}
END_TEST

START_TEST(codes_check_themselves)
{
	struct series *review = builtin("qr-qc-001.yaml");

	ck_assert(form_is_uscc(STR("91350100M000100Y43")));
	ck_assert(!form_is_uscc(STR("91350100M000100Y44")));
	ck_assert(!form_is_uscc(STR("91350100M000100Y4")));
	ck_assert(!form_is_uscc(STR("9I350100M000100Y43")));
	ck_assert(form_is_id_card(STR("11010519491231002X")));
	ck_assert(form_is_id_card(STR("440524188001010014")) == false);
	ck_assert(!form_is_id_card(STR("110105194912310021")));
	ck_assert(!form_is_id_card(STR("11010519491331002X")));
	ck_assert(!form_is_id_card(STR("")));
	check_read(review, "统一社会信用代码", "91350100M000100Y43", "91350100M000100Y43", NULL);
	check_refused(review, "统一社会信用代码", "91350100M000100Y34");
	series_free(review);
}
END_TEST

/* A qualification review with everything that REC-07 wants. */
struct example {
	struct series *series;
	struct arena *arena;
	struct manifest m;
	struct field fields[12];
};

static void add_field(struct example *x, const char *label, const char *typed)
{
	const struct series_field *field = series_find_field(x->series, str_of(label));
	struct err err = ERR_INIT;

	ck_assert_ptr_nonnull(field);
	x->fields[x->m.field_count].name = str_of(field->name);
	ck_ok(form_read(field, str_of(typed), x->arena, &x->fields[x->m.field_count++].value, &err),
		err);
}

static void fill(struct example *x)
{
	*x = (struct example){ .series = builtin("qr-qc-001.yaml"), .arena = arena_new(0) };
	x->m = (struct manifest){ .version = 1,
		.series = STR("QR-QC-001"),
		.definition = x->series->sha256,
		.department = STR("运营部"),
		.day = day_of_date((struct date){ 2025, 5, 20 }),
		.number = STR("资质审核记录-20250520-001"),
		.drawn = true,
		.fields = x->fields };
	add_field(x, "经营者名称", "安康某某医疗器械有限公司");
	add_field(x, "统一社会信用代码", "91350100M000100Y43");
	add_field(x, "医疗器械经营许可证号/备案凭证号", "陕安药监械经营许20210011号");
	add_field(x, "医疗器械注册证号/备案凭证号", "国械注准20203140123");
	add_field(x, "资质有效期", "2028-05-19");
	add_field(x, "审核人", "李四");
	add_field(x, "审核日期", "2025-05-20");
	add_field(x, "资质文件附件编号", "附件-001");
	add_field(x, "审核结果", "通过");
}

static void done(struct example *x)
{
	series_free(x->series);
	arena_free(x->arena);
}

static void expect(struct example *x, const char *field, const char *text)
{
	const struct form_problem *problems = NULL;
	int n = form_check(x->series, &x->m, x->arena, &problems);

	if (!field) {
		ck_assert_msg(
			n == 0, "%s: %s", n ? problems[0].field : "", n ? problems[0].text : "");
		return;
	}
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(problems[0].field, field);
	ck_assert_str_eq(problems[0].text, text);
}

START_TEST(rec_07_what_is_required)
{
	struct example x;

	fill(&x);
	expect(&x, NULL, NULL);
	x.m.field_count--;
	expect(&x, "review_result", "'Review result' is missing");
	add_field(&x, "审核结果", "补正");
	expect(&x, "supplement_request", "'Supplement required' is missing");
	tr_set_language(TR_ZH);
	expect(&x, "supplement_request", "缺少‘补正要求’");
	tr_set_language(TR_EN);
	add_field(&x, "补正要求", "请补交营业执照");
	expect(&x, NULL, NULL);
	x.fields[0].value.text = STR("");
	x.fields[0].value.kind = VALUE_INT;
	expect(&x, "merchant_name", "Merchant name: the value has another type than 'text'");
	done(&x);
}
END_TEST

START_TEST(the_rest_of_a_version_is_checked_too)
{
	struct example x;

	fill(&x);
	x.m.department = STR("财务部");
	expect(&x, "department",
		"department '财务部' does not file in series 'Qualification review record'; these "
		"do: 运营部、质量管理部");
	x.m.department = STR("运营部");
	x.m.day++;
	expect(&x, "date", "the record's date is not that of the field that gives it");
	x.m.day--;
	x.m.definition.b[0] ^= 1;
	expect(&x, "series", "the version does not name this definition of the series");
	x.m.definition.b[0] ^= 1;
	x.m.number = STR("资质审核记录-20250521-001");
	expect(&x, "number",
		"'资质审核记录-20250521-001' is not the number of this record; its rule makes "
		"'资质审核记录-20250520-001'");
	x.m.version = 2;
	expect(&x, NULL, NULL);
	x.m.number = STR("QR-1");
	expect(&x, "number", "'QR-1' was not made by the rule '资质审核记录-{date}-{serial:3}'");
	x.m.drawn = false;
	expect(&x, "number",
		"numbers of series 'Qualification review record' are drawn, not brought");
	x.fields[x.m.field_count++] = (struct field){ STR("extra"), VALUE_OF_INT(1) };
	expect(&x, "extra", "field 'extra' is not known here");
	done(&x);
}
END_TEST

/* DOC-02: the number of a controlled document carries department, type, year and edition. */
START_TEST(doc_02_codes_come_from_the_form)
{
	struct example x = { .series = builtin("doc.yaml"), .arena = arena_new(0) };
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct number_input input;
	struct number_plan plan;
	struct err err = ERR_INIT;
	int64_t day = 0;

	x.m = (struct manifest){ .version = 1,
		.series = STR("DOC"),
		.definition = x.series->sha256,
		.department = STR("质量管理部"),
		.fields = x.fields };
	add_field(&x, "文件类型", "程序文件");
	add_field(&x, "版本号", "1.0");
	ck_ok(form_day(x.series, x.fields, x.m.field_count, 7, &day, &err), err);
	ck_assert_int_eq(day, 7);
	add_field(&x, "批准日期", "2025-05-10");
	ck_ok(form_day(x.series, x.fields, x.m.field_count, 7, &day, &err), err);
	ck_assert_int_eq(day, day_of_date((struct date){ 2025, 5, 10 }));
	x.m.day = day;
	ck_ok(form_number_input(x.series, &x.m, x.arena, &input, &err), err);
	ck_ok(number_plan_make(x.series->number, &input, &plan, &err), err);
	ck_ok(number_plan_add(&plan, 3, &b, &err), err);
	ck_assert_str_eq(b.p, "QMS-QC-CX-2025-03-V1.0");
	ck_assert_str_eq(plan.scope.p, "QMS-QC-CX-2025-*-V*");
	number_plan_done(&plan);
	x.m.number = STR("QMS-QC-CX-2025-V1.0");
	expect(&x, NULL, NULL);
	x.m.number = STR("QMS-QC-CX-V1.0");
	expect(&x, "number",
		"'QMS-QC-CX-V1.0' does not look like "
		"QMS-[A-Z]+-[A-Z]+-\\d{4}(-\\d{2,})?-V\\d+\\.\\d+");
	x.m.department = STR("无");
	ck_fails(form_number_input(x.series, &x.m, x.arena, &input, &err), err, ERR_INVALID);
	done(&x);
}
END_TEST

TESTS("core/model/form", rec_04_dates_times_amounts, rec_08_what_is_sensitive_is_masked,
	choices_lists_and_rows, codes_check_themselves, rec_07_what_is_required,
	the_rest_of_a_version_is_checked_too, doc_02_codes_come_from_the_form)
