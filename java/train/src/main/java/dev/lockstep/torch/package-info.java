/**
 * libtorch beside Lockstep: loading it without a crash, and its tensors as the spans that a
 * communicator takes.
 */
@NullMarked
package dev.lockstep.torch;

import org.jspecify.annotations.NullMarked;
