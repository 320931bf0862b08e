/* clock.c - see clock.h. */
#include "core/base/clock.h"
#include "core/base/tr.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { SHANGHAI_SECONDS = 8 * 3600, DAY_SECONDS = 86400 };

static _Atomic int64_t standing = -1;

int64_t clock_now(void)
{
	int64_t at = atomic_load(&standing);

	return at >= 0 ? at : (int64_t)time(NULL);
}

void clock_set(int64_t instant)
{
	atomic_store(&standing, instant);
}

int64_t clock_ticks(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t day_of(int64_t instant)
{
	return floor_div(instant + SHANGHAI_SECONDS, DAY_SECONDS);
}

/* Years of 365.2425 days that begin in March, so that the leap day is a year's last. */
int64_t day_of_date(struct date date)
{
	int64_t y = date.month <= 2 ? date.year - 1 : date.year;
	int64_t era = floor_div(y, 400), year = y - era * 400;
	int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
	int64_t day = (153 * month + 2) / 5 + date.day - 1;

	return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

struct date date_of_day(int64_t number)
{
	int64_t z = number + 719468, era = floor_div(z, 146097), n = z - era * 146097;
	int64_t year = (n - n / 1460 + n / 36524 - n / 146096) / 365;
	int64_t day = n - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day + 2) / 153;
	struct date date = { .day = (int)(day - (153 * month + 2) / 5 + 1),
		.month = (int)(month < 10 ? month + 3 : month - 9) };

	date.year = (int)(year + era * 400 + (date.month <= 2));
	return date;
}

int date_parse(struct str text, struct date *ret, struct err *err)
{
	struct date date, back;

	if (text.n == 10 && text.p[4] == '-' && text.p[7] == '-') {
		int v[3] = { 0, 0, 0 };
		bool digits = true;

		for (size_t i = 0, field = 0; i < 10; i++) {
			if (i == 4 || i == 7) {
				field++;
				continue;
			}
			digits = digits && text.p[i] >= '0' && text.p[i] <= '9';
			v[field] = v[field] * 10 + (text.p[i] - '0');
		}
		date = (struct date){ v[0], v[1], v[2] };
		if (digits && date.year >= 1900 && date.year <= 2999 && date.month >= 1 &&
			date.month <= 12 && date.day >= 1) {
			back = date_of_day(day_of_date(date));
			if (back.month == date.month && back.day == date.day) {
				*ret = date;
				return 0;
			}
		}
	}
	return err_set(err, ERR_INVALID, tr("'%.*s' is not a date; write it as 2026-11-21"),
		STR_ARG(text));
}

/* "09:02" or "09:02:11" as seconds of a day; -1 when it is neither. */
static int64_t time_of_day(struct str text)
{
	int64_t v[3] = { 0, 0, 0 };

	if (text.n != 5 && text.n != 8)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		if (i % 3 == 2 ? text.p[i] != ':' : text.p[i] < '0' || text.p[i] > '9')
			return -1;
		if (i % 3 != 2)
			v[i / 3] = v[i / 3] * 10 + (text.p[i] - '0');
	}
	return v[0] > 23 || v[1] > 59 || v[2] > 59 ? -1 : v[0] * 3600 + v[1] * 60 + v[2];
}

/* Date, one sign between, time; seconds since 1970 as if it were UTC. */
static int parse_instant(struct str text, char between, int64_t *ret)
{
	struct date date;
	int64_t seconds;

	if (text.n < 12 || text.p[10] != between ||
		date_parse((struct str){ text.p, 10 }, &date, NULL) < 0)
		return -ERR_INVALID;
	seconds = time_of_day((struct str){ text.p + 11, text.n - 11 });
	if (seconds < 0)
		return -ERR_INVALID;
	*ret = day_of_date(date) * DAY_SECONDS + seconds;
	return 0;
}

int instant_parse(struct str text, int64_t *ret, struct err *err)
{
	struct str inner = { text.p, text.n ? text.n - 1 : 0 };

	if (text.n != 20 || text.p[19] != 'Z' || parse_instant(inner, 'T', ret) < 0)
		return err_set(err, ERR_INVALID,
			tr("'%.*s' is not an instant; write it as 2026-11-21T09:02:11Z"),
			STR_ARG(text));
	return 0;
}

int instant_parse_local(struct str text, int64_t *ret, struct err *err)
{
	int64_t instant;

	if (parse_instant(text, ' ', &instant) < 0)
		return err_set(err, ERR_INVALID,
			tr("'%.*s' is not a date with time; write it as 2026-11-21 17:02"),
			STR_ARG(text));
	*ret = instant - SHANGHAI_SECONDS;
	return 0;
}

/* The last two digits; returns the place behind them. By hand: every record that is filed has a date or three. */
static char *put_two(char *out, int v)
{
	out[0] = (char)('0' + v / 10 % 10);
	out[1] = (char)('0' + v % 10);
	return out + 2;
}

char *date_format(int64_t day, char out[11])
{
	struct date date = date_of_day(day);

	put_two(put_two(out, date.year / 100), date.year);
	out[4] = '-';
	put_two(out + 5, date.month);
	out[7] = '-';
	put_two(out + 8, date.day);
	out[10] = '\0';
	return out;
}

char *instant_format(int64_t instant, char out[21])
{
	int64_t day = floor_div(instant, DAY_SECONDS), s = instant - day * DAY_SECONDS;

	(void)date_format(day, out);
	out[10] = 'T';
	put_two(out + 11, (int)(s / 3600));
	out[13] = ':';
	put_two(out + 14, (int)(s / 60 % 60));
	out[16] = ':';
	put_two(out + 17, (int)(s % 60));
	out[19] = 'Z';
	out[20] = '\0';
	return out;
}

char *instant_format_local(int64_t instant, char out[17])
{
	int64_t day = day_of(instant), s = instant + SHANGHAI_SECONDS - day * DAY_SECONDS;
	char date[11];

	(void)snprintf(out, 17, "%s %02u:%02u", date_format(day, date), (unsigned)(s / 3600) % 100,
		(unsigned)(s / 60 % 60));
	return out;
}
