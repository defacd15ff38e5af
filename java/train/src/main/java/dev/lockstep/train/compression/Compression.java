package dev.lockstep.train.compression;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Span;
import dev.lockstep.jni.Native;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.OwnedParts;
import dev.lockstep.train.memory.ParameterRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * What a rank keeps for compressed sums of its gradients: residuals, momentum and factors, all in
 * the checkpoint.
 *
 * <p>Error feedback (Seide et al. 2014; Karimireddy et al. 2019) adds what was lost to the next
 * step's gradients. Gradients are summed over the ranks, so the virtual iterate is x̃ = x − η·Σe
 * over the ranks' residuals e. Hence another number of ranks takes the sum, shared out; and where
 * the rate η changes, residuals are multiplied by old ÷ new. One thread.
 */
public final class Compression implements Stateful, AutoCloseable {
  private final CompressionConfig config;
  private final Communicator group;
  private final FlatBuffers gradients;
  private final OwnedParts owned = new OwnedParts();
  private final @Nullable Residual residual;
  private final boolean ownsResidual;
  private final @Nullable FlatBuffers momentum;
  private final @Nullable FlatBuffers factors;

  /**
   * Takes the memory.
   *
   * @param gradients what is summed; the caller's
   * @param ranges of them, in the order in which they will be summed
   */
  public Compression(
      CompressionConfig config,
      Communicator group,
      FlatBuffers gradients,
      List<ParameterRange> ranges) {
    this(config, group, gradients, ranges, null);
  }

  /**
   * As the other, going on with a residual that others use in other steps, and that whoever made it
   * tells of each step.
   *
   * @param shared null for one of its own
   */
  public Compression(
      CompressionConfig config,
      Communicator group,
      FlatBuffers gradients,
      List<ParameterRange> ranges,
      @Nullable Residual shared) {
    this.config = config;
    this.group = group;
    this.gradients = gradients;
    try {
      FlatLayout layout = gradients.layout();
      ownsResidual = shared == null;
      residual = shared != null ? shared : needsResidual() ? owned.add(new Residual(layout)) : null;
      momentum = isSparse() && config.momentum() > 0 ? flat(layout) : null;
      factors = config.type() == CompressionConfig.Type.POWER_SGD ? factors(layout, ranges) : null;
    } catch (RuntimeException e) {
      owned.close();
      throw e;
    }
  }

  /** Bytes that a rank sends in an all-reduce of so many. */
  public static long allReduceBytes(long bytes, int ranks) {
    return 2 * bytes * (ranks - 1) / ranks;
  }

  private boolean isSparse() {
    return config.type() == CompressionConfig.Type.TOP_K;
  }

  private boolean needsResidual() {
    // The other two work in its memory.
    return config.errorFeedback()
        || isSparse()
        || config.type() == CompressionConfig.Type.POWER_SGD;
  }

  private FlatBuffers flat(FlatLayout layout) {
    return owned.add(new FlatBuffers(layout, NativeMemory::allocate));
  }

  /** The memory of all matrices' Q, range by range. */
  private FlatBuffers factors(FlatLayout layout, List<ParameterRange> ranges) {
    List<Slot> slots = new ArrayList<>();
    long used = 0;
    long unit = FlatLayout.ALIGNMENT / Float.BYTES;
    for (ParameterRange range : ranges) {
      for (Slot slot : slots(layout, range)) {
        long rows = slot.shape().length < 2 ? 1 : slot.shape()[0];
        long columns = rows == 0 ? 0 : slot.count() / rows;
        long rank = Math.min(config.rank(), Math.min(rows, columns));
        boolean saves = slot.count() >= config.minSaving() * rank * (rows + columns);
        if (slot.shape().length >= 2 && rank > 0 && saves && isCompressed(layout, range)) {
          long count = rank * columns;
          slots.add(new Slot(slot.name(), new long[] {rank, columns}, 0, used, count));
          used += (count + unit - 1) / unit * unit;
        }
      }
    }
    Group all = new Group(ScalarType.Float, Float.BYTES, used);
    return owned.add(new FlatBuffers(new FlatLayout(slots, List.of(all)), group::allocate));
  }

  private static List<Slot> slots(FlatLayout layout, ParameterRange range) {
    return layout.slots().stream()
        .filter(
            slot ->
                slot.group() == range.group()
                    && slot.offset() >= range.from()
                    && slot.offset() < range.from() + range.count())
        .toList();
  }

