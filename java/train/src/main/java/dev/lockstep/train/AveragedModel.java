package dev.lockstep.train;

import com.fasterxml.jackson.databind.node.LongNode;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.ModelMemory;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The exponential moving average of the parameters over the steps (Polyak and Juditsky 1992 average
 * all; this forgets): ā ← d ā + (1 − d) θ with d = min(decay, (1 + t) ÷ (10 + t)) at the t-th step
 * from 0, as in TensorFlow's ExponentialMovingAverage with {@code num_updates}, so that the first
 * parameters are soon forgotten. The model's other tensors, such as batch statistics, are those of
 * the last step.
 *
 * <p>All ranks have the same parameters, so all compute the same. One thread.
 */
final class AveragedModel implements Stateful, AutoCloseable {
  private final @Nullable Double decay;
  private final ModelMemory live;
  private final Communicator ranks;
  private final List<FlatBuffers> buffers;
  private long updates;

  /**
   * Makes room where there is an average.
   *
   * @param decay null for none
   * @param live the model's parameters
   * @param ranks that train it; some may share the parameters' memory
   */
  AveragedModel(@Nullable Double decay, ModelMemory live, Communicator ranks) {
    this.decay = decay;
    this.live = live;
    this.ranks = ranks;
    buffers =
        decay == null
            ? List.of()
            : FlatBuffers.several(2, live.tensors().layout(), NativeMemory::allocate);
    if (decay != null) {
      average().zero();
      average().copyFrom(live.tensors());
    }
  }

  private FlatBuffers average() {
    return buffers.get(0);
  }

  /** Takes in the parameters after a step. */
  void update() {
    if (decay == null) {
      return;
    }
    double kept = Math.min(decay, (1.0 + updates) / (10.0 + updates));
    try (NoGradGuard guard = new NoGradGuard()) {
      for (Slot slot : live.tensors().layout().slots()) {
        try (PointerScope scope = new PointerScope()) {
          // A product and a sum, each rounded once: a fused one would depend on the number of
          // threads, whose ends are not vectors.
          Tensor added = live.tensors().view(slot).mul(new Scalar(1 - kept));
          average().view(slot).mul_(new Scalar(kept)).add_(added);
        }
      }
    }
    updates++;
  }

  /**
   * Does something with the average in place of the parameters, which are back afterwards unless
   * that fails; collective.
   */
  <T> T instead(Supplier<T> action) {
    if (decay == null) {
      return action.get();
    }
    FlatBuffers own = buffers.get(1);
    own.copyFrom(live.tensors());
    // Another rank may share this memory: none may write before all have read.
    ranks.barrier();
    live.tensors().copyFrom(average());
    T result = action.get();
    ranks.barrier();
    live.tensors().copyFrom(own);
    return result;
  }

  /** Puts the average in place of the parameters for good. */
  void take() {
    if (decay != null) {
      live.tensors().copyFrom(average());
    }
  }

  @Override
  public void declare(TrainingState state) {
    if (decay != null) {
      state.ofModel("ema.model.", average(), live);
      state.value(
          "ema_updates", () -> LongNode.valueOf(updates), saved -> updates = saved.longValue());
    }
  }

  @Override
  public void close() {
    buffers.forEach(FlatBuffers::close);
  }
}
