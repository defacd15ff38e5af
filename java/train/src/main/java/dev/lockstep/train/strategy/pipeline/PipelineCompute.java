package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelException;
import dev.lockstep.model.TrainingPass;
import dev.lockstep.train.engine.Compute;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.FirstNonFinite;
import dev.lockstep.train.engine.GradientSink;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.MicroBatch;
import dev.lockstep.train.engine.RandomSeeds;
import dev.lockstep.train.engine.SampleReader;
import dev.lockstep.train.engine.SampleReader.Samples;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.strategy.Mesh;
import dev.lockstep.train.strategy.RoleContext;
import dev.lockstep.train.strategy.pipeline.PipelineOrder.Action;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.VoidTensorHook;
import org.jspecify.annotations.Nullable;

/**
 * Some parts of a model. The pieces of a batch come from the rank with the part before, as values
 * whose gradient goes back there; {@link PipelineOrder} says which is next. What a rank adds up, it
 * adds up in the order of the pieces, so the gradients are those of one process that accumulates
 * over the same pieces, bit for bit.
 */
final class PipelineCompute implements Compute {
  private final Model model;
  private final ModelCut cut;
  private final Mesh mesh;
  private final PipelineConfig config;
  private final PartTensors allParameters;
  private final PartTensors allBuffers;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Loss loss;
  private final SampleReader reader;
  private final long seed;
  private final PartLinks links;
  // Native code refers to the hooks weakly; this list keeps them alive.
  private final List<UsedHook> hooks = new ArrayList<>();
  private final BitSet used = new BitSet();
  private final Map<Action, Flight> flights = new HashMap<>();

  private long step;
  private boolean lossIsFinite;

  /**
   * A piece between its forward and its backward pass through a part.
   *
   * @param loss the scalar where backward begins; null but for the last part
   */
  private record Flight(TrainingPass pass, @Nullable Tensor loss) implements AutoCloseable {
    @Override
    public void close() {
      pass.close();
      if (loss != null) {
        loss.close();
      }
    }
  }

  PipelineCompute(
      RoleContext context,
      ModelCut cut,
      PipelineConfig config,
      PartTensors allParameters,
      PartTensors allBuffers,
      FlatParameters parameters,
      ModelBuffers buffers) {
    model = context.model();
    mesh = context.mesh();
    loss = context.loss();
    reader = context.reader();
    seed = context.seed();
    this.cut = cut;
    this.config = config;
    this.allParameters = allParameters;
    this.allBuffers = allBuffers;
    this.parameters = parameters;
    this.buffers = buffers;
    links = new PartLinks(mesh.pipeline(), cut.parts());
    for (int i = 0; i < parameters.count(); i++) {
      hooks.add(new UsedHook(i));
    }
  }

  @Override
  public void begin(Step step) {
    this.step = step.number();
    parameters.gradients().zero();
    used.clear();
    lossIsFinite = true;
  }

  @Override
  public double run(MicroBatch piece, double weight, GradientSink sink) {
    return runAll(List.of(piece), weight, sink, 0);
  }

  @Override
  public double runAll(List<MicroBatch> pieces, double weight, GradientSink sink, double lossSum) {
    if (pieces.get(0).count() == 0) {
      sink.backwardBegins(true); // no rank of this pipeline has samples
      return lossSum;
    }
    double[] losses = new double[pieces.size()];
    try {
      compute(pieces, weight, sink, losses);
      links.flush();
      losses = mesh.pipeline().allReduce(losses, ReduceOp.SUM);
    } catch (CommunicationException e) {
      throw PartFailure.inPipeline(e, cut, mesh);
    } finally {
      flights.values().forEach(Flight::close);
      flights.clear();
      pieces.forEach(reader::skip);
    }
    double sum = lossSum;
    for (double ofPiece : losses) {
      lossIsFinite &= Double.isFinite(ofPiece);
      sum += ofPiece;
    }
    return sum;
  }

  /** All passes of this rank. */
  private void compute(List<MicroBatch> pieces, double weight, GradientSink sink, double[] losses) {
    int chunks = cut.parts() / mesh.pipeline().size();
    List<Action> order =
        PipelineOrder.of(config.schedule(), mesh.pipeline().size(), chunks, pieces.size())
            .get(mesh.pipeline().rank());
    int forwardPasses = chunks * pieces.size();
    for (Action action : order) {
      if (!action.forward()) {
        backward(action);
        continue;
      }
      losses[action.piece()] += forward(action, pieces.get(action.piece()), weight);
      forwardPasses--;
      if (forwardPasses == 0) {
        sink.backwardBegins(Arrays.stream(losses).allMatch(Double::isFinite));
      }
    }
  }

