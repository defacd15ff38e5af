package dev.lockstep.train.compression;

import com.fasterxml.jackson.databind.node.DoubleNode;
import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.jni.Native;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;

/**
 * What a rank has kept of its gradients because it was not sent, in units of gradients at the
 * present learning rate. Any compression may go on with it. One thread.
 */
public final class Residual implements Stateful, AutoCloseable {
  private final FlatBuffers flat;
  private double rate;
  private double carry = 1;

  /** Takes the memory, all zero. */
  public Residual(FlatLayout layout) {
    flat = new FlatBuffers(layout, NativeMemory::allocate);
  }

  FlatBuffers flat() {
    return flat;
  }

  /** A step begins, which updates with this rate. */
  public void begin(double learningRate) {
    boolean changed = rate > 0 && learningRate > 0 && rate != learningRate;
    carry = changed ? rate / learningRate : 1;
    // Under a rate of 0 the sum is lost, and what was kept stays in units of the last one.
    rate = learningRate > 0 ? learningRate : rate;
  }

  /**
   * All steps from here on update with this rate, and each with other ranges: what was kept of all
   * of them is multiplied at once, and by nothing later.
   */
  void rescale(double learningRate) {
    begin(learningRate);
    if (carry != 1) {
      FlatLayout layout = flat.layout();
      for (int g = 0; g < layout.groups().size(); g++) {
        FlatLayout.Group group = layout.groups().get(g);
        Native.scale(flat.address(g), group.count(), group.dataType().code(), carry);
      }
    }
    carry = 1;
  }

  /** What it is multiplied by in this step. */
  double carry() {
    return carry;
  }

  /** Only the ranks' sum counts, so other numbers of ranks share that out. */
  @Override
  public void declare(TrainingState state) {
    state.perRank("compression.residual.", flat, Placement.Resize.SUM_SHARED_OUT);
    state.value(
        "compression_rate", () -> DoubleNode.valueOf(rate), saved -> rate = saved.asDouble());
  }

  @Override
  public void close() {
    flat.close();
  }
}
