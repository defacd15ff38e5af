package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelException;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.model.PassListener;
import dev.lockstep.torch.TensorSpans;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.RefillableStorage;
import dev.lockstep.train.memory.Shard;
import dev.lockstep.train.memory.SlicedLayout;
import dev.lockstep.train.memory.Works;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.LongFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * A model's parameters, of which each rank keeps a slice, and which are whole only while a stage
 * uses them (Rajbhandari et al. 2020, "ZeRO", stage 3; Zhao et al. 2023, "PyTorch FSDP"). Before a
 * group of stages is applied or differentiated its buckets are gathered, the next group's begin to
 * travel, and those of the group before are freed: a rank has those of two neighbouring groups at
 * most.
 *
 * <p>Every pass visits all groups in the same order, forward and then backward, on all ranks, as
 * gathering is collective; {@link #finish} makes the visits that a rank without samples has not
 * made. A parameter that has no memory reads as no number.
 */
final class GatheredParameters implements PassListener, ParameterExchange {
  private final Communicator group;
  private final List<ModelTensor> parameters;
  private final FlatLayout layout;
  private final StageGroups stages;
  private final List<Shard> shards;
  private final List<Long> places;
  private final IntConsumer gradientsComplete;

  /** This rank's parts, which the optimiser changes. */
  private final FlatBuffers slices;

  private final List<RefillableStorage> storages = new ArrayList<>();
  private final @Nullable NativeMemory[] memory;
  private final @Nullable Work[] arriving;

  /** Of each parameter, how often libtorch had changed it in place when it was gathered. */
  private final long[] versions;

  private final SpareMemory spare;

  /** The visit of this pass that is under way: groups forward, then backward; −1 for none. */
  private int visit = -1;

  /** Visits of this pass. */
  private int visits;

  private boolean whole;
  private long waitedNanos;

  /**
   * Makes rank 0's parameters all ranks', keeps this rank's slice, and frees the model's own
   * memory; collective.
   *
   * @param shards one for each bucket of the stages
   * @param allocate gives memory of so many bytes
   * @param gradientsComplete hears, where backward goes on, how many buckets it is done with
   */
  GatheredParameters(
      Communicator group,
      Model model,
      FlatLayout layout,
      StageGroups stages,
      List<Shard> shards,
      LongFunction<NativeMemory> allocate,
      IntConsumer gradientsComplete) {
    this.group = group;
    parameters = model.parameters();
    this.layout = layout;
    this.stages = stages;
    this.shards = shards;
    this.gradientsComplete = gradientsComplete;
    spare = new SpareMemory(allocate, stages.neighboursBytes(layout));
    SlicedLayout sliced = slicedLayout();
    places = sliced.places();
    memory = new NativeMemory[shards.size()];
    arriving = new Work[shards.size()];
    versions = new long[parameters.size()];
    slices = new FlatBuffers(sliced.own(), group::allocate);
    try {
      for (Bucket bucket : stages.buckets()) {
        Group shape = layout.groups().get(bucket.group());
        storages.add(
            new RefillableStorage(shape.type(), bucket.range().count() * shape.elementBytes()));
      }
      sliced.parts().forEach(this::take);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Where this rank's slices lie in {@link #slices}. */
  SlicedLayout slicedLayout() {
    return new SlicedLayout(layout, shards);
  }

  /** This rank's slices; live memory. */
  FlatBuffers slices() {
    return slices;
  }

  /** Has this rank's part of a tensor copied into the slices. */
  private void take(SlicedLayout.Part part) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      ModelTensor parameter = parameters.get(part.tensor());
      Tensor values = parameter.tensor().detach().contiguous().view(-1);
      if (values.numel() > 0) {
        group.broadcast(TensorSpans.of(values.view(ScalarType.Byte)), 0);
      }
      int elementBytes = layout.groups().get(part.place().group()).elementBytes();
      NativeView.copy(
          slices.address(part.place().group()) + part.place().from() * elementBytes,
          values.data_ptr().address() + part.from() * elementBytes,
          part.place().count() * elementBytes);
      hide(parameter);
    }
  }

  /** Leaves a parameter without memory. */
  private static void hide(ModelTensor parameter) {
    if (parameter.views().isEmpty()) {
      TensorOptions type = new TensorOptions(parameter.tensor().scalar_type());
      Tensor noNumber = torch.zeros(new long[] {1}, type).fill_(new Scalar(Double.NaN));
      parameter.moveTo(noNumber.expand(parameter.shape()));
    }
  }

  @Override
  public List<Integer> cuts() {
    return stages.cuts();
  }

  /**
   * A pass begins.
   *
   * @param backward whether it has a backward pass, too
   */
  void begin(boolean backward) {
    visit = -1;
    visits = backward ? 2 * stages.count() : stages.count();
  }

  @Override
  public void forwardBegins(int stage) {
    if (visit < stages.count()) {
      visitUntil(stages.groupOf(stage));
    }
  }

  @Override
  public void backwardBegins(int index) {
    visitUntil(2 * stages.count() - 1 - index);
  }

  /** Makes the visits of the forward pass that have not been made. */
  void finishForward() {
    visitUntil(stages.count() - 1);
  }

  /** Makes the visits that have not been made, and ends the pass. */
  void finish() {
    visitUntil(visits - 1);
    leave();
    for (int bucket = 0; bucket < memory.length; bucket++) {
      release(bucket);
    }
    visit = -1;
  }

  /** A whole pass of a rank that has nothing to compute. */
  void pass(boolean backward) {
    begin(backward);
    finish();
  }

  private void visitUntil(int last) {
    while (visit < last) {
      leave();
      visit++;
      BitSet used = uses(visit);
      for (int bucket = 0; bucket < memory.length; bucket++) {
        if (!used.get(bucket)) {
          release(bucket);
        }
      }
      used.stream().forEach(this::start);
      if (visit + 1 < visits) {
        uses(visit + 1).stream().forEach(this::start);
      }
      used.stream().forEach(this::await);
    }
  }

  /** What follows from the end of a visit. */
  private void leave() {
    if (visit >= stages.count()) {
      gradientsComplete.accept(stages.completeAfter(2 * stages.count() - 1 - visit));
    }
  }

  private BitSet uses(int index) {
    int count = stages.count();
    return stages.uses().get(index < count ? index : 2 * count - 1 - index);
  }

  private void start(int bucket) {
    if (memory[bucket] != null) {
      return;
    }
    Shard shard = shards.get(bucket);
    Group shape = layout.groups().get(shard.own().group());
    NativeMemory place = spare.take(Math.max(1, stages.bytes(bucket, layout)));
    memory[bucket] = place;
    Span own = slices.span(shard.own().group(), places.get(bucket), shard.own().count());
    arriving[bucket] =
        group.allGatherAsync(
            own, place.span(0, shard.whole().count(), shape.dataType()), shard.counts());
  }

  private void await(int bucket) {
    Work work = arriving[bucket];
    NativeMemory place = memory[bucket];
    if (work == null || place == null) {
      return;
    }
    long began = System.nanoTime();
    work.await();
    waitedNanos += System.nanoTime() - began;
    arriving[bucket] = null;
    storages.get(bucket).fill(place.address());
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int index : stages.buckets().get(bucket).parameters()) {
        Slot slot = layout.slots().get(index);
        long offset = slot.offset() - stages.buckets().get(bucket).range().from();
        parameters.get(index).moveTo(storages.get(bucket).view(offset, slot.shape()));
        versions[index] = parameters.get(index).tensor()._version();
      }
    }
  }

  private void release(int bucket) {
    NativeMemory place = memory[bucket];
    if (place == null) {
      return;
    }
    await(bucket);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int index : stages.buckets().get(bucket).parameters()) {
        checkUnchanged(index);
        hide(parameters.get(index));
      }
    }
    storages.get(bucket).empty();
    memory[bucket] = null;
    spare.giveBack(place);
  }

  /** What a pass has changed is given back, and would be lost. */
  private void checkUnchanged(int index) {
    if (parameters.get(index).tensor()._version() != versions[index]) {
      throw new ModelException(
          "The model changes its parameter "
              + parameters.get(index).name()
              + " in a forward pass, which strategy.sharding 3 would lose: use 0, 1 or 2, or make"
              + " it a buffer.");
    }
  }

  /** Gives the model all parameters for good, and ends the slices; collective. */
  void complete() {
    spare.close();
    for (int bucket = 0; bucket < memory.length; bucket++) {
      start(bucket);
    }
    for (int bucket = 0; bucket < memory.length; bucket++) {
      await(bucket);
    }
    whole = true;
    slices.close();
  }

  /** Whether the model has all parameters, for good. */
  boolean isWhole() {
    return whole;
  }

  /** The most bytes of whole parameters that this rank has had at once. */
  long peakBytes() {
    return spare.peakBytes();
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    return reduced.raised();
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    return Set.of();
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  /** A model that has all parameters keeps them, in memory of its own. */
  @Override
  public void close() {
    List<Work> pending = new ArrayList<>();
    for (Work work : arriving) {
      if (work != null) {
        pending.add(work);
      }
    }
    Works.settle(pending);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int bucket = 0; bucket < storages.size(); bucket++) {
        for (int index : stages.buckets().get(bucket).parameters()) {
          ModelTensor parameter = parameters.get(index);
          if (whole) {
            parameter.moveTo(parameter.tensor().detach().clone());
          } else {
            hide(parameter);
          }
        }
        storages.get(bucket).close();
        NativeMemory place = memory[bucket];
        if (place != null) {
          memory[bucket] = null;
          spare.giveBack(place);
          spare.close();
        }
      }
    }
    storages.clear();
    spare.close();
    slices.close();
  }
}
