package dev.lockstep.train.strategy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
import dev.lockstep.jni.Native;
import dev.lockstep.train.TrainingException;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.Works;
import dev.lockstep.train.optimizer.Optimizer;
import dev.lockstep.train.strategy.Diloco.Sent;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * The outer optimiser of {@link Diloco}: a fragment's change, outer − own, averaged over the ranks,
 * is its gradient. Fragment f of F is sent after the inner steps n with n ≡ f·every/F (mod every),
 * and applied {@code delay} steps later, on all ranks alike. The outer model and its momentum are
 * equal on all ranks.
 */
final class OuterExchange implements ParameterExchange {
  private final Diloco.Options options;
  private final Communicator group;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Optimizer inner;
  private final OwnParameters own;
  private final FlatBuffers outer;
  private final FlatBuffers change;
  private final FlatBuffers momentum;
  private final NativeMemory half;

  /** Null where changes go as they are, or halved. */
  private final @Nullable CompressedChanges compressed;

  private final List<Fragment> fragments;
  private final PendingWords words;
  private long steps;
  private long waitedNanos;

  /** Takes the memory, which the context owns. */
  OuterExchange(
      Diloco.Options options,
      RoleContext context,
      FlatParameters parameters,
      ModelBuffers buffers,
      Optimizer inner) {
    this.options = options;
    group = context.communicator();
    this.parameters = parameters;
    this.buffers = buffers;
    this.inner = inner;
    fragments = Fragment.cut(parameters.layout(), options.fragments());
    own = context.own(new OwnParameters(parameters, Placement.Resize.FIRST));
    outer = context.own(new FlatBuffers(parameters.layout(), NativeMemory::allocate));
    change = context.own(new FlatBuffers(parameters.layout(), group::allocate));
    momentum =
        context.own(
            new FlatBuffers(Optimizer.stateLayout(parameters.layout()), NativeMemory::allocate));
    long elements = parameters.layout().groups().stream().mapToLong(Group::count).sum();
    half = context.own(group.allocate(options.sent() == Sent.BF16 ? 2 * elements : 1));
    words = new PendingWords(group, change);
    compressed =
        options.compression().compresses()
            ? context.own(
                new CompressedChanges(
                    options.compression(),
                    options.outerLearningRate(),
                    group,
                    change,
                    fragments.stream().flatMap(fragment -> fragment.ranges().stream()).toList()))
            : null;
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    words.add(step, reduced);
    steps = step.number() + 1;
    Set<Word> raised = Set.of();
    int gap = options.every() / options.fragments();
    for (int f = 0; f < fragments.size(); f++) {
      if ((steps - (long) f * gap) % options.every() == 0) {
        // First, because what blocks waits for all that has been sent before it.
        raised = talk();
        send(fragments.get(f), steps + options.delay());
      }
    }
    fragments.stream().filter(fragment -> fragment.due == steps).forEach(this::apply);
    return raised;
  }

  /** What goes with every exchange besides parameters. */
  private Set<Word> talk() {
    long start = System.nanoTime();
    buffers.startMerge(1.0 / group.size(), 0);
    buffers.finishMerge();
    Set<Word> raised = words.agree();
    waitedNanos += System.nanoTime() - start;
    return raised;
  }

