package dev.lockstep.train.strategy;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.model.Model;
import dev.lockstep.train.engine.Compute;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientSink;
import dev.lockstep.train.engine.MicroBatch;
import dev.lockstep.train.engine.Precision;
import dev.lockstep.train.engine.Replica;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.engine.SampleReader;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.ModelMemory;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.SlicedLayout;
import dev.lockstep.train.optimizer.SliceOptimizer;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The whole model on every rank, with parameters that are there while a stage uses them. Passes are
 * collective: all ranks make as many in every step and score as many batches, and one that has
 * fewer samples gathers parameters with the others.
 */
final class FullyShardedCompute implements Compute {
  private final Model model;
  private final Replica replica;
  private final SampleReader reader;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final GatheredParameters gathered;
  private final FlatBuffers gradients;
  private final Runnable freeTrainingState;
  private final int ranks;
  private final int pieces;
  private boolean lossIsFinite;

  /**
   * @param gradients this rank's slices of the sums
   * @param freeTrainingState frees what only further steps would need
   */
  FullyShardedCompute(
      RoleContext context,
      FlatParameters parameters,
      ModelBuffers buffers,
      GatheredParameters gathered,
      FlatBuffers gradients,
      Runnable freeTrainingState) {
    model = context.model();
    reader = context.reader();
    ranks = context.communicator().size();
    pieces = context.pieces();
    this.parameters = parameters;
    this.buffers = buffers;
    this.gathered = gathered;
    this.gradients = gradients;
    this.freeTrainingState = freeTrainingState;
    replica =
        new Replica(
            model,
            parameters,
            buffers,
            context.loss(),
            reader,
            Precision.FULL,
            context.seed(),
            context.communicator().rank(),
            gathered);
  }

  /**
   * A worker whose parameters, gradients and optimiser state are in slices; owned by the context.
   *
   * @param groupBytes of parameters that are gathered at once, at least
   */
  static Role compose(RoleContext context, long groupBytes) {
    Communicator group = context.communicator();
    Model model = context.model();
    FlatLayout layout = FlatLayout.of(model.parameters());
    StageGroups stages = StageGroups.of(model, layout, groupBytes);
    if (context.pieces() > 1 && stages.shareParameters()) {
      throw new ConfigKeyException(
          "training.accumulation_steps",
          "must be 1 with strategy.sharding: 3 and a model whose stages share parameters, or"
              + " sums would be in another order; or set strategy.sharding: 2.");
    }
    List<Bucket> buckets = stages.buckets();
    FlatParameters parameters =
        FlatParameters.elsewhere(
            model, context.own(new BucketMemory(layout, buckets, group::allocate)));
    ModelBuffers buffers = context.buffers();
    ShardedExchange shards =
        context.own(new ShardedExchange(group, parameters, buckets, List.of()));
    AllReduceExchange exchange =
        new AllReduceExchange(buckets, shards, shards.slices(), group, parameters, buffers);
    GatheredParameters gathered =
        context.own(
            new GatheredParameters(
                group,
                model,
                layout,
                stages,
                shards.shards(),
                group::allocate,
                exchange::completeFirst));
    SliceOptimizer optimizer =
        context.own(
            new SliceOptimizer(
                context.optimizer(), layout, shards.shards(), gathered.slices(), shards.slices()));
    Runnable freeTrainingState =
        () -> {
          optimizer.close();
          shards.close();
        };
    FullyShardedCompute compute =
        new FullyShardedCompute(
            context, parameters, buffers, gathered, shards.slices(), freeTrainingState);
    return context.worker(
        compute,
        exchange,
        optimizer,
        gathered,
        List.of(
            ModelMemory.sliced(gathered.slices(), gathered.slicedLayout()),
            ModelMemory.whole(buffers.values())));
  }

  @Override
  public void begin(Step step) {
    replica.begin(step);
  }