  /** What lies between the tensors of a range. */
  private static List<ParameterRange> gaps(FlatLayout layout, ParameterRange range) {
    List<ParameterRange> gaps = new ArrayList<>();
    long at = range.from();
    long end = range.from() + range.count();
    for (Slot slot : layout.slots()) {
      // A range may begin and end within tensors.
      long last = slot.offset() + slot.count();
      if (slot.group() != range.group() || slot.offset() >= end || last <= range.from()) {
        continue;
      }
      if (slot.offset() > at) {
        gaps.add(new ParameterRange(range.group(), at, slot.offset() - at));
      }
      at = last;
    }
    if (end > at) {
      gaps.add(new ParameterRange(range.group(), at, end - at));
    }
    return gaps;
  }

  private static boolean isCompressed(FlatLayout layout, ParameterRange range) {
    return layout.groups().get(range.group()).dataType() == DataType.F32;
  }

  /** The sum of one of the ranges; this object owns it. */
  public RangeSum sum(ParameterRange range) {
    FlatLayout layout = gradients.layout();
    Span span = gradients.span(range.group(), range.from(), range.count());
    if (!isCompressed(layout, range) || (!config.compresses() && residual == null)) {
      return new PlainSum(group, span);
    }
    long values = address(gradients, range);
    long lost = residual == null ? 0 : address(residual.flat(), range);
    long count = range.count();
    return switch (config.type()) {
      case NONE -> new RestoringSum(new PlainSum(group, span), values, lost, count);
      case TOP_K -> {
        long kept = momentum == null ? 0 : address(momentum, range);
        yield owned.add(new SparseSum(config, group, values, lost, kept, count));
      }
      case POWER_SGD ->
          owned.add(
              new LowRankSum(
                  group,
                  values,
                  range.from(),
                  lost,
                  count,
                  slots(layout, range),
                  Objects.requireNonNull(factors)));
      default ->
          owned.add(new QuantizedSum(codec(), group, values, lost, range, gaps(layout, range)));
    };
  }

  private int codec() {
    return switch (config.type()) {
      case BF16 -> Native.BFLOAT16;
      case FP16 -> Native.FLOAT16;
      case ONE_BIT -> Native.ONE_BIT;
      case INT8 -> config.stochastic() ? Native.INT8_STOCHASTIC : Native.INT8;
      default -> throw new IllegalStateException(config.type() + " is no codec.");
    };
  }

  private static long address(FlatBuffers flat, ParameterRange range) {
    return flat.address(range.group()) + range.from() * Float.BYTES;
  }

  /** A step begins, which updates with this rate. */
  public void begin(double learningRate) {
    if (residual != null && ownsResidual) {
      residual.begin(learningRate);
    }
  }

  /**
   * Instead of {@link #begin} where each range has steps of its own, all with this rate; once, when
   * the state is restored.
   */
  public void fixRate(double learningRate) {
    if (residual != null && ownsResidual) {
      residual.rescale(learningRate);
    }
  }

  /**
   * The sums of tensors outside of these ranges are not applied: they go back into rank 0's
   * residual, for only the sum of the ranks' residuals counts.
   */
  public void takeBack(List<ParameterRange> updated) {
    if (residual == null || !config.errorFeedback() || group.rank() != 0) {
      return;
    }
    FlatLayout layout = gradients.layout();
    for (Slot slot : layout.slots()) {
      ParameterRange range = new ParameterRange(slot.group(), slot.offset(), slot.count());
      if (isCompressed(layout, range) && updated.stream().noneMatch(one -> holds(one, slot))) {
        Native.accumulate(
            address(gradients, range), range.count(), 0, 0, address(residual.flat(), range), 1);
      }
    }
  }

  private static boolean holds(ParameterRange range, Slot slot) {
    return range.group() == slot.group()
        && range.from() <= slot.offset()
        && slot.offset() < range.from() + range.count();
  }

  /** What residuals are multiplied by in this step. */
  public double carry() {
    return residual == null || !config.errorFeedback() ? 0 : residual.carry();
  }

  @Override
  public void declare(TrainingState state) {
    if (residual != null && ownsResidual) {
      residual.declare(state);
    }
    if (momentum != null) {
      state.perRank("compression.momentum.", momentum, Placement.Resize.SUM_SHARED_OUT);
    }
    if (factors != null) {
      state.replicated("compression.factor.", factors);
    }
  }

  @Override
  public void close() {
    owned.close();
  }
}
