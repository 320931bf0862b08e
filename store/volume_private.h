/* volume_private.h - what the files of the volume module share. */
#ifndef MUN_STORE_VOLUME_PRIVATE_H
#define MUN_STORE_VOLUME_PRIVATE_H

#include "store/volume.h"

/* Descriptor of the repository's folder, owned by the volume. */
int volume_dir(const struct volume *v);

#endif
