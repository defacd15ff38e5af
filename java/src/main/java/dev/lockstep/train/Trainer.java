package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.model.Model;
import dev.lockstep.model.TrainingPass;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The loop: samples to loss to gradients to new parameters. How ranks work together is the {@link
 * Strategy}'s. One thread.
 */
final class Trainer {
  private final Model model;
  private final FlatParameters parameters;
  private final Optimizer optimizer;
  private final Strategy strategy;
  private final DistributedSampler sampler;
  private final BatchReader reader;
  private final Loss loss;
  private final Schedule schedule;
  private final Communicator communicator;
  private final AtomicBoolean stopRequested;
  private final int accumulationSteps;
  private final @Nullable Double clipNorm;
  private final long seed;

  /** The sum of the losses of this rank's samples in this epoch so far. */
  private double lossSum;

  Trainer(
      TrainingPlan plan,
      Model model,
      TrainingMemory memory,
      Strategy strategy,
      DistributedSampler sampler,
      BatchReader reader,
      Loss loss,
      Schedule schedule,
      Communicator communicator,
      AtomicBoolean stopRequested) {
    this.model = model;
    this.parameters = memory.parameters();
    this.optimizer = memory.optimizer();
    this.strategy = strategy;
    this.sampler = sampler;
    this.reader = reader;
    this.loss = loss;
    this.schedule = schedule;
    this.communicator = communicator;
    this.stopRequested = stopRequested;
    accumulationSteps = plan.training().accumulationSteps();
    clipNorm = plan.training().clipNorm();
    seed = plan.seed();
  }

  /**
   * Trains to the end of the sampler's epoch, or until the ranks agree to stop; collective.
   *
   * @param stepFinished hears the number of steps done in the epoch
   * @return whether the ranks agreed to stop
   */
  boolean trainEpoch(IntConsumer stepFinished) {
    boolean stopped = false;
    while (sampler.hasNext() && !stopped) {
      stopped = step(sampler.next());
      stepFinished.accept(sampler.position().step());
    }
    return stopped;
  }

  private boolean step(DistributedSampler.Batch batch) {
    // Random numbers within the model depend on seed, step and rank alone, so they need no state.
    torch.manual_seed(RandomSeeds.of(seed, optimizer.steps(), communicator.rank()));
    parameters.gradients().zero();
    strategy.begin(batch, stopRequested.get());
    int pieces = Math.max(1, Math.min(accumulationSteps, batch.count()));
    for (int piece = 0; piece < pieces; piece++) {
      int from = (int) ((long) batch.count() * piece / pieces);
      int to = (int) ((long) batch.count() * (piece + 1) / pieces);
      accumulateGradients(batch, from, to, piece + 1 == pieces);
    }
    strategy.gradientsComputed();
    if (clipNorm != null) {
      parameters.clipGradients(clipNorm);
    }
    optimizer.step(schedule.learningRate(optimizer.steps()));
    return strategy.parametersUpdated(!sampler.hasNext());
  }

  private void accumulateGradients(DistributedSampler.Batch batch, int from, int to, boolean last) {
    if (from == to) {
      strategy.lastBackwardBegins();
      return;
    }
    try (PointerScope scope = new PointerScope()) {
      BatchReader.Samples samples = reader.read(batch.indices(), batch.from() + from, to - from);
      TrainingPass pass = model.trainingPass(samples.inputs());
      Tensor mean = loss.mean(pass.output(), samples.targets());
      lossSum += mean.item_double() * (to - from);
      if (last) {
        strategy.lastBackwardBegins();
      }
      double weight = strategy.lossWeight(batch) * (to - from) / batch.count();
      pass.backward(weight == 1 ? mean : mean.mul(new Scalar(weight)));
    }
  }

  /** Mean loss of the epoch that has ended, over all ranks' samples; collective. */
  double takeEpochLoss(long samples) {
    double sum = communicator.allReduce(new double[] {lossSum}, ReduceOp.SUM)[0];
    lossSum = 0;
    return sum / samples;
  }

  /** This rank's sum of losses in the epoch that is under way, for a checkpoint. */
  double lossSum() {
    return lossSum;
  }

  /** Goes on with a sum that {@link #lossSum} gave. */
  void resumeLossSum(double sum) {
    lossSum = sum;
  }
}
