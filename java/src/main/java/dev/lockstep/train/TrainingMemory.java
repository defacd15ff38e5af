package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;

/**
 * The flat buffers of a run: what training changes, and what a checkpoint keeps.
 *
 * @param parameters the model's parameters and gradients
 * @param buffers the model's other tensors
 * @param optimizer the optimiser with its state
 */
record TrainingMemory(FlatParameters parameters, ModelBuffers buffers, Optimizer optimizer)
    implements AutoCloseable {

  /** Every rank has parameters and optimiser state of its own. */
  static TrainingMemory of(Model model, OptimizerConfig config, Communicator communicator) {
    return of(model, config, communicator, false);
  }

  /**
   * @param fused whether all ranks of a host share one set of parameters and optimiser state, of
   *     which each updates a slice
   */
  static TrainingMemory of(
      Model model, OptimizerConfig config, Communicator communicator, boolean fused) {
    FlatParameters parameters = new FlatParameters(model, communicator, fused);
    ModelBuffers buffers = new ModelBuffers(model, communicator);
    Optimizer optimizer =
        fused
            ? new FusedOptimizer(config, parameters, communicator)
            : new LocalOptimizer(config, parameters);
    return new TrainingMemory(parameters, buffers, optimizer);
  }

  /** Makes all ranks' equal to rank 0's; collective. */
  void broadcast(Communicator communicator) {
    parameters.values().broadcast(communicator);
    buffers.values().broadcast(communicator);
    buffers.remember();
    for (FlatBuffers state : optimizer.state().values()) {
      state.broadcast(communicator);
    }
  }

  @Override
  public void close() {
    optimizer.close();
    buffers.close();
    parameters.close();
  }
}
