/**
 * How the changes of a round's clients become one, in the open, with noise or in secret, and how
 * the server steps along it.
 */
@NullMarked
package dev.lockstep.federated.aggregation;

import org.jspecify.annotations.NullMarked;
