package dev.lockstep.train.strategy;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.Optimizer;
import dev.lockstep.train.strategy.ElasticAveraging.Rule;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** The exchange of {@link ElasticAveraging}. Each rank keeps the centre, equal on all. */
final class ElasticExchange implements ParameterExchange {
  private final ElasticAveraging.Options options;
  private final Communicator group;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Optimizer optimizer;
  private final OwnParameters own;
  private final FlatBuffers centre;
  private final FlatBuffers mean;
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
    words = new PendingWords(group, mean);
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    words.add(step, reduced);
    return (step.number() + 1) % options.every() == 0 ? exchange() : Set.of();
  }

  private Set<Word> exchange() {
    long start = System.nanoTime();
    mean.copyFrom(parameters.values());
    buffers.startMerge(1.0 / group.size());
    for (int g = 0; g < parameters.layout().groups().size(); g++) {
      group.allReduce(mean.span(g), ReduceOp.AVERAGE);
    }
    buffers.finishMerge();
    Set<Word> raised = words.agree();
    waitedNanos += System.nanoTime() - start;
    double alpha = options.alphaFor(group.size());
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        Tensor x = parameters.values().whole(g);
        Tensor c = centre.whole(g);
        Tensor all = mean.whole(g);
        if (options.rule() == Rule.ELASTIC) {
          // x first: it is pulled towards the centre of before.
          x.lerp_(c, new Scalar(alpha));
          c.lerp_(all, new Scalar(options.beta()));
        } else if (alpha == 0) {
          x.copy_(all);
          c.copy_(all);
        } else {
          x.lerp_(all, new Scalar(1 - alpha));
          c.copy_(all);
        }
      }
    }
    return raised;
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    long start = System.nanoTime();
    Set<Word> raised = words.agree();
    buffers.startMerge(1.0 / group.size());
    buffers.finishMerge();
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
}
