package dev.lockstep.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.train.TrainingConfig.EarlyStopping;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.ModelMemory;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Watches the validation loss. With early stopping it ends training when the loss no longer falls,
 * and keeps a copy of the model with the lowest. All ranks see the same loss, so all agree.
 */
final class BestModel implements Stateful, AutoCloseable {
  private final @Nullable EarlyStopping config;
  private final List<ModelMemory> live;
  private final List<FlatBuffers> copies = new ArrayList<>();
  private @Nullable Double lowest;
  private @Nullable Double reference;
  private int validationsWithout;

  /**
   * Makes room for a copy where there is early stopping.
   *
   * @param live the model's parameters, then its other tensors
   */
  BestModel(@Nullable EarlyStopping config, List<ModelMemory> live) {
    this.config = config;
    this.live = live;
    if (config == null) {
      return;
    }
    try {
      for (ModelMemory memory : live) {
        copies.add(new FlatBuffers(memory.tensors().layout(), NativeMemory::allocate));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Takes in the loss of a validation, NaN where nothing is held out.
   *
   * @return whether training should end
   */
  boolean exhaustedAfter(double validationLoss) {
    if (Double.isNaN(validationLoss)) {
      return false;
    }
    double minDelta = config == null ? 0 : config.minDelta();
    if (lowest == null || validationLoss < lowest) {
      lowest = validationLoss;
      for (int i = 0; i < copies.size(); i++) {
        copies.get(i).copyFrom(live.get(i).tensors());
      }
    }
    if (reference == null || validationLoss < reference - minDelta) {
      reference = validationLoss;
      validationsWithout = 0;
    } else {
      validationsWithout++;
    }
    return config != null && validationsWithout >= config.patience();
  }

  /**
   * Puts the best parameters back in place of the last.
   *
   * @return whether there was a copy
   */
  boolean restore() {
    if (config == null || lowest == null) {
      return false;
    }
    for (int i = 0; i < copies.size(); i++) {
      live.get(i).tensors().copyFrom(copies.get(i));
    }
    return true;
  }

  @Override
  public void declare(TrainingState state) {
    if (config != null) {
      state.ofModel("best.model.", copies.get(0), live.get(0));
      state.ofModel("best.buffer.", copies.get(1), live.get(1));
    }
    state.value("lowest_loss", () -> json(lowest), saved -> lowest = number(saved));
    state.value("improvement_over", () -> json(reference), saved -> reference = number(saved));
    state.value(
        "validations_without_improvement",
        () -> IntNode.valueOf(validationsWithout),
        saved -> validationsWithout = saved.intValue());
  }

  private static JsonNode json(@Nullable Double value) {
    return value == null ? NullNode.instance : DoubleNode.valueOf(value);
  }

  private static @Nullable Double number(JsonNode saved) {
    return saved.isNumber() ? saved.doubleValue() : null;
  }

  @Override
  public void close() {
    copies.forEach(FlatBuffers::close);
  }
}
