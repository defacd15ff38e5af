/**
 * Tensor parallelism: the layers of a model are computed by several ranks together, each with a
 * slice of their width.
 */
@NullMarked
package dev.lockstep.train.strategy.tensor;

import org.jspecify.annotations.NullMarked;
