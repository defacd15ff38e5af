/**
 * Metrics that ranks accumulate apart and merge: R², root mean squared error, accuracy.
 *
 * <p>Each accumulator gives its state as a short {@code double[]}. To score all ranks' samples,
 * all-gather the states and merge them in rank order; every rank then gets the same bits.
 */
@NullMarked
package dev.lockstep.monitor.metric;

import org.jspecify.annotations.NullMarked;
