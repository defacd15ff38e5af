package dev.lockstep.train.strategy;

import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;

/**
 * Parameters that a rank trains with on its own, put aside while it shows the model that all ranks
 * agree on, as for scoring and for checkpoints. One thread.
 */
public final class OwnParameters implements Stateful, AutoCloseable {
  private final FlatParameters parameters;
  private final Placement.Resize rule;
  private final FlatBuffers aside;
  private boolean shows;

  /**
   * Takes the memory.
   *
   * @param rule what another number of ranks makes of the ranks' own parameters
   */
  public OwnParameters(FlatParameters parameters, Placement.Resize rule) {
    this.parameters = parameters;
    this.rule = rule;
    aside = new FlatBuffers(parameters.layout(), NativeMemory::allocate);
  }

  /** Whether the model's memory holds the agreed model at present. */
  public boolean shows() {
    return shows;
  }

  /** Puts this rank's parameters aside, and the agreed ones in their place. */
  public void show(FlatBuffers agreed) {
    aside.copyFrom(parameters.values());
    parameters.values().copyFrom(agreed);
    shows = true;
  }

  /** Takes this rank's own parameters up again, if they were put aside. */
  public void takeUp() {
    if (shows) {
      parameters.values().copyFrom(aside);
      shows = false;
    }
  }

  @Override
  public void declare(TrainingState state) {
    state.perRank("rank.model.", aside, rule);
    // A checkpoint is written while the agreed model is shown.
    state.value("own_parameters_aside", () -> BooleanNode.TRUE, saved -> shows = true);
  }

  @Override
  public void close() {
    aside.close();
  }
}