  private void send(Fragment fragment, long due) {
    fragment.due = due;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (ParameterRange range : fragment.ranges()) {
        Tensor difference = view(change, range);
        difference.copy_(view(outer, range)).sub_(view(parameters.values(), range));
        if (compressed != null) {
          difference.div_(new Scalar((double) group.size()));
          fragment.works.add(compressed.start(range, steps));
          continue;
        }
        Span sent = change.span(range.group(), range.from(), range.count());
        if (isHalved(range)) {
          halfView(range).copy_(difference);
          sent = half.span(2 * place(range), range.count(), DataType.BF16);
        }
        fragment.works.add(group.allReduceAsync(sent, ReduceOp.AVERAGE));
      }
    }
  }

  /** Waits until the averaged change is there. */
  private void await(Fragment fragment) {
    if (fragment.works.isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    fragment.works.forEach(Work::await);
    fragment.works.clear();
    if (compressed != null) {
      compressed.finish(fragment.ranges());
    }
    waitedNanos += System.nanoTime() - start;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (ParameterRange range : fragment.ranges()) {
        if (isHalved(range)) {
          view(change, range).copy_(halfView(range));
        }
      }
    }
  }

  /** The outer step with what has been sent. */
  private void apply(Fragment fragment) {
    await(fragment);
    fragment.due = -1;
    fragment.appliedAt = steps;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (ParameterRange range : fragment.ranges()) {
        Native.sgd_step(
            Optimizer.address(outer, range),
            Optimizer.address(change, range),
            options.outerMomentum() == 0 ? 0 : Optimizer.address(momentum, range),
            range.count(),
            parameters.layout().groups().get(range.group()).dataType().code(),
            // The momentum begins as zeros, which is what a first step would make of it.
            2,
            options.outerLearningRate(),
            options.outerMomentum(),
            0,
            0,
            options.outerMomentum() > 0);
        Tensor mine = view(parameters.values(), range);
        if (options.innerShare() == 0) {
          mine.copy_(view(outer, range));
        } else {
          mine.lerp_(view(outer, range), new Scalar(1 - options.innerShare()));
        }
      }
    }
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    fragments.forEach(this::await);
    EnumSet<Word> raised = EnumSet.noneOf(Word.class);
    raised.addAll(talk());
    if (words.anyUnused()) {
      inner.agreeOnSteps(group);
    }
    if (why == SyncPoint.END) {
      fragments.stream().filter(fragment -> fragment.due >= 0).forEach(this::apply);
      for (Fragment fragment : fragments) {
        // At most one outer step at the end: a second one would be of the momentum alone.
        if (fragment.appliedAt < steps) {
          send(fragment, steps);
          apply(fragment);
        }
      }
    }
    own.show(outer);
    return raised;
  }

  @Override
  public void goOn() {
    own.takeUp();
  }

  @Override
  public void declare(TrainingState state) {
    own.declare(state);
    if (compressed != null) {
      compressed.declare(state);
    }
    state.replicated("outer.model.", outer);
    state.replicated("outer.momentum.", momentum);
    // What has been sent and is not yet due.
    state.replicated("outer.change.", change);
    state.value("outer_fragments", this::savedFragments, this::restoreFragments);
    state.onRestored(
        () -> {
          if (!own.shows()) {
            outer.copyFrom(parameters.values());
          }
        });
  }

  private JsonNode savedFragments() {
    ArrayNode saved = JsonNodeFactory.instance.arrayNode();
    for (Fragment fragment : fragments) {
      saved.addObject().put("applied_at", fragment.appliedAt).put("due", fragment.due);
    }
    return saved;
  }

  private void restoreFragments(JsonNode saved) {
    if (saved.size() != fragments.size()) {
      throw new TrainingException(
          "The checkpoint was made with strategy.fragments "
              + saved.size()
              + ", not "
              + fragments.size()
              + ".");
    }
    for (int f = 0; f < fragments.size(); f++) {
      fragments.get(f).appliedAt = saved.get(f).path("applied_at").asLong();
      fragments.get(f).due = saved.get(f).path("due").asLong();
    }
  }

  private boolean isHalved(ParameterRange range) {
    return options.sent() == Sent.BF16
        && parameters.layout().groups().get(range.group()).elementBytes() > 2;
  }

  private Tensor view(FlatBuffers flat, ParameterRange range) {
    return NativeView.tensor(
        Optimizer.address(flat, range),
        flat.layout().groups().get(range.group()).type(),
        range.count());
  }

  private Tensor halfView(ParameterRange range) {
    return NativeView.tensor(half.address() + 2 * place(range), ScalarType.BFloat16, range.count());
  }

  /** A range's first element among those of all groups. */
  private long place(ParameterRange range) {
    return parameters.layout().groups().stream().limit(range.group()).mapToLong(Group::count).sum()
        + range.from();
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  @Override
  public void close() {
    fragments.forEach(fragment -> Works.settle(fragment.works));
  }
}
