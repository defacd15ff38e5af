package dev.lockstep.train.strategy;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.Works;
import dev.lockstep.train.optimizer.Optimizer;
import dev.lockstep.train.strategy.ElasticAveraging.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The exchange of {@link ElasticAveraging}. Each rank keeps the centre, equal on all.
 *
 * <p>As in the paper (equations 5 and 6) gradient, spring and centre are all of the parameters
 * before the step: the mean travels while the step is computed.
 */
final class ElasticExchange implements GradientExchange, ParameterExchange {
  private final ElasticAveraging.Options options;
  private final Communicator group;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Optimizer optimizer;
  private final OwnParameters own;
  private final FlatBuffers centre;
  private final FlatBuffers mean;
  private final FlatBuffers pull;
  private final LocalGradients local;
  private final List<Work> pending = new ArrayList<>();
  private final PendingWords words;
  private long waitedNanos;

  /** Takes the memory, which the context owns. */
  ElasticExchange(
      ElasticAveraging.Options options,
      RoleContext context,
      FlatParameters parameters,
      ModelBuffers buffers,
      Optimizer optimizer) {
    this.options = options;
    group = context.communicator();
    this.parameters = parameters;
    this.buffers = buffers;
    this.optimizer = optimizer;
    own = context.own(new OwnParameters(parameters, Placement.Resize.FIRST));
    centre = context.own(new FlatBuffers(parameters.layout(), NativeMemory::allocate));
    mean = context.own(new FlatBuffers(parameters.layout(), group::allocate));
    pull = context.own(new FlatBuffers(parameters.layout(), NativeMemory::allocate));
    local = new LocalGradients(group, parameters);
    words = new PendingWords(group, mean);
  }

  @Override
  public double weight(Batch batch) {
    return local.weight(batch);
  }

  /** Elastic: begins to average the parameters of before the step, under forward and backward. */
  @Override
  public void begin(Step step) {
    if (isDue(step) && options.rule() == Rule.ELASTIC) {
      pull.copyFrom(parameters.values());
      startMean();
    }
  }

  @Override
  public void backwardBegins(boolean lossIsFinite) {
    local.backwardBegins(lossIsFinite);
  }

  @Override
  public Reduced complete(Computed computed) {
    return local.complete(computed);
  }

  private boolean isDue(Step step) {
    return (step.number() + 1) % options.every() == 0;
  }

  private void startMean() {
    mean.copyFrom(parameters.values());
    for (int g = 0; g < parameters.layout().groups().size(); g++) {
      pending.add(group.allReduceAsync(mean.span(g), ReduceOp.AVERAGE));
    }
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    words.add(step, reduced);
    if (!isDue(step)) {
      return Set.of();
    }
    if (options.rule() == Rule.BLEND) {
      startMean();
    }
    long start = System.nanoTime();
    pending.forEach(Work::await);
    pending.clear();
    Set<Word> raised = talk();
    waitedNanos += System.nanoTime() - start;
    double alpha = options.alphaFor(group.size());
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        Tensor x = parameters.values().whole(g);
        Tensor c = centre.whole(g);
        if (options.rule() == Rule.ELASTIC) {
          x.sub_(pull.whole(g).sub_(c), new Scalar(alpha));
          c.lerp_(mean.whole(g), new Scalar(options.centreShare()));
        } else {
          c.copy_(mean.whole(g));
          x.sub_(c).mul_(new Scalar(alpha)).add_(c);
        }
      }
    }
    return raised;
  }

  /** What goes with every exchange besides parameters. */
  private Set<Word> talk() {
    buffers.startMerge(1.0 / group.size(), 0);
    buffers.finishMerge();
    return words.agree();
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    long start = System.nanoTime();
    Set<Word> raised = talk();
    if (words.anyUnused()) {
      optimizer.agreeOnSteps(group);
    }
    waitedNanos += System.nanoTime() - start;
    own.show(centre);
    return raised;
  }

  @Override
  public void goOn() {
    own.takeUp();
  }

  @Override
  public void declare(TrainingState state) {
    own.declare(state);
    state.replicated("centre.model.", centre);
    state.onRestored(
        () -> {
          if (!own.shows()) {
            centre.copyFrom(parameters.values());
          }
        });
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  @Override
  public void close() {
    Works.settle(pending);
  }
}
