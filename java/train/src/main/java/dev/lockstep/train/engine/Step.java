package dev.lockstep.train.engine;

import dev.lockstep.data.DistributedSampler.Batch;
import java.util.List;
import java.util.Set;

/**
 * One step, as it is handed to a {@link Role}.
 *
 * @param number steps before it since the run began; also seeds random numbers within the model
 * @param batch this rank's share of the global batch
 * @param pieces the batch, cut
 * @param learningRate of the update
 * @param lossSum the sum of the losses of this rank's samples in the epoch so far, to be added to,
 *     so that a resumed run adds in the same order
 */
public record Step(
    long number,
    Batch batch,
    List<MicroBatch> pieces,
    double learningRate,
    double lossSum,
    Needs needs) {
  /** Before the first. */
  public static final Step NONE =
      new Step(-1, new Batch(new long[0], 0, 0, 1), List.of(), 0, 0, new Needs(false, Set.of()));

  public Step {
    pieces = List.copyOf(pieces);
  }
}
