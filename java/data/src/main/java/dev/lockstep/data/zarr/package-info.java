/**
 * A reader of Zarr stores, versions 2 and 3, in folders and zip archives, with the conventions of
 * xarray. {@link dev.lockstep.data.zarr.ZarrFile} is the door; {@code ZarrStore} gives the bytes of
 * keys, {@code ZarrMetadata} finds the arrays, {@code ZarrArray} is one of them, {@code ZarrCodec}
 * decodes chunks.
 */
@NullMarked
package dev.lockstep.data.zarr;

import org.jspecify.annotations.NullMarked;
