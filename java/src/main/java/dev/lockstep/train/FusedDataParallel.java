package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.FlatLayout.Group;
import java.util.List;

/**
 * As {@link DataParallel}, on one host: gradients are summed by the optimiser's own pass ({@link
 * FusedOptimizer}), each rank a slice, and never written back. Only where they are clipped by their
 * norm, which needs them all, are they summed first. The result has the same bits.
 */
final class FusedDataParallel implements Strategy {
  private final Communicator communicator;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final boolean clips;
  private double batchWeight;
  private long waitedNanos;

  /**
   * @param clips whether gradients are clipped before the optimiser's step
   */
  FusedDataParallel(
      Communicator communicator,
      FlatParameters parameters,
      ModelBuffers buffers,
      FusedOptimizer optimizer,
      boolean clips) {
    this.communicator = communicator;
    this.parameters = parameters;
    this.buffers = buffers;
    optimizer.setGradientsAreReduced(clips);
    this.clips = clips;
  }

  @Override
  public double lossWeight(Batch batch) {
    return batch.weight();
  }

  @Override
  public void begin(Batch batch, boolean stopRequested) {
    batchWeight = batch.weight();
    parameters.gradients().setFlag(stopRequested);
  }

  @Override
  public void lastBackwardBegins() {
    buffers.startMerge(batchWeight);
  }

  @Override
  public void gradientsComputed() {
    long start = System.nanoTime();
    buffers.finishMerge();
    FlatBuffers gradients = parameters.gradients();
    List<Group> groups = parameters.layout().groups();
    for (int i = 0; clips && i < groups.size(); i++) {
      communicator.allReduce(gradients.span(i), ReduceOp.SUM);
    }
    Span flag = gradients.span(0, -parameters.layout().headerElements(0), 1);
    communicator.allReduce(flag, ReduceOp.SUM);
    waitedNanos += System.nanoTime() - start;
  }

  @Override
  public boolean parametersUpdated(boolean lastOfEpoch) {
    return parameters.gradients().flag();
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  @Override
  public void close() {}
}
