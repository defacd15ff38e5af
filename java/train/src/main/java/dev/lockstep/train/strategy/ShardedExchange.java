package dev.lockstep.train.strategy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
import dev.lockstep.jni.Native;
import dev.lockstep.model.PassListener;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.Shard;
import dev.lockstep.train.memory.Works;
import dev.lockstep.train.optimizer.Optimizer;
import dev.lockstep.train.optimizer.ShardedOptimizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Each rank sums a slice of every bucket of gradients, and after the update gives the others its
 * slice of the parameters (Rajbhandari et al. 2020, "ZeRO", section 5). Together that is as many
 * bytes as an all-reduce.
 *
 * <p>With gradients in {@link BucketMemory} (stage 2) a bucket's memory is given back once its
 * slices are summed, and backward waits when more than two buckets are on the wire: a rank then
 * never has more of the gradients than its slice and a few buckets. The slices of parameters begin
 * to travel in the order in which a forward pass reads them, last bucket first; each stage of the
 * next forward pass waits for those that it reads, while others are on their way.
 */
final class ShardedExchange implements BucketReduction, ParameterExchange, PassListener {
  private static final int ON_THE_WIRE = 2;

  /** A bucket that is being summed. */
  private record Sum(Bucket bucket, Work work) {}

  private final Communicator group;
  private final FlatParameters parameters;

  /** Of the gradients; null where they lie in the parameters' flat buffer. */
  private final @Nullable BucketMemory memory;

  private final Map<Bucket, Shard> shards = new HashMap<>();
  private final List<Shard> inOrder = new ArrayList<>();

  /** For each shard, the place of this rank's first element in {@link #slices}. */
  private final Map<Shard, Long> places = new HashMap<>();

  /** This rank's sums, and then its parameters on their way to the others. */
  private final FlatBuffers slices;

  private final Deque<Sum> sums = new ArrayDeque<>();

  /** In the order of {@link #inOrder} from behind. */
  private final Deque<Work> gathers = new ArrayDeque<>();

  /** For each stage, behind how many gathers it finds all of its parameters. */
  private final List<Integer> reach;

  private long waitedNanos;

  /**
   * Takes memory for the slices.
   *
   * @param reads for each stage of the model, the indices of the buckets whose parameters it uses
   */
  ShardedExchange(
      Communicator group, FlatParameters parameters, List<Bucket> buckets, List<BitSet> reads) {
    this.group = group;
    // Of the buckets that a stage reads, that of the lowest index is gathered last.
    reach =
        reads.stream()
            .map(read -> read.isEmpty() ? 0 : buckets.size() - read.nextSetBit(0))
            .toList();
    this.parameters = parameters;
    memory = parameters.gradientMemory() instanceof BucketMemory own ? own : null;
    long[] filled = new long[parameters.layout().groups().size()];
    for (Bucket bucket : buckets) {
      Shard shard =
          Shard.cut(
              bucket.range(),
              FlatLayout.ALIGNMENT / shape(bucket.group()).elementBytes(),
              group.rank(),
              group.size());
      shards.put(bucket, shard);
      inOrder.add(shard);
      places.put(shard, filled[bucket.group()]);
      filled[bucket.group()] += shard.own().count();
    }
    slices =
        new FlatBuffers(
            ShardedOptimizer.sliceLayout(inOrder, parameters.layout()), group::allocate);
  }

  private Group shape(int index) {
    return parameters.layout().groups().get(index);
  }

  private Shard shard(Bucket bucket) {
    return requireNonNull(shards.get(bucket), "a bucket of this exchange");
  }

  /** One for each bucket. */
  List<Shard> shards() {
    return List.copyOf(inOrder);
  }

  /** This rank's summed gradients, laid out as {@link ShardedOptimizer#sliceLayout}. */
  FlatBuffers slices() {
    return slices;
  }

  @Override
  public void forwardBegins(int stage) {
    awaitGathers(reach.get(stage));
  }

  @Override
  public Work start(Bucket bucket) {
    // They read the slices, which sums are about to overwrite.
    awaitGathers();
    Shard shard = shard(bucket);
    Span all = memory == null ? span(parameters.gradients(), shard.whole()) : memory.span(bucket);
    Work work = group.reduceScatterAsync(all, slice(shard), shard.counts(), ReduceOp.SUM);
    sums.add(new Sum(bucket, work));
    if (memory != null) {
      long start = System.nanoTime();
      while (sums.size() > ON_THE_WIRE) {
        sums.element().work().await();
        release(sums.element().bucket());
      }
      waitedNanos += System.nanoTime() - start;
    }
    return work;
  }

  private void release(Bucket bucket) {
    if (!sums.isEmpty() && sums.element().bucket() == bucket) {
      sums.remove();
      if (memory != null) {
        memory.release(bucket);
      }
    }
  }

  @Override
  public void finish(Bucket bucket) {
    release(bucket);
  }

  @Override
  public double ownSquares(Bucket bucket) {
    Shard shard = shard(bucket);
    return Native.sum_of_squares(
        address(shard), shard.own().count(), shape(bucket.group()).dataType().code());
  }

  @Override
  public boolean ownAreFinite(double squares) {
    if (Double.isFinite(squares)) {
      return true;
    }
    // Squares of finite float64 numbers may overflow.
    try (PointerScope scope = new PointerScope()) {
      for (int g = 0; g < slices.layout().groups().size(); g++) {
        if (slices.layout().groups().get(g).count() > 0
            && !torch.isfinite(slices.whole(g)).all().item_bool()) {
          return false;
        }
      }
    }
    return true;
  }

  @Override
  public boolean isWhole() {
    return false;
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    if (!reduced.finite()) {
      return reduced.raised();
    }
    for (int i = inOrder.size() - 1; i >= 0; i--) {
      Shard shard = inOrder.get(i);
      NativeView.copy(
          address(shard),
          Optimizer.address(parameters.values(), shard.own()),
          shard.own().count() * shape(shard.own().group()).elementBytes());
      gathers.add(
          group.allGatherAsync(
              slice(shard), span(parameters.values(), shard.whole()), shard.counts()));
    }
    return reduced.raised();
  }

  private void awaitGathers() {
    awaitGathers(inOrder.size());
  }

  /** Waits for the first so many of an update. */
  private void awaitGathers(int count) {
    long start = System.nanoTime();
    while (!gathers.isEmpty() && inOrder.size() - gathers.size() < count) {
      gathers.element().await();
      gathers.remove();
    }
    waitedNanos += System.nanoTime() - start;
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    awaitGathers();
    return Set.of();
  }

  private static Span span(FlatBuffers flat, ParameterRange range) {
    return flat.span(range.group(), range.from(), range.count());
  }

  private Span slice(Shard shard) {
    return slices.span(shard.own().group(), place(shard), shard.own().count());
  }

  private long place(Shard shard) {
    return requireNonNull(places.get(shard), "a shard of this exchange");
  }

  private long address(Shard shard) {
    int index = shard.own().group();
    return slices.address(index) + place(shard) * shape(index).elementBytes();
  }

  /** Gradients and parameters are others' to save. */
  @Override
  public void declare(TrainingState state) {}

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  @Override
  public void close() {
    Works.settle(sums.stream().map(Sum::work).collect(Collectors.toCollection(ArrayList::new)));
    Works.settle(new ArrayList<>(gathers));
    gathers.clear();
    slices.close();
  }
}
