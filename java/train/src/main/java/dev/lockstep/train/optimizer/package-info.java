/** Optimisers: gradients to new parameters, in one native pass over ranges of flat memory. */
@NullMarked
package dev.lockstep.train.optimizer;

import org.jspecify.annotations.NullMarked;
