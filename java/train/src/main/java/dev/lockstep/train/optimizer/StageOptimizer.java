package dev.lockstep.train.optimizer;

import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.TrainingException;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.Distribution;
import dev.lockstep.train.memory.FlatParameters;

/**
 * Each rank updates the parameters that it has, and keeps their state alone. Every step updates all
 * of them.
 */
public final class StageOptimizer extends LocalOptimizer {
  private final Distribution distribution;

  /**
   * @param parameters this rank's
   * @param distribution of all parameters
   */
  public StageOptimizer(
      OptimizerConfig config, FlatParameters parameters, Distribution distribution) {
    super(config, parameters);
    this.distribution = distribution.withLayout(stateLayout(distribution.whole()));
  }

  @Override
  public void declare(TrainingState all) {
    state().forEach((name, flat) -> all.distributed("optimizer." + name + ".", flat, distribution));
    all.value(
        "optimizer_steps",
        this::savedSteps,
        saved -> {
          if (saved.size() != 1) {
            throw new TrainingException(
                "The checkpoint is of a run whose steps left out some of the parameters, which"
                    + " ranks with parts of a model do not do; resume with strategy.type: data_parallel.");
          }
          restoreSteps(saved);
        });
  }
}
