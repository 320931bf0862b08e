/* verify_packs.c - the files that hold the objects, byte for byte against their own checksums.
 *
 * What the history names is read and checked object by object elsewhere. But a pack also holds what nothing names
 * any more (older trees of the content branch), and an index holds sums and offsets that no check of an object
 * meets: a byte that changed there changes no answer today, and is still a sign that a disk or a person is at work. */
#include "store/pack.h"
#include "store/verify_private.h"

#include "core/base/hex.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <stdlib.h>

static void check_pack(struct verify *v, uint32_t volume, int dir, const struct oid *name)
{
	_cleanup_(pack_closep) struct pack_reader *pack = NULL;
	struct err why = ERR_INIT;
	char hex[OID_TEXT], where[sizeof("pack-") + OID_TEXT];
	int r = pack_open(dir, name, &pack, &why);

	if (r == 0)
		r = pack_check_sums(pack, &why);
	if (r == 0 || r == -ERR_NOTFOUND) /* merged into another, meanwhile */
		return;
	(void)snprintf(where, sizeof(where), "pack-%s", hex_encode(name->b, OID_BYTES, hex));
	verify_found(v, FAULT_PACK, volume, where, "%s", why.text);
}

int verify_packs(struct verify *v, uint32_t number, struct err *err)
{
	_cleanup_(freep) struct oid *packs = NULL;
	struct volume *volume;
	size_t count = 0;
	int r = store_volume(v->store, number, &volume, err);

	if (r == 0)
		r = pack_list(volume_pack_dir(volume), &packs, &count, err);
	if (r < 0)
		return r;
	v->total += count;
	for (size_t i = 0; i < count; i++) {
		if (verify_step(v))
			return err_set(
				err, ERR_CANCELLED, tr("stopped before everything was checked"));
		check_pack(v, number, volume_pack_dir(volume), &packs[i]);
	}
	return 0;
}
