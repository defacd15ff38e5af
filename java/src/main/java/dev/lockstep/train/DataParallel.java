package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.data.DistributedSampler.Batch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.VoidTensorHook;
import org.jspecify.annotations.Nullable;

/**
 * Every step sums the ranks' gradients, each weighted by its samples, so that all ranks take the
 * step that one process would take with the joined batch.
 *
 * <p>Gradients are reduced in buckets while backward still computes earlier layers' (Li et al.
 * 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training"). libtorch calls
 * a parameter's hook with its gradient before it accumulates that, on the thread of backward, and
 * tells nobody when it has; the next hook may come a whole layer later. So in the last backward of
 * a step the hook itself accumulates, and libtorch is left with a parameter that has no gradient
 * yet, for which it keeps what the hook was given instead of adding. Buckets start in their planned
 * order, whatever order the hooks come in, because all ranks must reduce in the same order; those
 * that backward did not complete (parameters that the loss did not use) start after it, with zeros.
 *
 * <p>The wish to stop travels in the header of the gradient buffer and costs no message.
 */
final class DataParallel implements Strategy {
  private static final double MIB = 1 << 20;

  private final Communicator communicator;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final List<Bucket> buckets;
  private final int[] bucketOf;
  private final int[] missing;
  private final List<Work> pending = new ArrayList<>();
  // Native code refers to the hooks weakly; this list keeps them alive.
  private final List<GradientHook> hooks = new ArrayList<>();

  private boolean armed;
  private int nextBucket;
  private double batchWeight;
  private long waitedNanos;
  private @Nullable RuntimeException failure;

  DataParallel(
      StrategyConfig config,
      Communicator communicator,
      FlatParameters parameters,
      ModelBuffers buffers) {
    this.communicator = communicator;
    this.parameters = parameters;
    this.buffers = buffers;
    FlatLayout layout = parameters.layout();
    buckets =
        communicator.size() == 1
            ? List.of()
            : Bucket.plan(
                layout, (long) (config.firstBucketMib() * MIB), (long) (config.bucketMib() * MIB));
    bucketOf = Bucket.bucketOfParameter(buckets, layout);
    missing = new int[buckets.size()];
    if (!buckets.isEmpty()) {
      for (int i = 0; i < layout.slots().size(); i++) {
        hooks.add(new GradientHook(i));
      }
    }
  }

  @Override
  public double lossWeight(Batch batch) {
    return batch.weight();
  }

  @Override
  public void begin(Batch batch, boolean stopRequested) {
    batchWeight = batch.weight();
    nextBucket = 0;
    for (int b = 0; b < missing.length; b++) {
      missing[b] = buckets.get(b).parameters().size();
    }
    parameters.gradients().setFlag(stopRequested);
  }

  @Override
  public void lastBackwardBegins() {
    // Backward does not read batch statistics' running means, so they may be merged meanwhile.
    buffers.startMerge(batchWeight);
    hooks.forEach(GradientHook::takeOver);
    armed = true;
  }

  private void gradientComplete(int parameter) {
    missing[bucketOf[parameter]]--;
    while (nextBucket < buckets.size() && missing[nextBucket] == 0) {
      startNextBucket();
    }
  }

  private void startNextBucket() {
    Bucket bucket = buckets.get(nextBucket);
    nextBucket++;
    pending.add(
        communicator.allReduceAsync(
            parameters.gradients().span(bucket.group(), bucket.from(), bucket.count()),
            ReduceOp.SUM));
  }

  @Override
  public void gradientsComputed() {
    armed = false;
    hooks.forEach(GradientHook::giveBack);
    if (failure != null) {
      throw failure;
    }
    while (nextBucket < buckets.size()) {
      startNextBucket();
    }
    long start = System.nanoTime();
    buffers.finishMerge();
    for (Work work : pending) {
      work.await();
    }
    pending.clear();
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
  public void close() {
    armed = false;
    Works.settle(pending);
    hooks.forEach(GradientHook::remove);
  }

  /** Of one parameter. */
  private final class GradientHook extends VoidTensorHook {
    private final int parameter;
    private final int handle;
    private final Tensor sum;
    private final Tensor gradient;

    GradientHook(int parameter) {
      this.parameter = parameter;
      retainReference();
      sum = parameters.gradients().view(parameters.layout().slots().get(parameter));
      sum.retainReference();
      gradient = parameters.parameter(parameter).mutable_grad();
      handle = parameters.parameter(parameter).register_hook(this);
    }

    /** From here on libtorch finds no gradient to add to. */
    void takeOver() {
      gradient.reset();
    }

    void giveBack() {
      gradient.put(sum);
    }

    @Override
    public void call(TensorBase computed) {
      if (!armed || failure != null) {
        return;
      }
      try (Tensor term = new Tensor(computed)) {
        sum.add_(term);
        gradientComplete(parameter);
      } catch (RuntimeException e) {
        // Through libtorch's frames it would lose its type; gradientsComputed() throws it.
        failure = e;
      }
    }

    void remove() {
      giveBack();
      parameters.parameter(parameter).remove_hook(handle);
      sum.close();
      close();
    }
  }
}
