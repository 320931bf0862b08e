/* numbering.c - a rule (first line) that is accepted reads every number it makes; any number
 * (second line) may be asked. */
#include "core/model/numbering.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct number_rule *rule, uint64_t serial)
{
	static const struct number_code codes[] = { { STR("department"), STR("QC") },
		{ STR("type"), STR("CX") }, { STR("a"), STR("x.1") } };
	const struct number_input input = {
		.day = 20228, .codes = codes, .code_count = 3, .version = STR("1.0")
	};
	struct number_plan plan;
	struct buf b = BUF_INIT, scope = BUF_INIT;
	uint64_t back = 0;

	if (number_plan_make(rule, &input, &plan, NULL) < 0)
		return;
	if (number_plan_add(&plan, serial, &b, NULL) == 0)
		if (number_read(rule, buf_str(&b), &scope, &back, NULL) < 0 ||
			!str_eq(buf_str(&scope), buf_str(&plan.scope)) ||
			back != (number_rule_has_serial(rule) ? serial : 0))
			abort();
	number_plan_done(&plan);
	buf_done(&b);
	buf_done(&scope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, text = str_cut(&rest, '\n');
	struct number_rule *rule;

	if (number_rule_parse(text, &rule, NULL) < 0)
		return 0;
	round_trip(rule, 1);
	round_trip(rule, 987);
	if (rest.p)
		(void)number_read(rule, rest, NULL, NULL, NULL);
	number_rule_free(rule);
	return 0;
}
