/**
 * How ranks work together. A strategy is a {@link dev.lockstep.train.strategy.StrategyProvider}
 * that composes the parts of a step; {@link java.util.ServiceLoader} finds it by its {@code type}.
 */
@NullMarked
package dev.lockstep.train.strategy;

import org.jspecify.annotations.NullMarked;
