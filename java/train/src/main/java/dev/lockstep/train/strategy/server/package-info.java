/**
 * The strategy {@code parameter_server}: servers keep the parameters, workers push gradients. See
 * {@link dev.lockstep.train.strategy.server.ParameterServerStrategy}.
 */
@NullMarked
package dev.lockstep.train.strategy.server;

import org.jspecify.annotations.NullMarked;