  /** Returns the sum of the losses of the piece's samples, which only the last part knows. */
  private double forward(Action action, MicroBatch piece, double weight) {
    int part = action.part();
    boolean last = part + 1 == cut.parts();
    try (PointerScope scope = new PointerScope()) {
      Samples samples = part == 0 || last ? own(reader.read(piece)) : null;
      Tensor input = part == 0 && samples != null ? samples.inputs() : links.receiveFor(part);
      if (part > 0) {
        input.set_requires_grad(true);
      }
      TrainingPass pass =
          model.trainingPass(
              cut.begin(part),
              cut.end(part),
              input,
              RandomSeeds.ofPiece(seed, step, mesh.data().rank(), piece));
      Tensor scaled = null;
      double value = 0;
      if (last && samples != null) {
        Tensor mean = loss.mean(pass.output(), samples);
        value = mean.item_double() * piece.count();
        double share = weight * piece.count() / piece.batch().count();
        scaled = share == 1 ? mean : mean.mul(new Scalar(share));
        scaled.retainReference();
      } else {
        links.sendTo(part + 1, pass.output());
      }
      flights.put(action, new Flight(pass.keep(), scaled));
      return value;
    }
  }

  /** Copies, as the reader's memory is used again while the piece is in flight. */
  private static Samples own(Samples samples) {
    Tensor weights = samples.weights();
    return new Samples(
        samples.inputs().clone(),
        samples.targets().clone(),
        weights == null ? null : weights.clone());
  }

  private void backward(Action action) {
    int part = action.part();
    Flight flight = flights.remove(new Action(true, part, action.piece()));
    if (flight == null) {
      throw new IllegalStateException(action + " comes before its forward pass");
    }
    try (flight;
        PointerScope scope = new PointerScope()) {
      TrainingPass pass = flight.pass();
      Tensor scaled = flight.loss();
      Tensor gradient =
          scaled == null
              ? pass.backwardFrom(links.receiveGradient(part, pass.output()))
              : pass.backwardToInput(scaled);
      if (part == 0) {
        return;
      }
      if (!gradient.defined()) {
        throw new ModelException(
            "No gradient reaches the layers before "
                + cut.describe(part)
                + " of "
                + model
                + ": its output does not depend on its input.");
      }
      links.sendGradient(part - 1, gradient);
    }
  }

  @Override
  public Computed computed() {
    return new Computed(lossIsFinite, used, parameters.count());
  }

  @Override
  public Tensor predict(Tensor inputs) {
    model.setTraining(false);
    try (NoGradGuard guard = new NoGradGuard()) {
      int ranks = mesh.pipeline().size();
      Tensor current = inputs;
      for (int part = mesh.pipeline().rank(); part < cut.parts(); part += ranks) {
        current = part == 0 ? inputs : links.receiveFor(part);
        for (int stage = cut.begin(part); stage < cut.end(part); stage++) {
          current = model.stages().get(stage).forward(current);
        }
        if (part + 1 < cut.parts()) {
          links.sendTo(part + 1, current);
        }
      }
      Tensor result = ranks == 1 ? current : links.fromLast(current);
      links.flush();
      return result;
    } catch (CommunicationException e) {
      throw PartFailure.inPipeline(e, cut, mesh);
    } finally {
      model.setTraining(true);
    }
  }

  @Override
  public String findNonFinite(Step step) {
    List<MicroBatch> pieces = mesh.pipeline().rank() == 0 ? step.pieces() : List.of();
    String found = FirstNonFinite.of(parameters, pieces, reader);
    return found.isEmpty() && !lossIsFinite ? "the loss" : found;
  }

  @Override
  public void completeModel() {
    try {
      allParameters.complete();
      allBuffers.complete();
    } catch (CommunicationException e) {
      throw PartFailure.inPipeline(e, cut, mesh);
    }
  }

  @Override
  public void declare(TrainingState state) {
    state.distributed("model.", parameters.values(), allParameters.distribution());
    state.distributed("buffer.", buffers.values(), allBuffers.distribution());
    state.onRestored(buffers::snapshot);
  }

  @Override
  public void close() {
    hooks.forEach(UsedHook::remove);
  }

  /** Tells that backward has reached a parameter. */
  private final class UsedHook extends VoidTensorHook {
    private final int parameter;
    private final int handle;

    UsedHook(int parameter) {
      this.parameter = parameter;
      retainReference();
      handle = parameters.parameter(parameter).register_hook(this);
    }

    @Override
    public void call(TensorBase computed) {
      computed.close();
      used.set(parameter);
    }

    void remove() {
      parameters.parameter(parameter).remove_hook(handle);
      close();
    }
  }
}
