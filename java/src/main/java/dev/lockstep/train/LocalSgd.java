package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DistributedSampler.Batch;

/**
 * Ranks train on their own and average their parameters every few steps (Stich 2019, "Local SGD
 * converges fast and communicates little"), and with them the optimiser's state (Yu et al. 2019,
 * "On the linear speedup analysis of communication efficient momentum SGD"), so that all ranks are
 * equal after an average and a checkpoint holds all there is.
 *
 * <p>A rank's gradient is weighted by its share of the batch times the number of ranks; averaging
 * after every step of plain SGD is then data-parallel training, uneven batches included.
 *
 * <p>The wish to stop travels in the header of the parameter buffer, and is heard at an average.
 */
final class LocalSgd implements Strategy {
  private final Communicator communicator;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Optimizer optimizer;
  private final int averageEvery;
  private boolean stopRequested;
  private long waitedNanos;

  LocalSgd(
      StrategyConfig config,
      Communicator communicator,
      FlatParameters parameters,
      ModelBuffers buffers,
      Optimizer optimizer) {
    this.communicator = communicator;
    this.parameters = parameters;
    this.buffers = buffers;
    this.optimizer = optimizer;
    averageEvery = config.averageEvery();
  }

  @Override
  public double lossWeight(Batch batch) {
    return batch.weight() * communicator.size();
  }

  @Override
  public void begin(Batch batch, boolean stopRequested) {
    this.stopRequested |= stopRequested;
  }

  @Override
  public void lastBackwardBegins() {}

  @Override
  public void gradientsComputed() {}

  @Override
  public boolean parametersUpdated(boolean lastOfEpoch) {
    if (!lastOfEpoch && optimizer.steps() % averageEvery != 0) {
      return false;
    }
    parameters.values().setFlag(stopRequested);
    long start = System.nanoTime();
    buffers.startMerge(1.0 / communicator.size());
    average(parameters.values(), true);
    for (FlatBuffers state : optimizer.state().values()) {
      average(state, false);
    }
    buffers.finishMerge();
    waitedNanos += System.nanoTime() - start;
    return parameters.values().flag();
  }

  private void average(FlatBuffers flat, boolean withFlag) {
    FlatLayout layout = flat.layout();
    for (int group = 0; group < layout.groups().size(); group++) {
      long header = withFlag && group == 0 ? layout.headerElements(0) : 0;
      long count = layout.groups().get(group).count();
      communicator.allReduce(flat.span(group, -header, header + count), ReduceOp.AVERAGE);
    }
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  @Override
  public void close() {}
}
