/** Sums of gradients over ranks in fewer bytes than the gradients have. */
@NullMarked
package dev.lockstep.train.compression;

import org.jspecify.annotations.NullMarked;
