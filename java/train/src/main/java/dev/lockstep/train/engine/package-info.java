/** One training step and the parts that it is composed of. */
@NullMarked
package dev.lockstep.train.engine;

import org.jspecify.annotations.NullMarked;
