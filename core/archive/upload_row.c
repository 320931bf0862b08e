/* upload_row.c - what state.db keeps of an upload; see upload.h. */
#include "core/archive/upload.h"

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/base/tr.h"

enum { ROW_VERSION = 1, ROW_FINISHED = 1, ROW_HEAD = 2 + 32 + 8 + 8 + 32 };

static void add_text(struct buf *b, struct str text)
{
	buf_add_be16(b, (uint16_t)text.n);
	buf_add_str(b, text);
}

void upload_row_add(const struct upload_row *row, struct buf *ret)
{
	buf_addc(ret, ROW_VERSION);
	buf_addc(ret, row->is_finished ? ROW_FINISHED : 0);
	buf_add(ret, row->key, sizeof(row->key));
	buf_add_be64(ret, row->bytes);
	buf_add_be64(ret, (uint64_t)row->ends);
	buf_add(ret, row->sha256.b, sizeof(row->sha256.b));
	add_text(ret, row->name);
	add_text(ret, row->media);
}

static bool take_text(struct str *from, size_t max, struct str *ret)
{
	size_t n;

	if (from->n < 2)
		return false;
	n = get_be16((const uint8_t *)from->p);
	if (n > max || from->n - 2 < n)
		return false;
	*ret = (struct str){ from->p + 2, n };
	from->p += 2 + n;
	from->n -= 2 + n;
	return str_is_utf8(*ret);
}

int upload_row_parse(struct str value, struct upload_row *ret, struct err *err)
{
	const uint8_t *p = (const uint8_t *)value.p;
	struct str rest = { value.p + ROW_HEAD, value.n - ROW_HEAD };
	struct upload_row row;

	if (value.n < ROW_HEAD || p[0] != ROW_VERSION || p[1] > ROW_FINISHED)
		return err_set(err, ERR_CORRUPT, tr("what is kept of an upload is damaged"));
	row = (struct upload_row){ .is_finished = p[1] & ROW_FINISHED,
		.bytes = get_be64(p + 34),
		.ends = (int64_t)get_be64(p + 42) };
	memcpy(row.key, p + 2, sizeof(row.key));
	memcpy(row.sha256.b, p + 50, sizeof(row.sha256.b));
	if (row.bytes > (uint64_t)INT64_MAX || row.ends < 0 ||
		!take_text(&rest, UPLOAD_NAME_MAX, &row.name) || row.name.n == 0 ||
		!take_text(&rest, UPLOAD_MEDIA_MAX, &row.media) || rest.n != 0)
		return err_set(err, ERR_CORRUPT, tr("what is kept of an upload is damaged"));
	*ret = row;
	return 0;
}
