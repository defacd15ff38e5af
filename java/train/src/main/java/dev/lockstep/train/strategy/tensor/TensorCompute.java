package dev.lockstep.train.strategy.tensor;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.torch.TensorSpans;
import dev.lockstep.train.engine.Compute;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.FirstNonFinite;
import dev.lockstep.train.engine.GradientSink;
import dev.lockstep.train.engine.MicroBatch;
import dev.lockstep.train.engine.Replica;
import dev.lockstep.train.engine.SampleReader;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.strategy.Mesh;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The whole model, some of whose layers this rank computes together with others. */
final class TensorCompute implements Compute {
  private final Replica replica;
  private final SlicedParameters sliced;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final SampleReader reader;
  private final Mesh mesh;

  /** Owns {@code replica}. */
  TensorCompute(
      Replica replica,
      SlicedParameters sliced,
      FlatParameters parameters,
      ModelBuffers buffers,
      SampleReader reader,
      Mesh mesh) {
    this.replica = replica;
    this.sliced = sliced;
    this.parameters = parameters;
    this.buffers = buffers;
    this.reader = reader;
    this.mesh = mesh;
  }

  @Override
  public void begin(Step step) {
    replica.begin(step);
  }

  @Override
  public double run(MicroBatch piece, double weight, GradientSink sink) {
    try {
      return replica.run(piece, weight, sink);
    } catch (CommunicationException e) {
      throw SliceFailure.inTensor(e, mesh);
    }
  }

  @Override
  public Computed computed() {
    return replica.computed();
  }

  /** The same bits on all ranks of the group, so that they decide alike by its loss. */
  @Override
  public Tensor predict(Tensor inputs) {
    try {
      Tensor prediction = replica.predict(inputs).contiguous();
      mesh.tensor().broadcast(TensorSpans.of(prediction), 0);
      return prediction;
    } catch (CommunicationException e) {
      throw SliceFailure.inTensor(e, mesh);
    }
  }

  /** Without passes, which ranks could not end at different places. */
  @Override
  public String findNonFinite(Step step) {
    List<MicroBatch> pieces = mesh.tensor().rank() == 0 ? step.pieces() : List.of();
    String found = FirstNonFinite.of(parameters, pieces, reader);
    return found.isEmpty() && !replica.computed().lossIsFinite() ? "the loss" : found;
  }

  @Override
  public void completeModel() {
    try {
      sliced.complete();
    } catch (CommunicationException e) {
      throw SliceFailure.inTensor(e, mesh);
    }
  }

  @Override
  public void declare(TrainingState state) {
    state.distributed("model.", parameters.values(), sliced.distribution());
    state.replicated("buffer.", buffers.values());
    state.onRestored(buffers::snapshot);
  }

  @Override
  public void close() {
    replica.close();
  }
}
