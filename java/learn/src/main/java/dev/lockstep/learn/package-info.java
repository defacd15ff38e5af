/**
 * Learners besides neural networks: k-means, random forests and gradient boosted trees over the
 * rows of all ranks of a communicator.
 *
 * <p>A model is a function of the data, the settings and the seed alone: its bytes are the same on
 * any number of ranks, over any transport, wherever the rows lie. What is summed over rows is
 * summed in integers; what is random is a hash of the seed and of the row's content, with a number
 * among rows that are equal.
 */
@NullMarked
package dev.lockstep.learn;

import org.jspecify.annotations.NullMarked;
