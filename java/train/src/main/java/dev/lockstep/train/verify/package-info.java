/** Verification of strategies: what a run with one must do, whatever happens to its ranks. */
@NullMarked
package dev.lockstep.train.verify;

import org.jspecify.annotations.NullMarked;
