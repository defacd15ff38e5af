package dev.lockstep.train.engine;

import dev.lockstep.train.ScheduleConfig;

/**
 * The learning rate as a function of the optimiser step, so that a resumed run needs the step
 * alone.
 *
 * @param config its shape
 * @param initial the learning rate that it starts from
 * @param stepsPerEpoch optimiser steps of an epoch
 * @param totalSteps optimiser steps of the whole run
 */
public record Schedule(ScheduleConfig config, double initial, int stepsPerEpoch, long totalSteps) {

  /**
   * The learning rate of a step, counted from 0.
   *
   * @throws IllegalArgumentException if the step is negative, where it would be no learning rate
   */
  public double learningRate(long step) {
    if (step < 0) {
      throw new IllegalArgumentException("there is no step " + step);
    }
    int warmup = config.warmupSteps();
    if (step < warmup) {
      return initial * (step + 1) / (warmup + 1);
    }
    return switch (config.type()) {
      case CONSTANT -> initial;
      case STEP ->
          initial * StrictMath.pow(config.gamma(), step / stepsPerEpoch / config.stepEpochs());
      case COSINE -> cosine(step - warmup, totalSteps - warmup);
    };
  }

  private double cosine(long step, long steps) {
    double minimum = Math.min(config.minimum(), initial);
    double part = Math.min(1.0, step / (double) Math.max(1, steps - 1));
    return minimum + (initial - minimum) * (1 + StrictMath.cos(Math.PI * part)) / 2;
  }
}