  @Override
  public double runAll(List<MicroBatch> all, double weight, GradientSink sink, double lossSum) {
    // Before those with samples, as the last pass of every rank sends gradients.
    for (int pass = all.size(); pass < passes(all.get(0).batch()); pass++) {
      gathered.pass(true);
    }
    return Compute.super.runAll(all, weight, sink, lossSum);
  }

  /** The passes of the rank that has most: into how many pieces the largest part is cut. */
  private int passes(Batch batch) {
    return Math.max(1, Math.min(pieces, (batch.globalCount() - 1) / ranks + 1));
  }

  @Override
  public double run(MicroBatch piece, double weight, GradientSink sink) {
    gathered.begin(true);
    double sum =
        replica.run(
            piece,
            weight,
            finite -> {
              gathered.finishForward();
              sink.backwardBegins(finite);
            });
    gathered.finish();
    return sum;
  }

  @Override
  public Computed computed() {
    Computed computed = replica.computed();
    lossIsFinite = computed.lossIsFinite();
    return computed;
  }

  @Override
  public Tensor predict(Tensor inputs) {
    if (gathered.isWhole()) {
      return replica.predict(inputs);
    }
    model.setTraining(false);
    try (NoGradGuard guard = new NoGradGuard()) {
      gathered.begin(false);
      Tensor current = inputs;
      for (int stage = 0; stage < model.stages().size(); stage++) {
        gathered.forwardBegins(stage);
        current = model.stages().get(stage).forward(current);
      }
      // It may be a view of a parameter, whose memory goes now.
      Tensor prediction = current.clone();
      gathered.finish();
      return prediction;
    } finally {
      model.setTraining(true);
    }
  }

  @Override
  public boolean predictsTogether() {
    return !gathered.isWhole();
  }

  @Override
  public void joinPrediction() {
    gathered.pass(false);
  }

  /** Looks at what this rank has, and computes nothing: that would need the others. */
  @Override
  public String findNonFinite(Step step) {
    SlicedLayout slices = gathered.slicedLayout();
    String parameter = firstNonFinite(slices, gathered.slices());
    if (!parameter.isEmpty()) {
      return "the parameter " + parameter;
    }
    for (MicroBatch piece : step.pieces()) {
      String found = piece.count() == 0 ? "" : inSamples(piece);
      if (!found.isEmpty()) {
        return found;
      }
    }
    if (!lossIsFinite) {
      return "the loss";
    }
    String gradient = firstNonFinite(slices, gradients);
    return gradient.isEmpty() ? "" : "the gradient of " + gradient;
  }

  private String firstNonFinite(SlicedLayout slices, FlatBuffers flat) {
    FlatLayout layout = slices.whole();
    for (SlicedLayout.Part part : slices.parts()) {
      ParameterRange place = part.place();
      FlatLayout.Group shape = layout.groups().get(place.group());
      try (PointerScope scope = new PointerScope()) {
        long address = flat.address(place.group()) + place.from() * shape.elementBytes();
        if (place.count() > 0
            && !isFinite(NativeView.tensor(address, shape.type(), place.count()))) {
          return parameters.name(part.tensor());
        }
      }
    }
    return "";
  }

  private String inSamples(MicroBatch piece) {
    try (PointerScope scope = new PointerScope()) {
      SampleReader.Samples samples = reader.read(piece);
      if (!isFinite(samples.inputs())) {
        return "the batch's features";
      }
      return isFinite(samples.targets()) ? "" : "the batch's targets";
    }
  }

  private static boolean isFinite(Tensor tensor) {
    return torch.isfinite(tensor).all().item_bool();
  }

  /** Frees the optimiser's state and the gradients first, so that the model finds room. */
  @Override
  public void completeModel() {
    freeTrainingState.run();
    gathered.complete();
  }

  @Override
  public void declare(TrainingState state) {
    state.sharded("model.", gathered.slices(), gathered.slicedLayout());
    state.replicated("buffer.", buffers.values());
    state.onRestored(buffers::snapshot);
  }

  @Override
  public void close() {
    replica.close();
  }
}
