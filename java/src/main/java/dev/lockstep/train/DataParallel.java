package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.data.DistributedSampler.Batch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.VoidTensorHook;
import org.jspecify.annotations.Nullable;

/**
 * Every step sums the ranks' gradients, each weighted by its samples, so that all ranks take the
 * step that one process would take with the joined batch.
 *
 * <p>Gradients are reduced in buckets while backward still computes earlier layers' (Li et al.
 * 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training"). libtorch calls
 * a parameter's hook before it accumulates that parameter's gradient, on the thread of backward; so
 * when a hook is called, the gradients of all hooks before it are complete. Buckets start in their
 * planned order, whatever order the hooks come in, because all ranks must reduce in the same order;
 * those that backward did not complete (parameters that the loss did not use) start after it, with
 * zeros.
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
  private int computing;
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
    computing = -1;
    for (int b = 0; b < missing.length; b++) {
      missing[b] = buckets.get(b).parameters().size();
    }
    parameters.gradients().setFlag(stopRequested);
  }

  @Override
  public void lastBackwardBegins() {
    // Backward does not read batch statistics' running means, so they may be merged meanwhile.
    buffers.startMerge(batchWeight);
    armed = true;
  }

  private void hookCalled(int parameter) {
    if (!armed || failure != null) {
      return;
    }
    try {
      if (computing >= 0) {
        gradientComplete(computing);
      }
      computing = parameter;
    } catch (RuntimeException e) {
      // Through libtorch's frames it would lose its type; gradientsComputed() throws it.
      failure = e;
    }
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

  private final class GradientHook extends VoidTensorHook {
    private final int parameter;
    private final int handle;

    GradientHook(int parameter) {
      this.parameter = parameter;
      retainReference();
      handle = parameters.parameter(parameter).register_hook(this);
    }

    @Override
    public void call(TensorBase gradient) {
      hookCalled(parameter);
    }

    void remove() {
      parameters.parameter(parameter).remove_hook(handle);
      close();
    }
  }
}
