package dev.lockstep.train.strategy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Each rank sums a slice of every bucket of gradients, and after the update gives the others its
 * slice of the parameters (Rajbhandari et al. 2020, "ZeRO", section 5). Together that is as many
 * bytes as an all-reduce.
 */
final class ShardedExchange implements BucketReduction, ParameterExchange {
  private final Communicator group;
  private final FlatParameters parameters;
  private final Map<Bucket, Shard> shards = new HashMap<>();
  private final List<Shard> inOrder = new ArrayList<>();
  private final Map<Shard, Long> places = new HashMap<>();

  /** A communicator does not take an output that lies within the input. */
  private final NativeMemory slices;

  private final List<Work> pending = new ArrayList<>();
  private long waitedNanos;

  ShardedExchange(Communicator group, FlatParameters parameters, List<Bucket> buckets) {
    this.group = group;
    this.parameters = parameters;
    long bytes = 0;
    for (Bucket bucket : buckets) {
      int elementBytes = shape(bucket.group()).elementBytes();
      Shard shard =
          Shard.cut(
              bucket.range(), FlatLayout.ALIGNMENT / elementBytes, group.rank(), group.size());
      shards.put(bucket, shard);
      inOrder.add(shard);
      places.put(shard, bytes);
      bytes += roundUp(shard.own().count() * elementBytes);
    }
    slices = group.allocate(Math.max(FlatLayout.ALIGNMENT, bytes));
  }

  private static long roundUp(long bytes) {
    return (bytes + FlatLayout.ALIGNMENT - 1) / FlatLayout.ALIGNMENT * FlatLayout.ALIGNMENT;
  }

  private Group shape(int index) {
    return parameters.layout().groups().get(index);
  }

  private Shard shard(Bucket bucket) {
    return requireNonNull(shards.get(bucket), "a bucket of this exchange");
  }

  private long place(Shard shard) {
    return requireNonNull(places.get(shard), "a shard of this exchange");
  }

  /** One for each bucket. */
  List<Shard> shards() {
    return List.copyOf(inOrder);
  }

  @Override
  public Work start(Bucket bucket) {
    Shard shard = shard(bucket);
    return group.reduceScatterAsync(
        span(parameters.gradients(), shard.whole()), slice(shard), shard.counts(), ReduceOp.SUM);
  }

  @Override
  public void finish(Bucket bucket) {
    Shard shard = shard(bucket);
    NativeView.copy(
        Optimizer.address(parameters.gradients(), shard.own()),
        slices.address() + place(shard),
        bytes(shard));
  }

  @Override
  public ParameterRange own(Bucket bucket) {
    return shard(bucket).own();
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
    long start = System.nanoTime();
    for (Shard shard : inOrder) {
      NativeView.copy(
          slices.address() + place(shard),
          Optimizer.address(parameters.values(), shard.own()),
          bytes(shard));
      pending.add(
          group.allGatherAsync(
              slice(shard), span(parameters.values(), shard.whole()), shard.counts()));
    }
    pending.forEach(Work::await);
    pending.clear();
    waitedNanos += System.nanoTime() - start;
    return reduced.raised();
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    return Set.of();
  }

  private static Span span(FlatBuffers flat, ParameterRange range) {
    return flat.span(range.group(), range.from(), range.count());
  }

  private Span slice(Shard shard) {
    return slices.span(place(shard), shard.own().count(), shape(shard.own().group()).dataType());
  }

  private long bytes(Shard shard) {
    return shard.own().count() * shape(shard.own().group()).elementBytes();
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
    Works.settle(pending);
    slices.close();
  }
}
