/**
 * The flat native memory in which libtorch works while a model trains: parameters, gradients, other
 * tensors and optimiser state. Internal to training and to strategies.
 */
@NullMarked
package dev.lockstep.train.memory;

import org.jspecify.annotations.NullMarked;
