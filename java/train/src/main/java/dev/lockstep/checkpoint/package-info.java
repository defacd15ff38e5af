/**
 * Checkpoints: a training run's complete state on disk, written atomically and read back bit for
 * bit.
 *
 * <p>This package knows no tensor library. A {@link dev.lockstep.checkpoint.Checkpoint} is a step
 * number, named blocks of little-endian bytes, and a JSON document; the trainer decides what they
 * mean.
 */
@NullMarked
package dev.lockstep.checkpoint;

import org.jspecify.annotations.NullMarked;
