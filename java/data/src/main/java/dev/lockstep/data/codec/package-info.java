/** Compression that data formats share: deflate, Zstandard, LZ4, Blosc and byte shuffles. */
@NullMarked
package dev.lockstep.data.codec;

import org.jspecify.annotations.NullMarked;
