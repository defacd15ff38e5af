package dev.lockstep.train.strategy;

import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.TrainingConfig;
import java.util.OptionalDouble;
import java.util.function.UnaryOperator;

/**
 * Options with which {@code lockstep verify strategy} runs a strategy, and what it then asks of it.
 *
 * @param name of the row in the table, for example {@code average_every 1}
 * @param options what the configuration would say
 * @param optimizer with which the claims hold
 * @param tolerance how far the parameters may be from those of data-parallel training after a few
 *     epochs: |a − b| ÷ |b| in the 2-norm, 0 for the same bits. Empty where the setting is other
 *     mathematics
 * @param repeatable whether equal runs give equal bits, however long messages take
 * @param training what the run's {@code training} section says beyond the kit's
 * @param survives whether the others may go on when a rank dies, instead of ending with an error
 */
public record VerifiedSetting<O extends Record>(
    String name,
    O options,
    OptimizerConfig optimizer,
    OptionalDouble tolerance,
    boolean repeatable,
    UnaryOperator<TrainingConfig> training,
    boolean survives) {
  /** Plain SGD, for whose step the sum of gradients is all that counts. */
  public static final OptimizerConfig SGD =
      OptimizerConfig.of(Type.SGD, 0.05, null, null, null, null, null, null, null);

  /** SGD with momentum. */
  public static final OptimizerConfig MOMENTUM =
      OptimizerConfig.of(Type.SGD, 0.02, 0.9, null, null, null, null, null, null);

  /** Adam. */
  public static final OptimizerConfig ADAM =
      OptimizerConfig.of(Type.ADAM, 0.002, null, null, null, null, null, null, null);

  /** A setting that must give data-parallel training's result, within the tolerance. */
  public static <O extends Record> VerifiedSetting<O> equal(
      String name, O options, OptimizerConfig optimizer, double tolerance) {
    return new VerifiedSetting<>(
        name,
        options,
        optimizer,
        OptionalDouble.of(tolerance),
        true,
        UnaryOperator.identity(),
        false);
  }

  /** A setting of other mathematics, whose result yet does not depend on timing. */
  public static <O extends Record> VerifiedSetting<O> repeatable(
      String name, O options, OptimizerConfig optimizer) {
    return new VerifiedSetting<>(
        name, options, optimizer, OptionalDouble.empty(), true, UnaryOperator.identity(), false);
  }

  /** A setting whose result depends on which message comes first. */
  public static <O extends Record> VerifiedSetting<O> dependingOnTiming(
      String name, O options, OptimizerConfig optimizer) {
    return new VerifiedSetting<>(
        name, options, optimizer, OptionalDouble.empty(), false, UnaryOperator.identity(), false);
  }

  /** The same with other keys in the run's {@code training} section. */
  public VerifiedSetting<O> withTraining(UnaryOperator<TrainingConfig> keys) {
    return new VerifiedSetting<>(name, options, optimizer, tolerance, repeatable, keys, survives);
  }

  /** The same, where the others may go on when a rank dies. */
  public VerifiedSetting<O> surviving() {
    return new VerifiedSetting<>(name, options, optimizer, tolerance, repeatable, training, true);
  }
}
