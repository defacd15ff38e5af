package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DistributedSampler.Batch;

/**
 * How ranks work together. It comes into the trainer's step at two places, when gradients are being
 * computed and when parameters have been updated, and nowhere else.
 *
 * <p>A step calls {@link #begin}, {@link #lastBackwardBegins} and {@link #gradientsComputed}, then
 * the optimiser, then {@link #parametersUpdated}. The methods are collective: every rank calls
 * them, with or without samples. One thread.
 */
interface Strategy extends AutoCloseable {

  /**
   * The strategy that a configuration names.
   *
   * @param clips whether gradients are clipped by their norm before the optimiser's step
   */
  static Strategy of(
      StrategyConfig config,
      Communicator communicator,
      FlatParameters parameters,
      ModelBuffers buffers,
      Optimizer optimizer,
      boolean clips) {
    return switch (config.type()) {
      case DATA_PARALLEL ->
          optimizer instanceof FusedOptimizer fused
              ? new FusedDataParallel(communicator, parameters, buffers, fused, clips)
              : new DataParallel(config, communicator, parameters, buffers);
      case LOCAL_SGD -> new LocalSgd(config, communicator, parameters, buffers, optimizer);
    };
  }

  /** What this rank's mean loss over its samples is multiplied by before backward. */
  double lossWeight(Batch batch);

  /**
   * A step begins; the gradients are zero.
   *
   * @param stopRequested whether this rank wants to stop after the step
   */
  void begin(Batch batch, boolean stopRequested);

  /** The backward pass that completes the gradients is about to begin. */
  void lastBackwardBegins();

  /** This rank's gradients are complete; on return they are what the optimiser shall use. */
  void gradientsComputed();

  /**
   * The optimiser has updated the parameters.
   *
   * @param lastOfEpoch whether what follows needs parameters that are equal on all ranks
   * @return whether all ranks agree to stop now; the parameters are equal on all ranks then
   */
  boolean parametersUpdated(boolean lastOfEpoch);

  /** Seconds that this rank has waited for others. */
  double waitedSeconds();

  @Override
  void close();
}
