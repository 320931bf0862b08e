/* form_codes.c - see form_codes.h. */
#include "core/model/form_codes.h"
#include "core/base/clock.h"

enum { CODE_BYTES = 18 };

bool form_is_uscc(struct str code)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	enum { MODULUS = sizeof(alphabet) - 1 };
	unsigned sum = 0, weight = 1, check = 0;

	if (code.n != CODE_BYTES)
		return false;
	for (size_t i = 0; i < CODE_BYTES; i++) {
		const char *at = code.p[i] ? strchr(alphabet, code.p[i]) : NULL;

		if (!at)
			return false;
		check = (unsigned)(at - alphabet);
		if (i < CODE_BYTES - 1)
			sum += check * weight;
		weight = weight * 3 % MODULUS;
	}
	return check == (MODULUS - sum % MODULUS) % MODULUS;
}

bool form_is_id_card(struct str code)
{
	static const char checks[] = "10X98765432";
	char born[10];
	struct date date;
	unsigned sum = 0, weight = 1;

	if (code.n != CODE_BYTES)
		return false;
	for (size_t i = CODE_BYTES - 1; i-- > 0;) {
		if (code.p[i] < '0' || code.p[i] > '9')
			return false;
		weight = weight * 2 % 11;
		sum += (unsigned)(code.p[i] - '0') * weight;
	}
	memcpy(born, code.p + 6, 4);
	born[4] = born[7] = '-';
	memcpy(born + 5, code.p + 10, 2);
	memcpy(born + 8, code.p + 12, 2);
	return checks[sum % 11] == code.p[CODE_BYTES - 1] &&
	       date_parse((struct str){ born, sizeof(born) }, &date, NULL) == 0;
}
