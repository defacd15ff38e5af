/**
 * What a federation is told: one immutable record for each key of the section {@code federation},
 * and the plan that they make with model and optimiser. Ranges are checked when a record is made.
 */
@NullMarked
package dev.lockstep.federated.config;

import org.jspecify.annotations.NullMarked;
